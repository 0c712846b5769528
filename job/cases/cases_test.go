package cases_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/scratch"
	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/rule"
)

// newRunner returns a Runner on the real server. The test fails if it leaves an index.
func newRunner(t *testing.T) (*cases.Runner, *estest.Node) {
	t.Helper()
	node := estest.ForTest(t)
	client := elastic.NewClient(node, elastic.Options{})
	space, _, err := scratch.Open(t.Context(), client, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := space.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &cases.Runner{
		Client: client, Space: space, Types: cases.IntegrationTypes(), Overlap: 2 * time.Minute, Now: time.Now,
		Zero: time.Now().UTC().Truncate(time.Minute),
	}, node
}

// load loads rules and their cases, as the command does.
func load(t *testing.T, paths ...string) []cases.Suite {
	t.Helper()
	rules, err := rule.Load(paths...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rules {
		if _, _, err := rules[i].Apply(rule.Settings{}, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	suites, without, err := cases.Suites(rules, paths)
	if err != nil || len(without) > 0 {
		t.Fatalf("%d rules have no cases: %v", len(without), err)
	}
	return suites
}

// write writes a rule of one field with its cases, and returns the path of the rule.
func write(t *testing.T, ofRule, text string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "r.toml")
	for name, content := range map[string]string{path: "[rule]\nname = \"R\"\nrule_id = \"r\"\ndescription = \"d\"\ntype = \"new_terms\"\nlanguage = \"kuery\"\n" +
		"index = [\"logs-*\"]\nseverity = \"low\"\nrisk_score = 1\nhistory_window_start = \"now-7d\"\nauthor = [\"a\"]\n" + ofRule, casefile.PathOf(path): text} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// hold reports the cases that do not hold, and rules with cases that notice less than
// nine in ten of the changes.
func hold(t *testing.T, r *cases.Runner, suites []cases.Suite) {
	t.Helper()
	outcomes, err := r.RunAll(t.Context(), suites, 4, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range outcomes {
		for _, o := range s.Cases {
			if !o.Holds() {
				t.Errorf("%s: %s: %+v %v", s.Rule.Name, o.Case.Name, o.Differences, o.Err)
			}
		}
		var unnoticed []string
		for _, m := range s.Mutations {
			if !m.Noticed {
				unnoticed = append(unnoticed, m.What)
			}
		}
		if len(s.Mutations) < 3 || 10*len(unnoticed) > len(s.Mutations) {
			t.Errorf("%s: of %d changes no case notices %s", s.Rule.Name, len(s.Mutations), strings.Join(unnoticed, "; "))
		}
	}
}

// TestBuiltin runs the cases of the built-in rule.
func TestBuiltin(t *testing.T) {
	r, _ := newRunner(t)
	hold(t, r, load(t))
}

// TestRules runs the cases of rules of many kinds.
func TestRules(t *testing.T) {
	r, _ := newRunner(t)
	suites := load(t, "testdata/rules")
	if len(suites) < 10 {
		t.Errorf("only %d rules", len(suites))
	}
	hold(t, r, suites)
}

const oneField = "query = 'event.kind: event'\nnew_terms_fields = [\"user.name\"]\nseverity_mapping = [{field = \"event.code\", operator = \"equals\", value = \"9\", severity = \"high\"}]\n"

// TestDifferences wants each difference with its reason.
func TestDifferences(t *testing.T) {
	r, _ := newRunner(t)
	path := write(t, oneField, `
[event]
event.kind = "event"
[[case]]
name = "known"
[[case.event]]
at = "-6d"
user.name = "ada"
[[case.event]]
at = "-1h"
user.name = "ada"
[[case.alert]]
terms = ["ada"]
[[case]]
name = "not matching"
[[case.event]]
at = "-1h"
user.name = "ada"
event.kind = "state"
[[case.alert]]
terms = ["ada"]
[[case]]
name = "not expected"
[[case.event]]
at = "-1h"
user.name = "ada"
[[case]]
name = "another time"
[[case.event]]
at = "-1h"
user.name = "ada"
[[case.alert]]
terms = ["ada"]
at = "-2h"
[[case]]
name = "another severity"
[[case.event]]
at = "-1h"
user.name = "ada"
event.code = "9"
[[case.alert]]
terms = ["ada"]
severity = "low"
risk_score = 2
[[case]]
name = "two alerts of a pair, one expected"
from = "-10d"
[[case.event]]
at = "-9d"
user.name = "ada"
[[case.event]]
at = "-1d"
user.name = "ada"
[[case.alert]]
terms = ["ada"]
[[case.alert]]
terms = ["ada"]
at = "-9d"
`)
	outcomes, err := r.RunAll(t.Context(), load(t, path), 2, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{{cases.Missing}, {cases.Missing}, {cases.Unexpected}, {cases.Missing, cases.Unexpected}, {cases.Other}, nil} {
		o := outcomes[0].Cases[i]
		var kinds []string
		for _, d := range o.Differences {
			kinds = append(kinds, d.Kind)
		}
		if o.Err != nil || !slices.Equal(kinds, want) {
			t.Errorf("%s: %v, want %v: %v", o.Case.Name, kinds, want, o.Err)
		}
	}
	if t.Failed() {
		return
	}
	of := func(i, n int) cases.Difference { return outcomes[0].Cases[i].Differences[n] }
	if p := of(0, 0).Pair; p == nil || p.Occurrences[0].FirstOccurrence || p.Occurrences[0].At.Sub(p.Occurrences[0].LastSeen) != 6*24*time.Hour-time.Hour {
		t.Errorf("known: %+v", p)
	}
	if n := of(1, 0).Nothing; n == nil || n.InRange != 1 || n.Conditions[0].Fail != 1 {
		t.Errorf("not matching: %+v", n)
	}
	if p := of(2, 0).Pair; p == nil || !p.Occurrences[0].FirstOccurrence {
		t.Errorf("not expected: %+v", p)
	}
	if got := of(4, 0).Values; !slices.Equal(got, []cases.Value{{Field: "severity", Want: "low", Got: "high"}, {Field: "risk_score", Want: "2", Got: "1"}}) {
		t.Errorf("values %v", got)
	}
}

// TestUnusable wants the line of a case that its rule does not allow.
func TestUnusable(t *testing.T) {
	r, _ := newRunner(t)
	const event = "[[case]]\nname = \"x\"\n[[case.event]]\nat = \"-1h\"\nuser.name = \"ada\"\n"
	for text, want := range map[string]string{
		event + "[[case.alert]]\nterms = [\"a\", \"b\"]\n":        "r.test.toml:6: terms has 2 values, and the rule has 1 new-terms field: write one value for each of user.name",
		event + "[[case.alert]]\nterms = { user.id = \"a\" }\n":   "r.test.toml:6: terms lack user.name",
		event + "[[case.alert]]\nterms = [\"a\"]\nat = \"-2d\"\n": "r.test.toml:6: no run covers -2d: the window is from -1d to 0s",
		event + "source.ip = \"nowhere\"\n":                       "r.test.toml:1: case \"x\": event 1 does not fit the mapping: document_parsing_exception",
	} {
		outcomes, err := r.RunAll(t.Context(), load(t, write(t, oneField, text)), 1, false)
		if err != nil {
			t.Fatal(err)
		}
		var of *casefile.Error
		if err := outcomes[0].Cases[0].Err; !errors.As(err, &of) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v", text, err)
		}
	}
}

// TestSuites wants a case of an unknown rule, one of several rules, and cases without a
// rule to be errors.
func TestSuites(t *testing.T) {
	const of = "[[case]]\nname = \"x\"\n%s[[case.event]]\nat = \"-1h\"\n"
	path := write(t, oneField, strings.ReplaceAll(of, "%s", "rule = \"other\"\n"))
	rules, err := rule.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := cases.Suites(rules, nil); err == nil || !strings.HasSuffix(err.Error(), `r.test.toml:1: there is no rule with the id or name "other"`) {
		t.Error(err)
	}
	second := rules[0]
	second.ID = "other"
	if _, _, err := cases.Suites(append(rules, second, second), nil); err == nil || !strings.HasSuffix(err.Error(), "the file has several rules: say with rule, an id, whose case it is") {
		t.Error(err)
	}
	lonely := filepath.Join(filepath.Dir(path), "lonely.test.toml")
	if err := os.WriteFile(lonely, []byte(of), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := cases.Suites(nil, []string{filepath.Dir(path)}); err == nil || !strings.Contains(err.Error(), "lonely.toml beside it") {
		t.Error(err)
	}
	if _, err := cases.RuleFiles([]string{lonely}); err == nil {
		t.Error("a case file without a rule is accepted")
	}
	if files, err := cases.RuleFiles([]string{casefile.PathOf(path), path}); err != nil || !slices.Equal(files, []string{path}) {
		t.Error(files, err)
	}
}

// TestMappingOf maps fields as existing indices do.
func TestMappingOf(t *testing.T) {
	r, node := newRunner(t)
	index := estest.Name("test-")
	node.CreateIndex(t, index, map[string]any{"mappings": map[string]any{"properties": map[string]any{
		"@timestamp": map[string]any{"type": "date"},
		"event":      map[string]any{"properties": map[string]any{"kind": map[string]any{"type": "keyword"}}},
		"user":       map[string]any{"properties": map[string]any{"name": map[string]any{"type": "ip"}}},
		"all":        map[string]any{"type": "flattened"},
		"text":       map[string]any{"type": "text", "fields": map[string]any{"keyword": map[string]any{"type": "keyword"}}},
	}}})
	path := write(t, strings.Replace(oneField, "event.kind: event", "all.a: x and text: big and text.keyword: Big*", 1), `
[[case]]
name = "the same address"
[[case.event]]
at = "-2d"
all.a = "x"
text = "Big apple"
user.name = "::ffff:10.0.0.1"
[[case.event]]
at = "-1h"
all.a = "x"
text = "Big apple"
user.name = "10.0.0.1"
other = "x"
`)
	suites := load(t, path)
	var err error
	if r.Types, err = cases.TypesLike(t.Context(), index, suites, func() (*elastic.Client, error) { return r.Client, nil }); err != nil {
		t.Fatal(err)
	}
	outcomes, err := r.RunAll(t.Context(), suites, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if o := outcomes[0].Cases[0]; !o.Holds() || !slices.Equal(o.Unknown, []string{"other"}) {
		t.Errorf("%+v %v %v", o.Differences, o.Err, o.Unknown)
	}
}

// TestStopped wants no outcome of cases that have not run, and no index.
func TestStopped(t *testing.T) {
	r, _ := newRunner(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if outcomes, err := r.RunAll(ctx, load(t), 2, false); outcomes != nil || err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Error(outcomes, err)
	}
}

// TestServerEnds wants one error if the server is gone, not one for each case.
func TestServerEnds(t *testing.T) {
	r, _ := newRunner(t)
	gone := &estest.Node{URL: "http://127.0.0.1:1"}
	all := load(t, "testdata/rules")
	r.Client = elastic.NewClient(gone, elastic.Options{})
	outcomes, err := r.RunAll(t.Context(), all, 2, false)
	var lost *elastic.NoAnswerError
	if outcomes != nil || !errors.As(err, &lost) {
		t.Errorf("%d outcomes: %v", len(outcomes), err)
	}
}
