// Package rule loads new_terms rules as Elastic's detection-rules repository
// writes them, in TOML.
//
// https://github.com/elastic/detection-rules
package rule

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/kql"
)

//go:embed okta_proxy_session.toml
var builtin string

// A Rule says which events matter and what makes one new.
type Rule struct {
	ID, Name  string
	QueryText string         // KQL, as written
	Search    esquery.Search // what the rule reads, without any setting
	History   time.Duration  // how far back a pair must be unseen
	Lookback  time.Duration  // of the first scheduled run ever
	// Overlap is how much further the rule looks back than it runs, for events
	// that come late: from less interval.
	Overlap time.Duration
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

// errNotNewTerms marks a rule of another type. In a folder it is passed over.
var errNotNewTerms = errors.New("not a new_terms rule")

// Builtin is "First Occurrence of Okta User Session Started via Proxy".
func Builtin() (Rule, error) { return parse("(built in)", builtin) }

// Load reads rule files and folders of them, in order. In a folder, and those
// below it, every *.toml counts that is not hidden, but rules of other types
// are passed over. Its error joins an *Error for each rule that cannot be used;
// the others are returned even then.
func Load(paths ...string) ([]Rule, error) {
	l := loader{seen: map[string]string{}}
	for _, path := range paths {
		before := len(l.rules) + len(l.problems)
		err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				l.problems = append(l.problems, &Error{file, err})
			case file == path && !d.IsDir():
				l.add(file, false)
			case strings.HasPrefix(d.Name(), ".") && file != path:
				// Kubernetes keeps the files of a mounted ConfigMap in hidden
				// folders, and links to them.
				if d.IsDir() {
					return filepath.SkipDir
				}
			case !d.IsDir() && strings.HasSuffix(file, ".toml"):
				l.add(file, true)
			}
			return nil
		})
		if err != nil {
			l.problems = append(l.problems, &Error{path, err})
		}
		if len(l.rules)+len(l.problems) == before {
			l.problems = append(l.problems, &Error{path, errors.New("this folder holds no new_terms rule (*.toml)")})
		}
	}
	return l.rules, errors.Join(l.problems...)
}

type loader struct {
	rules    []Rule
	problems []error
	seen     map[string]string // rule_id → path
}

func (l *loader) add(path string, inFolder bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		l.problems = append(l.problems, &Error{path, err})
		return
	}
	r, err := parse(path, string(text))
	if inFolder && errors.Is(err, errNotNewTerms) {
		return
	}
	if other, ok := l.seen[r.ID]; err == nil && ok {
		err = &Error{path, fmt.Errorf("it has the rule_id %s of %s", r.ID, other)}
	}
	if err != nil {
		l.problems = append(l.problems, err)
		return
	}
	l.seen[r.ID] = path
	l.rules = append(l.rules, r)
}

func parse(path, text string) (Rule, error) {
	var file struct{ Rule map[string]any }
	if _, err := toml.Decode(text, &file); err != nil {
		return Rule{}, &Error{path, err}
	}
	if file.Rule == nil {
		return Rule{}, &Error{path, errors.New("it has no [rule] table")}
	}
	rule, err := fromTable(file.Rule)
	if err != nil {
		return Rule{}, &Error{path, err}
	}
	return rule, nil
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
	if _, ok := table["risk_score"].(int64); !ok {
		t.problem("risk_score is missing")
	}
	if language := t.text("language"); language != "kuery" {
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
	return r, errors.Join(t.problems...)
}

// parameters is the rule as Kibana's API has it: new_terms is flat there, and
// absent settings have their defaults.
func parameters(table map[string]any, fields []string, history string) alerts.Rule {
	p := alerts.Rule{"from": "now-6m", "to": "now", "interval": "5m"}
	for name, value := range table {
		p[name] = value
	}
	delete(p, "new_terms")
	p["new_terms_fields"] = fields
	p["history_window_start"] = history
	return p
}
