// Package check tells whether a run would work, and what to do where it would
// not. It asks with no more rights than a run has, and writes nothing.
package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job/rule"
)

// Levels of a Finding.
const (
	OK      = "ok"
	Warning = "warning" // a run works; what it finds may not be what is expected
	Error   = "error"   // a run fails, or can find nothing
)

// A Finding is one thing that was looked at.
type Finding struct {
	Level   string `json:"level"`
	Check   string `json:"check"`          // what was looked at, a word
	Rule    string `json:"rule,omitempty"` // name; "" for what all rules share
	Message string `json:"message"`
	Do      string `json:"do,omitempty"` // what to do about it; "" if OK
	// Err is what an Error means for the exit code, and nil otherwise.
	Err error `json:"-"`
}

// A Rule and what it reads, with the settings applied.
type Rule struct {
	rule.Rule
	Search esquery.Search
}

// A Check is what to look at.
type Check struct {
	Client                   *esquery.Client
	Store                    *alerts.Store
	AlertsTarget, RunsTarget string
	Rules                    []Rule
	Overlap                  time.Duration // of scheduled windows; bounds the clock skew
	Now                      func() time.Time

	findings []Finding
	missing  map[esquery.Privilege]bool
}

// Run looks at everything, in the order in which one thing needs another. It
// stops early only where the rest would say the same.
func (c *Check) Run(ctx context.Context) []Finding {
	c.findings, c.missing = nil, map[esquery.Privilege]bool{}
	if c.server(ctx) && c.user(ctx) {
		c.targets(ctx)
		for _, r := range c.Rules {
			c.checkRule(ctx, r)
		}
	}
	return c.findings
}

func (c *Check) ok(check, format string, args ...any) {
	c.findings = append(c.findings, Finding{Level: OK, Check: check, Message: fmt.Sprintf(format, args...)})
}

func (c *Check) warn(check, do, format string, args ...any) {
	c.findings = append(c.findings, Finding{Level: Warning, Check: check, Message: fmt.Sprintf(format, args...), Do: do})
}

func (c *Check) fail(check, do string, err error) {
	c.findings = append(c.findings, Finding{Level: Error, Check: check, Message: err.Error(), Do: do, Err: err})
}

// unusable is a failure of a rule with the data that there is.
func (c *Check) unusable(r Rule, check, do, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	c.findings = append(c.findings, Finding{Level: Error, Check: check, Message: err.Error(), Do: do, Err: &rule.Error{Path: r.Name, Err: err}})
}

func (c *Check) server(ctx context.Context) bool {
	version, err := c.Client.Version(ctx)
	var unsupported *esquery.VersionError
	switch {
	case isStatus(err, http.StatusUnauthorized):
		return true // a server that asks who is there; user reports it
	case errors.As(err, &unsupported):
		c.fail("server", "newterms needs an Elasticsearch that is supported", err)
	case err != nil:
		c.fail("server", "check ELASTICSEARCH_URL, ELASTICSEARCH_CA and the network", err)
	default:
		c.ok("server", "Elasticsearch %s", version)
	}
	return err == nil
}

func (c *Check) user(ctx context.Context) bool {
	user, err := c.Client.User(ctx)
	switch {
	case err != nil:
		c.fail("user", "check ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD: the key may be revoked or expired", err)
		return false
	case user.SecurityOff:
		c.ok("user", "security is off: everybody may do everything")
		return true
	case user.APIKey != "":
		c.ok("user", "API key %s of %s", user.APIKey, user.Name)
	default:
		c.ok("user", "%s", user.Name)
	}
	missing, err := c.Client.MissingPrivileges(ctx, c.privileges())
	if err != nil {
		c.fail("privileges", "check the health of the cluster", err)
		return false
	}
	for _, p := range missing {
		c.missing[p] = true
	}
	return true
}

// targetPrivileges are those that a run needs on each of its targets.
// auto_configure makes the data stream with the first write.
func targetPrivileges() []string { return []string{"read", "create_doc", "auto_configure"} }

func (c *Check) privileges() []esquery.Privilege {
	var wanted []esquery.Privilege
	for _, target := range []string{c.AlertsTarget, c.RunsTarget} {
		for _, name := range targetPrivileges() {
			wanted = append(wanted, esquery.Privilege{Index: target, Name: name})
		}
	}
	for _, r := range c.Rules {
		wanted = append(wanted, esquery.ReadOn(r.Search.Indices)...)
	}
	return wanted
}

func isStatus(err error, status int) bool {
	var refused interface{ StatusCode() int }
	return errors.As(err, &refused) && refused.StatusCode() == status
}
