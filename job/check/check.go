// Package check finds out whether a run would work, and whether it would find
// what its users expect. It asks with no more rights than a run has, and writes
// nothing.
package check

import (
	"context"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// A Check is what to look at.
type Check struct {
	Client                   *elastic.Client
	Store                    *alerts.Store
	AlertsTarget, RunsTarget string
	Rules                    []rule.Rule   // with the settings applied to their searches
	Overlap                  time.Duration // of scheduled windows; bounds the clock skew
	Now                      func() time.Time
}

// Run looks at everything, in the order in which one thing needs another. It
// stops early only where the rest would say the same.
func (c Check) Run(ctx context.Context) []Finding {
	s := shared{Check: c, missing: map[esquery.Privilege]bool{}}
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

// shared looks at what all rules share.
type shared struct {
	Check
	report
	missing    map[esquery.Privilege]bool // of all that a run needs
	restricted esquery.Restricted
}

// ruleCheck looks at one rule.
type ruleCheck struct {
	Check
	rule.Rule
	report
	missing    map[esquery.Privilege]bool
	restricted esquery.Restricted
	partly     bool // only a part of the documents is shown to this user
}
