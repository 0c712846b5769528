package runs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/alerts/alertstest"
	"newterms/alerts/runs"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

var manyRuns = flag.Int("run-documents", 30_000, "how many run documents the target of TestManyRuns has")

// recording keeps the bodies of searches.
type recording struct {
	clocked
	bodies [][]byte
}

func (a *recording) Perform(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_search") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.bodies = append(a.bodies, estest.At(body, a.now))
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return a.clocked.Perform(r)
}

// read counts the documents that each search since the last call has read.
func (a *recording) read(t *testing.T, target string) []int {
	t.Helper()
	var counts []int
	for _, body := range a.bodies {
		var search struct{ Query json.RawMessage }
		if err := json.Unmarshal(body, &search); err != nil {
			t.Fatal(err)
		}
		var answer struct{ Count int }
		if err := json.Unmarshal(a.Must(t, "POST", "/"+target+"/_count", map[string]any{"query": search.Query}), &answer); err != nil {
			t.Fatal(err)
		}
		counts = append(counts, answer.Count)
	}
	a.bodies = nil
	return counts
}

// runsOf makes the documents of runs every 5 minutes, of the rules r0, r1 and so
// on, up to a time.
func runsOf(rules, documents int, until time.Time) func(yield func(map[string]any) bool) {
	return func(yield func(map[string]any) bool) {
		for n := range documents / 2 {
			rule, to := fmt.Sprint("r", n%rules), until.Add(-time.Duration(n/rules)*5*time.Minute)
			for _, state := range []runs.State{runs.Started, runs.Succeeded} {
				document := map[string]any{
					"@timestamp": to.Format(time.RFC3339), "kibana.alert.rule.rule_id": rule, "newterms.scope": "scope of " + rule, "newterms.search": "search of " + rule,
					"newterms.run.id": fmt.Sprint(n), "newterms.run.type": "scheduled", "newterms.run.state": state, "newterms.run.started": to.Format(time.RFC3339),
					"newterms.window.from": to.Add(-7 * time.Minute).Format(time.RFC3339), "newterms.window.to": to.Format(time.RFC3339), "newterms.format": 2,
				}
				if state == runs.Succeeded {
					document["newterms.duration_ms"] = 12
				}
				if !yield(document) {
					return
				}
			}
		}
	}
}

func load(t *testing.T, node *estest.Node, target string, documents func(func(map[string]any) bool)) {
	t.Helper()
	var bulk bytes.Buffer
	encoder := json.NewEncoder(&bulk)
	send := func() {
		node.Must(t, "POST", "/"+target+"/_bulk", bulk.Bytes())
		bulk.Reset()
	}
	for d := range documents {
		bulk.WriteString("{\"create\":{}}\n")
		if err := encoder.Encode(d); err != nil {
			t.Fatal(err)
		}
		if bulk.Len() > 2<<20 {
			send()
		}
	}
	send()
	node.Must(t, "POST", "/"+target+"/_refresh", nil)
}

// TestManyRuns asks for the checkpoints of many rules in a target that has kept
// their runs for long. What is read follows the rules, not the age of the target.
func TestManyRuns(t *testing.T) {
	const rules = 100
	now := firstSeen.Truncate(time.Minute)
	transport := &recording{clocked: clocked{estest.ForTest(t), now}}
	target := estest.Name(".test-")
	s := alerts.NewStore(elastic.NewClient(transport, elastic.Options{}), target, target+"-runs")
	alertstest.SetUp(t, s)
	last := now.Add(-4 * time.Minute)
	load(t, transport.Node, target+"-runs", runsOf(rules, *manyRuns, last))
	transport.bodies = nil
	series := make([]runs.Series, rules)
	ids := make([]string, rules)
	for i := range series {
		ids[i] = fmt.Sprint("r", i)
		series[i] = runs.Series{RuleID: ids[i], Scope: "scope of " + ids[i]}
	}
	check := func(what string, of []runs.Series, want runs.Checkpoint, most ...int) {
		t.Helper()
		start := time.Now()
		all, err := s.Checkpoints(t.Context(), of)
		took := time.Since(start)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for i, c := range all {
			if c != want {
				t.Fatalf("%s: rule %s: got %+v, want %+v", what, of[i].RuleID, c, want)
			}
		}
		read := transport.read(t, target+"-runs")
		t.Logf("%s: read %v of %d documents, in %s", what, read, *manyRuns, took)
		for i, n := range read {
			if len(read) > len(most) || n > most[i] {
				t.Errorf("%s: read %v documents, want at most %v", what, read, most)
			}
		}
	}
	perRule := *manyRuns / rules
	check("all rules", series, runs.Checkpoint{Now: now, SucceededTo: last}, rules*2*24)
	check("one rule", series[:1], runs.Checkpoint{Now: now, SucceededTo: last}, 2*24)
	edited := []runs.Series{{RuleID: "r7", Scope: "another"}}
	first := last.Add(-time.Duration((*manyRuns/2-1-7)/rules)*5*time.Minute - 7*time.Minute)
	check("a rule that was edited", edited, runs.Checkpoint{Now: now, SucceededTo: last, StartedFrom: first}, 2*24, perRule+2)
	check("a rule that has not run", []runs.Series{{RuleID: "new", Scope: "s"}}, runs.Checkpoint{Now: now}, 0, 0)
	start := time.Now()
	newest, err := s.LastRuns(t.Context(), ids)
	if err != nil || newest[3].Succeeded != last || newest[3].State != runs.Succeeded {
		t.Errorf("the last runs: got %+v, %v", newest, err)
	}
	t.Logf("the last runs: read %v documents, in %s", transport.read(t, target+"-runs"), time.Since(start))
}

// runDocument is one as somebody may have written it: what is given counts.
func runDocument(at time.Time, more map[string]any) map[string]any {
	document := map[string]any{
		"@timestamp": at.Format(time.RFC3339), "kibana.alert.rule.rule_id": "r1", "newterms.run.type": "scheduled", "newterms.run.state": "success",
		"newterms.run.id": at.String(), "newterms.run.started": at.Format(time.RFC3339),
		"newterms.window.from": at.Add(-time.Hour).Format(time.RFC3339), "newterms.window.to": at.Format(time.RFC3339),
	}
	maps.Copy(document, more)
	return document
}

// TestRunsOfEarlierBuilds reads documents that have a search and no scope, as
// builds before format 2 wrote them: none with the same search, without its
// exclusions or of the rule is left out.
func TestRunsOfEarlierBuilds(t *testing.T) {
	of := runs.Series{RuleID: "r1", Scope: "plain", Search: "excluding"}
	now := firstSeen
	ago := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	search := func(hash string) map[string]any { return map[string]any{"newterms.search": hash} }
	for name, c := range map[string]struct {
		documents []map[string]any
		want      runs.Checkpoint
	}{
		"the same search":         {[]map[string]any{runDocument(ago(9), search("excluding")), runDocument(ago(7), search("another"))}, runs.Checkpoint{SucceededTo: ago(9), Other: "another"}},
		"without its exclusions":  {[]map[string]any{runDocument(ago(9), search("another")), runDocument(ago(7), search("plain"))}, runs.Checkpoint{SucceededTo: ago(7)}},
		"and another since":       {[]map[string]any{runDocument(ago(9), search("plain")), runDocument(ago(7), search("another"))}, runs.Checkpoint{SucceededTo: ago(9), Other: "another"}},
		"of the rule":             {[]map[string]any{runDocument(ago(9), search("a")), runDocument(ago(7), search("b"))}, runs.Checkpoint{SucceededTo: ago(7)}},
		"of version 0.1":          {[]map[string]any{runDocument(ago(9), nil)}, runs.Checkpoint{SucceededTo: ago(9)}},
		"and of this one":         {[]map[string]any{runDocument(ago(9), map[string]any{"newterms.search": "x", "newterms.scope": "plain"}), runDocument(ago(7), search("b"))}, runs.Checkpoint{SucceededTo: ago(9), Other: "b"}},
		"none with another scope": {[]map[string]any{runDocument(ago(9), map[string]any{"newterms.search": "excluding", "newterms.scope": "other"}), runDocument(ago(8), search("excluding"))}, runs.Checkpoint{SucceededTo: ago(8)}},
	} {
		t.Run(name, func(t *testing.T) {
			target := estest.Name(".test-")
			node := clocked{estest.ForTest(t), now}
			s := alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs")
			alertstest.SetUp(t, s)
			for _, d := range c.documents {
				node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true", d)
			}
			c.want.Now = now
			if got, err := s.Checkpoint(t.Context(), of); err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
}

// TestOddRunDocuments has documents that no newterms writes. None keeps the rules
// from running.
func TestOddRunDocuments(t *testing.T) {
	now := firstSeen
	target := estest.Name(".test-")
	node := clocked{estest.ForTest(t), now}
	s := alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs")
	alertstest.SetUp(t, s)
	good := runDocument(now.Add(-time.Minute), map[string]any{"newterms.scope": "mine"})
	node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true", good)
	for _, odd := range []any{
		runDocument(now, map[string]any{"newterms.scope": "mine", "newterms.window.to": "soon", "newterms.window.from": 7, "newterms.run.started": "now"}),
		runDocument(now, map[string]any{"newterms.scope": []string{"mine", "theirs"}, "newterms.window.to": []any{}, "newterms.window.from": []any{}}),
		runDocument(now, map[string]any{"newterms.run.state": []string{"started", "success"}, "newterms.run.id": 12, "error.message": 7, "newterms.window.to": nil}),
		map[string]any{"@timestamp": 12, "newterms": map[string]any{"run": map[string]any{"type": "scheduled"}}, "kibana": map[string]any{"alert": map[string]any{"rule": map[string]any{"rule_id": "r1"}}}},
		[]byte(`{"@timestamp": "2026-03-10T11:59:59Z", /* by hand */ "newterms.run.type": "scheduled", "kibana.alert.rule.rule_id": "r1", "newterms.scope": "mine"}`),
	} {
		node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true", odd)
	}
	if c, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r1", Scope: "mine"}); err != nil || c.SucceededTo != now.Add(-time.Minute) {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestNewerData refuses to go on where a later program has written, however long
// ago and of whatever rule.
func TestNewerData(t *testing.T) {
	now := firstSeen
	target := estest.Name(".test-")
	node := clocked{estest.ForTest(t), now}
	s := alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs")
	if err := s.RefuseNewer(t.Context()); err != nil {
		t.Errorf("without a target: %v", err)
	}
	alertstest.SetUp(t, s)
	node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true", runDocument(now, map[string]any{"newterms.scope": "mine", "newterms.format": 2}))
	if err := s.RefuseNewer(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r1", Scope: "mine"}); err != nil {
		t.Error(err)
	}
	node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true",
		runDocument(now.AddDate(-1, 0, 0), map[string]any{"newterms.format": 3, "newterms.version": "v9.1.0", "kibana.alert.rule.rule_id": "r2"}))
	_, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r1", Scope: "mine"})
	for _, err := range []error{err, s.RefuseNewer(t.Context())} {
		var newer *runs.NewerDataError
		if !errors.As(err, &newer) || newer.Version != "v9.1.0" || newer.Target != target+"-runs" {
			t.Errorf("got %v", err)
		}
	}
}

// TestSearchChanges counts those from one scheduled run of the rule to the next,
// whether or not these ended, and no others.
func TestSearchChanges(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	if n, err := s.SearchChanges(t.Context(), runs.Series{RuleID: "r0", Scope: "scope of r0"}); n != 0 || err != nil {
		t.Errorf("without runs: got %d, %v", n, err)
	}
	number := 0
	load(t, node, target+"-runs", func(yield func(map[string]any) bool) {
		for document := range runsOf(2, 16, firstSeen) {
			switch number++; {
			case document["newterms.run.state"] == runs.Succeeded && document["kibana.alert.rule.rule_id"] == "r0":
				continue // they were killed
			case number == 5:
				document["newterms.search"] = "another search"
			case number == 9:
				document["newterms.search"], document["newterms.run.type"] = "that of a run by hand", "manual"
			case number == 13:
				document["newterms.search"], document["newterms.scope"] = "a third search", "another scope"
			}
			if !yield(document) {
				return
			}
		}
	})
	for rule, want := range map[string]int{"r0": 1, "r1": 0} {
		if n, err := s.SearchChanges(t.Context(), runs.Series{RuleID: rule, Scope: "scope of " + rule}); n != want || err != nil {
			t.Errorf("%s: got %d, %v, want %d", rule, n, err, want)
		}
	}
}

// TestNewestRun returns the run that started last, though an earlier one ended after
// that, and when a scheduled run was last successful, however long ago.
func TestNewestRun(t *testing.T) {
	now := firstSeen
	target := estest.Name(".test-")
	node := clocked{estest.ForTest(t), now}
	s := alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs")
	alertstest.SetUp(t, s)
	if last, ok, err := s.LastRun(t.Context(), "r1"); ok || err != nil {
		t.Errorf("without runs: got %+v, %v, %v", last, ok, err)
	}
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	for _, document := range []map[string]any{
		runDocument(ago(600), nil),
		runDocument(ago(700), nil),
		runDocument(ago(3), map[string]any{"newterms.run.started": ago(20).Format(time.RFC3339), "newterms.run.type": "manual"}),
		runDocument(ago(2), map[string]any{"newterms.run.started": ago(30).Format(time.RFC3339), "newterms.run.state": "failure", "error.message": "too slow"}),
		runDocument(ago(10), map[string]any{"newterms.run.state": "failure", "error.message": "no answer", "newterms.duration_ms": 5}),
		runDocument(ago(4), map[string]any{"kibana.alert.rule.rule_id": "r2"}),
	} {
		node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true", document)
	}
	failed := runs.StoredRun{ID: ago(10).String(), Type: runs.Scheduled, State: runs.Failed, At: ago(10), Started: ago(10), From: ago(70), To: ago(10), Error: "no answer"}
	want := runs.LastRun{StoredRun: failed, Scheduled: failed, Succeeded: ago(600)}
	if last, ok, err := s.LastRun(t.Context(), "r1"); !ok || err != nil || last != want {
		t.Errorf("got %+v, %v, %v, want %+v", last, ok, err, want)
	}
	node.Must(t, "POST", "/"+target+"-runs/_doc?refresh=true", runDocument(ago(1), map[string]any{"newterms.run.state": "started", "newterms.run.type": "manual"}))
	want.StoredRun = runs.StoredRun{ID: ago(1).String(), Type: runs.Manual, State: runs.Started, At: ago(1), Started: ago(1), From: ago(61), To: ago(1)}
	if last, ok, err := s.LastRun(t.Context(), "r1"); !ok || err != nil || last != want {
		t.Errorf("after a run by hand: got %+v, %v, %v, want %+v", last, ok, err, want)
	}
}
