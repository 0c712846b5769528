// Package rule loads new_terms rules as Elastic's detection-rules repository
// writes them, in TOML, and as Kibana exports them, with their exception lists.
//
// https://github.com/elastic/detection-rules
package rule

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/kql"
)

//go:embed okta_proxy_session.toml
var builtin string

// A Rule says which events matter and what makes one new.
type Rule struct {
	ID, Name  string
	Source    string         // the file, with the line in an export
	Status    string         // its maturity in detection-rules, or enabled or disabled
	QueryText string         // KQL, as written
	Search    esquery.Search // what the rule reads, without any setting; it wants the fields that override parameters
	History   time.Duration  // how far back a pair must be unseen
	Lookback  time.Duration  // of the first scheduled run ever
	// Overlap is how much further the rule looks back than it runs, for events
	// that come late: from less interval.
	Overlap time.Duration
	// Exceptions are the items of the exception lists that the rule names, those
	// that have expired as well. Search has none of them.
	Exceptions []Exception
	// Parameters are the rule as Kibana's API has it, for its alerts.
	Parameters alerts.Rule
}

// An Error says which rule file cannot be used, and why.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("rule %s: %v", e.Path, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// errNotNewTerms marks a rule of another type. Among others it is passed over.
var errNotNewTerms = errors.New("not a new_terms rule")

// Builtin is "First Occurrence of Okta User Session Started via Proxy".
func Builtin() (Rule, error) {
	d, err := decodeTOML("(built in)", builtin)
	if err != nil {
		return Rule{}, err
	}
	return d[0].rule()
}

func fromTable(table map[string]any) (Rule, error) {
	t := tableReader{table: table}
	if kind := t.text("type"); kind != "new_terms" {
		return Rule{}, fmt.Errorf("type is %q: %w", kind, errNotNewTerms)
	}
	fields, history := t.newTerms()
	r := Rule{
		ID: t.text("rule_id"), Name: t.text("name"), QueryText: t.text("query"),
		Search: esquery.Search{
			Indices: t.texts("index"), Filters: t.filters(), Fields: fields, Timestamp: "@timestamp",
		},
		Lookback: t.ago("from", "now-6m"), History: t.agoOf("history_window_start", history),
	}
	r.Overlap = max(0, r.Lookback-t.interval())
	if override, _ := table["timestamp_override"].(string); override != "" && override != "@timestamp" {
		r.Search.Timestamp, r.Search.Fallback = override, "@timestamp"
		if disabled, _ := table["timestamp_override_fallback_disabled"].(bool); disabled {
			r.Search.Fallback = ""
		}
	}
	t.text("severity")
	if _, ok := number(table["risk_score"]); !ok {
		t.problem("risk_score is missing")
	}
	if language, given := table["language"]; given && language != "kuery" {
		t.problem("language is %q: only kuery is understood", language)
	}
	if n := len(fields); n < 1 || n > 3 {
		t.problem("it has %d new-terms fields: one to three are allowed", n)
	}
	for i, field := range fields {
		if slices.Contains(fields[:i], field) {
			t.problem("it has the new-terms field %s twice", field)
		}
	}
	t.refuse()
	var err error
	if r.Search.Query, err = kql.Parse(r.QueryText); err != nil {
		t.problems = append(t.problems, fmt.Errorf("query: %w", err))
	}
	r.Parameters = parameters(table, fields, history)
	overrides, err := alerts.OverridesOf(r.Parameters)
	if err != nil {
		t.problems = append(t.problems, err)
	}
	r.Search.Wanted = overrides.Wanted()
	return r, errors.Join(t.problems...)
}

// parameters is the rule as Kibana's API has it: new_terms is flat there, and
// absent settings have their defaults.
func parameters(table map[string]any, fields []string, history string) alerts.Rule {
	p := alerts.Rule{"from": "now-6m", "to": "now", "interval": "5m"}
	known := keys()
	for name, value := range table {
		if known[name] != ofKibana {
			p[name] = value
		}
	}
	delete(p, "new_terms")
	p["new_terms_fields"] = fields
	p["history_window_start"] = history
	return p
}
