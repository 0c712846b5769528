package check_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/job/check"
	"newterms/job/rule"
	"newterms/job/rule/ruletest"
)

// A place has targets that are set up, and an index.
type place struct {
	*estest.Node
	name   string // of the index
	client *elastic.Client
	store  *alerts.Store
	now    time.Time
}

func newPlace(t *testing.T, mappings map[string]any) *place {
	t.Helper()
	p := &place{Node: estest.ForTest(t), name: estest.Name("check"), now: time.Now().UTC()}
	p.client = elastic.NewClient(p.Node, elastic.Options{})
	p.store = alerts.NewStore(p.client, p.alerts(), p.runs())
	if _, err := p.store.Setup(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, path := range []string{"/_data_stream/." + p.name + "*", "/_index_template/." + p.name + "*"} {
			if _, err := p.Request(context.Background(), "DELETE", path, nil); err != nil {
				t.Log(err)
			}
		}
	})
	p.CreateIndex(t, p.name, map[string]any{"mappings": mappings, "settings": map[string]any{"number_of_replicas": 0}})
	return p
}

func (p *place) alerts() string { return "." + p.name + "-alerts" }
func (p *place) runs() string   { return "." + p.name + "-runs" }

// event is one some time ago, ingested a second later, with some fields besides.
func (p *place) event(ago time.Duration, more map[string]any) map[string]any {
	at := p.now.Add(-ago)
	e := map[string]any{
		"_index": p.name, "@timestamp": at.Format(time.RFC3339Nano), "event.ingested": at.Add(time.Second).Format(time.RFC3339Nano),
		"kind": "session", "user": "ada", "host": "h1",
	}
	for name, value := range more {
		if e[name] = value; value == nil {
			delete(e, name)
		}
	}
	return e
}

// check looks at a rule of the index, with some parameters besides.
func (p *place) check(t *testing.T, more map[string]any) []check.Finding {
	t.Helper()
	parameters := map[string]any{
		"index": []string{p.name}, "query": "kind: session", "new_terms_fields": []string{"user", "host"}, "history_window_start": "now-7d",
		"timestamp_override": "event.ingested",
	}
	maps.Copy(parameters, more)
	rules, err := rule.Load(ruletest.Write(t, parameters))
	if err != nil {
		t.Fatal(err)
	}
	return check.Check{
		Client: p.client, Store: p.store, AlertsTarget: p.alerts(), RunsTarget: p.runs(), KibanaAlerts: p.name + "-kibana-alerts*", KibanaEvents: p.name + "-kibana-log*", Rules: rules, Overlap: 2 * time.Minute, Version: "test", Now: func() time.Time { return p.now },
	}.Run(t.Context())
}

// problems are the kinds of what is wrong, with their levels, each once and sorted.
// That no run was recorded is so in all tests, and left out.
func problems(findings []check.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Level == check.OK {
			continue
		}
		what := f.Message
		if p, ok := f.Err.(*check.Problem); ok {
			what = strings.TrimSpace(string(p.Kind) + " " + p.Field)
		}
		if what != string(check.NoRun) {
			all = append(all, string(f.Level)+": "+what)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func mappings(without ...string) map[string]any {
	properties := map[string]any{
		"@timestamp": map[string]any{"type": "date"}, "event.ingested": map[string]any{"type": "date"},
		"kind": map[string]any{"type": "keyword"}, "user": map[string]any{"type": "keyword"}, "host": map[string]any{"type": "keyword", "ignore_above": 5},
	}
	for _, name := range without {
		delete(properties, name)
	}
	return map[string]any{"dynamic": false, "properties": properties}
}

// TestFindings looks at a source that is as it should be, and at others that each
// have something wrong: that is found, and nothing else.
func TestFindings(t *testing.T) {
	const day = 24 * time.Hour
	old, fresh := 8*day, time.Minute
	for _, c := range []struct {
		name     string
		mappings map[string]any
		events   func(p *place) []map[string]any
		rule     map[string]any
		want     []string
	}{
		{"as it should be", mappings(), nil, nil, nil},
		{"without events", mappings(), func(*place) []map[string]any { return nil }, nil, []string{"error: no events"}},
		{"old events", mappings(), func(p *place) []map[string]any {
			return []map[string]any{p.event(old, nil), p.event(2*day, nil)}
		}, nil, []string{"warning: stale events"}},
		{"late events", mappings(), func(p *place) []map[string]any {
			late := map[string]any{"@timestamp": p.now.Add(-3 * time.Hour).Format(time.RFC3339Nano)}
			return []map[string]any{p.event(old, nil), p.event(fresh, late), p.event(2*fresh, late), p.event(3*fresh, late)}
		}, nil, []string{"warning: late events"}},
		{"a source that is new", mappings(), func(p *place) []map[string]any { return []map[string]any{p.event(fresh, nil)} }, nil, []string{"warning: young source"}},
		{"nothing that matches", mappings(), nil, map[string]any{"query": "kind: logout"}, []string{"warning: nothing matches"}},
		{"a query of a field that is not mapped", mappings(), nil, map[string]any{"query": "kind: session and not kin: x"}, []string{"warning: field unmapped kin"}},
		{"a time that is not mapped", mappings("event.ingested"), nil, nil, []string{"warning: late events unknown", "warning: timestamp unmapped event.ingested"}},
		{"a term that is not mapped", mappings("host"), nil, nil, []string{"error: term unmapped host"}},
		{"a term that some lack", mappings(), func(p *place) []map[string]any {
			return []map[string]any{p.event(old, nil), p.event(fresh, nil), p.event(fresh, map[string]any{"host": nil})}
		}, nil, []string{"warning: term lacking host"}},
		{"a term that all lack", mappings(), func(p *place) []map[string]any {
			return []map[string]any{p.event(old, nil), p.event(fresh, map[string]any{"host": nil})}
		}, nil, []string{"error: term lacking host"}},
		{"a term that is too long", mappings(), func(p *place) []map[string]any {
			return []map[string]any{p.event(old, nil), p.event(fresh, nil), p.event(fresh, map[string]any{"host": "longer than five"})}
		}, nil, []string{"warning: term ignored host"}},
		{"events ahead of now", mappings(), func(p *place) []map[string]any {
			return []map[string]any{p.event(old, nil), p.event(fresh, nil), p.event(-time.Hour, nil)}
		}, nil, []string{"warning: events ahead"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, c.mappings)
			events := []map[string]any{p.event(old, nil), p.event(fresh, nil)}
			if c.events != nil {
				events = c.events(p)
			}
			if len(events) > 0 {
				p.Index(t, "", events...)
			}
			findings := p.check(t, c.rule)
			if got := problems(findings); !slices.Equal(got, c.want) {
				for _, f := range findings {
					t.Log(f.Level, f.Check, f.Message)
				}
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestIndexThatIsClosed is seen beside one that is open, and alone nothing can be
// searched.
func TestIndexThatIsClosed(t *testing.T) {
	p := newPlace(t, mappings())
	p.Index(t, "", p.event(8*24*time.Hour, nil), p.event(time.Minute, nil))
	closed := p.name + "-closed"
	p.CreateIndex(t, closed, map[string]any{"mappings": mappings()})
	p.Must(t, "POST", "/"+closed+"/_close", nil)
	if got := problems(p.check(t, map[string]any{"index": []string{p.name + "*"}})); !slices.Equal(got, []string{"warning: index unavailable"}) {
		t.Errorf("beside one that is open: %q", got)
	}
	got := problems(p.check(t, map[string]any{"index": []string{closed + "*"}}))
	if len(got) != 1 || !strings.HasPrefix(got[0], "error: ") || !strings.Contains(got[0], closed) {
		t.Errorf("alone: %q", got)
	}
}

// TestTargetsOfAnotherVersion were set up by another version of the program.
func TestTargetsOfAnotherVersion(t *testing.T) {
	p := newPlace(t, mappings())
	p.Index(t, "", p.event(8*24*time.Hour, nil), p.event(time.Minute, nil))
	if _, err := p.store.Setup(t.Context(), "0.9.0"); err != nil {
		t.Fatal(err)
	}
	found := p.check(t, nil)
	if got := problems(found); !slices.Equal(got, []string{"warning: other version"}) {
		t.Errorf("got %q", got)
	}
	want := p.alerts() + " was set up by newterms 0.9.0, and this is newterms test"
	if !slices.ContainsFunc(found, func(f check.Finding) bool { return f.Message == want }) {
		t.Errorf("got %+v, want %q", found, want)
	}
}

// TestEachKindHasAdvice reads the kinds from their declaration.
func TestEachKindHasAdvice(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(spec.Type) != "Kind" {
			return true
		}
		kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		if p := (&check.Problem{Kind: check.Kind(kind)}); p.Advice() == "" {
			t.Errorf("nothing is said to do about %q", kind)
		}
		return true
	})
	if kinds < 30 {
		t.Errorf("there are only %d kinds", kinds)
	}
}
