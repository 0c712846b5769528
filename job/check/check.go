// Package check finds out whether a run would work, and whether it would find what its
// users expect. It needs no more privileges than a run, and writes nothing.
package check

import (
	"context"
	"time"

	"newterms/alerts"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// A Check holds what to check.
type Check struct {
	Client                   *elastic.Client
	Store                    *alerts.Store
	AlertsTarget, RunsTarget string
	// KibanaAlerts and KibanaEvents are patterns of what Kibana's own rules leave behind. ""
	// does not look for these.
	KibanaAlerts, KibanaEvents string
	Rules                      []rule.Rule   // with the settings applied to their searches
	Overlap                    time.Duration // of scheduled windows; bounds the clock skew
	Version                    string        // of this program
	Now                        func() time.Time
}

// Run makes all checks, each after those it depends on. It stops early only if the rest
// would repeat the same finding.
func (c Check) Run(ctx context.Context) []Finding {
	s := commonCheck{Check: c, missing: map[access.Privilege]bool{}}
	if !s.server(ctx) || !s.user(ctx) {
		return s.findings
	}
	s.targets(ctx)
	for _, r := range c.Rules {
		one := ruleCheck{Check: c, Rule: r, missing: s.missing, restricted: s.restricted}
		one.rule = r.Name
		one.run(ctx)
		s.findings = append(s.findings, one.findings...)
	}
	return s.findings
}

// commonCheck checks what all rules have in common.
type commonCheck struct {
	Check
	report
	missing    map[access.Privilege]bool // of the privileges that a run needs
	restricted access.Restricted
}

// ruleCheck checks one rule.
type ruleCheck struct {
	Check
	rule.Rule
	report
	missing    map[access.Privilege]bool
	restricted access.Restricted
	partly     bool // whether documents are hidden from this user
}
