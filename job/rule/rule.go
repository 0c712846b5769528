// Package rule loads new_terms rules with their exception lists: TOML files of
// Elastic's detection-rules repository, and Kibana's exports.
//
// https://github.com/elastic/detection-rules
package rule

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"newterms/alerts/alert"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job/rule/document"
)

//go:embed okta_proxy_session.toml
var builtin string

// builtinPath stands for the path of the built-in rule.
const builtinPath = "(built in)"

// BuiltinCases are the cases of the built-in rule, in the format of package casefile.
//
//go:embed okta_proxy_session.test.toml
var BuiltinCases string

// A Rule selects events, and says which make a pair new.
type Rule struct {
	ID, Name  string
	Source    string        // the file, with the line in an export
	Status    string        // its maturity in detection-rules, or enabled or disabled
	QueryText string        // KQL, as written
	Search    query.Search  // without any settings; it wants the fields of overrides, summaries and contexts
	History   time.Duration // how far back a pair must be unseen
	Lookback  time.Duration // of the rule's first scheduled run
	// Overlap is how much further the rule looks back than its interval, for events
	// that come late: from minus interval.
	Overlap time.Duration
	// Exceptions are the items of the rule's exception lists, with those that have
	// expired. Search has none of them.
	Exceptions []Exception
	// Parameters are the rule in the form of Kibana's API, for its alerts.
	Parameters alert.Rule
	// Warnings are about the rule's own file.
	Warnings []*Warning

	path         string
	dataViewLine int // line of data_view_id
}

// Path returns the file of the rule; "" for the built-in rule.
func (r Rule) Path() string {
	if r.path == builtinPath {
		return ""
	}
	return r.path
}

// An Error names a rule file that cannot be used, and why.
type Error = document.Error

// errNotNewTerms marks a rule of another type, which is skipped in folders and exports.
var errNotNewTerms = errors.New("not a new_terms rule")

// Builtin is "First Occurrence of Okta User Session Started via Proxy".
func Builtin() (Rule, error) {
	d, err := document.Decode(builtinPath, builtin)
	if err != nil {
		return Rule{}, err
	}
	return read(d[0])
}

// read reads a rule. The rule has its Warnings even with an error, which is an *Error.
func read(d document.Document) (Rule, error) {
	r, warnings, err := fromTable(d.Table)
	for _, w := range warnings {
		w.Path, w.Line = d.Path, d.LineOf(w.Key)
	}
	if err != nil {
		return Rule{Warnings: warnings}, d.Error(err)
	}
	r.Source, r.Status, r.path, r.Warnings = d.Place(), cmp.Or(d.Maturity, "enabled"), d.Path, warnings
	r.dataViewLine = d.LineOf("data_view_id")
	if enabled, ok := d.Table["enabled"].(bool); ok && !enabled {
		r.Status = "disabled"
	}
	return r, nil
}

func fromTable(table map[string]any) (Rule, []*Warning, error) {
	t := tableReader{table: table}
	if kind := t.text("type", ""); kind != "new_terms" {
		return Rule{}, nil, fmt.Errorf("type is %q: %w", kind, errNotNewTerms)
	}
	t.checkValues()
	t.checkContents()
	fields, history := t.newTerms()
	r := Rule{
		ID:   t.text("rule_id", ": choose one, such as a UUID, and keep it, because it identifies the rule's alerts"),
		Name: t.text("name", ""), QueryText: t.query(),
		Search: query.Search{
			Indices: t.indices(), Filters: t.filters(), Fields: fields, Timestamp: "@timestamp",
		},
		Lookback: t.ago("from", "now-6m"), History: t.agoOf("history_window_start", history),
	}
	r.Overlap = max(0, r.Lookback-t.interval())
	if r.History > 0 && r.History <= r.Lookback {
		t.problem("history_window_start (%s) must be earlier than from, which is %s back", history, words.Span(r.Lookback))
	}
	if override, _ := table["timestamp_override"].(string); override != "" && override != "@timestamp" {
		r.Search.Timestamp, r.Search.Fallback = override, "@timestamp"
		if disabled, _ := table["timestamp_override_fallback_disabled"].(bool); disabled {
			r.Search.Fallback = ""
		}
	}
	t.severity()
	if table["risk_score"] == nil {
		t.problem("risk_score is missing: it is a whole number from 0 to 100")
	}
	if language, given := table["language"]; given && language != "kuery" {
		t.problem("language is %q: only kuery is supported", language)
	}
	t.checkFields(fields)
	var err error
	if r.Search.Query, err = kql.Parse(r.QueryText); err != nil {
		t.problems = append(t.problems, fmt.Errorf("query: %w", err))
	}
	r.Parameters = parameters(table, fields, history)
	overrides, err := alert.OverridesOf(r.Parameters)
	if err != nil {
		t.problems = append(t.problems, err)
	}
	r.Search.Wanted = slices.Concat(append(r.Parameters.SummaryFields(), overrides.Wanted())...)
	for _, p := range r.Parameters.Properties() {
		for _, field := range p.Fields {
			if !slices.Contains(r.Search.Wanted, field) {
				r.Search.Wanted = append(r.Search.Wanted, field)
			}
		}
	}
	return r, t.warnings, errors.Join(t.problems...)
}

// parameters returns the rule in the form of Kibana's API: new_terms is flat there, and
// absent settings have their defaults.
func parameters(table map[string]any, fields []string, history string) alert.Rule {
	p := alert.Rule{"from": "now-6m", "to": "now", "interval": "5m"}
	known := keys()
	for name, value := range table {
		if known[name].use != kibanaManaged {
			p[name] = value
		}
	}
	delete(p, "new_terms")
	p["new_terms_fields"] = fields
	p["history_window_start"] = history
	return p
}
