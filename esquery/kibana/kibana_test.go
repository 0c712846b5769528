package kibana_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/kibana"
	"newterms/esquery/query"
)

var (
	noon    = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	allTime = query.Range{From: noon.Add(-24 * time.Hour), To: noon.Add(24 * time.Hour)}
)

func at(minutes int) string {
	return noon.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
}

// read returns a reader of two indices with these documents, whose texts are keywords.
func read(t *testing.T, alerts, log []map[string]any) *kibana.Reader {
	t.Helper()
	node, name := estest.ForTest(t), estest.Name("kibana")
	for index, documents := range map[string][]map[string]any{name + "-alerts": alerts, name + "-log": log} {
		node.CreateIndex(t, index, map[string]any{"mappings": map[string]any{
			"properties":        map[string]any{"kibana.alert.rule.parameters": map[string]any{"type": "flattened"}, "kibana.alert.new_terms": map[string]any{"type": "keyword"}},
			"dynamic_templates": []map[string]any{{"texts": map[string]any{"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword"}}}},
		}})
		node.Index(t, index, documents...)
	}
	return kibana.NewReader(elastic.NewClient(node, elastic.Options{}), name+"-alerts*", name+"-log*")
}

// TestPages lists each document once, though more than a page have the same time.
func TestPages(t *testing.T) {
	var alerts, log []map[string]any
	for i := range 4_500 {
		minute := 0
		if i%3 == 0 {
			minute = i
		}
		alerts = append(alerts, map[string]any{
			"_id": fmt.Sprint("a", i), "kibana.alert.uuid": fmt.Sprint("a", i), "@timestamp": at(minute), "kibana.alert.original_time": at(0), "kibana.alert.rule.rule_id": "r1",
		})
		if i < 1_500 || i%3 == 0 { // the log says so if a whole page has one time
			log = append(log, map[string]any{"@timestamp": at(minute % 600), "event.action": "execute", "rule.id": "so-1", "kibana.alert.rule.execution.uuid": fmt.Sprint("e", i)})
		}
	}
	r := read(t, alerts, log)
	ids := map[string]int{}
	err := r.Alerts(t.Context(), "r1", "@timestamp", allTime, func(a kibana.Alert) error { ids[a.ID]++; return nil })
	if err != nil || len(ids) != len(alerts) {
		t.Errorf("%d of %d alerts, %v", len(ids), len(alerts), err)
	}
	for id, n := range ids {
		if n != 1 {
			t.Fatalf("%s comes %d times", id, n)
		}
	}
	got, err := r.Log(t.Context(), kibana.Named{IDs: []string{"so-1"}}, allTime)
	if err != nil || len(got.Executions) != len(log) {
		t.Errorf("%d of %d executions, %v", len(got.Executions), len(log), err)
	}
	stop := errors.New("stop")
	if err := r.Alerts(t.Context(), "r1", "@timestamp", allTime, func(kibana.Alert) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

// TestPageOfOneTime is an error: there is no telling which documents are missing.
func TestPageOfOneTime(t *testing.T) {
	var log []map[string]any
	for i := range 2_100 {
		log = append(log, map[string]any{"@timestamp": at(0), "event.action": "execute", "rule.id": "so-1", "kibana.alert.rule.execution.uuid": fmt.Sprint("e", i)})
	}
	if _, err := read(t, nil, log).Log(t.Context(), kibana.Named{IDs: []string{"so-1"}}, allTime); !errors.Is(err, elastic.ErrIncomplete) {
		t.Errorf("got %v", err)
	}
}

// TestAlert reads an alert of each form: with the timestamp that overrides and without,
// of one value or several, and of a rule that suppresses.
func TestAlert(t *testing.T) {
	common := map[string]any{"@timestamp": at(10), "kibana.alert.rule.rule_id": "r1", "kibana.alert.original_time": at(1)}
	with := func(id string, more map[string]any) map[string]any {
		a := map[string]any{"_id": id, "kibana.alert.uuid": id}
		for _, m := range []map[string]any{common, more} {
			for name, value := range m {
				a[name] = value
			}
		}
		return a
	}
	r := read(t, []map[string]any{
		with("a", map[string]any{
			"kibana.alert.original_event.ingested": []string{at(7), noon.Add(2*time.Minute + 1_999_999).Format(time.RFC3339Nano)}, "kibana.alert.new_terms": []any{"ada", 7},
			"kibana.alert.rule.parameters": map[string]any{"new_terms_fields": []string{"user", "port"}}, "kibana.alert.rule.revision": 3, "kibana.alert.rule.uuid": "so-1",
			"kibana.alert.severity": "low", "kibana.alert.rule.execution.uuid": "e1", "kibana.alert.rule.execution.type": "scheduled", "kibana.alert.intended_timestamp": at(9),
		}),
		with("b", map[string]any{
			"kibana.alert.new_terms": "bo", "kibana.alert.rule.execution.type": "manual", "kibana.alert.intended_timestamp": at(5),
			"kibana": map[string]any{"alert": map[string]any{"suppression": map[string]any{
				"docs_count": 2, "start": at(1), "end": at(3), "terms": []any{map[string]any{"field": "ip", "value": []any{"192.0.2.1"}}, map[string]any{"field": "host"}},
			}}},
		}),
		with("c", map[string]any{"kibana.alert.original_event.ingested": noon.Add(-25 * time.Hour).Format(time.RFC3339)}),
		with("e", map[string]any{"kibana.alert.original_time": noon.Add(-25 * time.Hour).Format(time.RFC3339)}),
		with("d", map[string]any{"kibana.alert.rule.rule_id": "r2"}),
		with("one of newterms", map[string]any{"newterms.first_seen": at(1)}),
	}, nil)
	want := map[string]kibana.Alert{
		"a": {
			ID: "a", Rule: "so-1", Revision: 3, Terms: []any{"ada", mustNumber("7")}, Fields: []string{"user", "port"}, At: noon.Add(2*time.Minute + time.Millisecond),
			Written: noon.Add(10 * time.Minute), Execution: "e1", Severity: "low",
		},
		"b": {
			ID: "b", Revision: -1, Terms: []any{"bo"}, At: noon.Add(time.Minute), Written: noon.Add(10 * time.Minute), Manual: true, Until: noon.Add(5 * time.Minute),
			Suppressed: &kibana.Suppression{Values: query.Values{"ip": {"192.0.2.1"}, "host": {nil}}, Start: noon.Add(time.Minute), End: noon.Add(3 * time.Minute), Events: 2},
		},
	}
	got := map[string]kibana.Alert{}
	err := r.Alerts(t.Context(), "r1", "event.ingested", allTime, func(a kibana.Alert) error { got[a.ID] = a; return nil })
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if got, err = r.ByID(t.Context(), "event.ingested", []string{"a", "b", "gone"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by id: got %+v, %v", got, err)
	}
}

func mustNumber(text string) any {
	n, err := elastic.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return n
}

// TestLog joins the documents of each execution, and takes the newest of each gap. Gaps and
// runs by hand count also after the range; other rules and actions do not.
func TestLog(t *testing.T) {
	document := func(minutes int, action, execution string, more map[string]any) map[string]any {
		d := map[string]any{"@timestamp": at(minutes), "event": map[string]any{"action": action}, "rule": map[string]any{"id": "so-1", "name": "Rule", "category": "siem.newTermsRule"}}
		if execution != "" {
			d["kibana.alert.rule.execution.uuid"] = execution
		}
		for name, value := range more {
			d[name] = value
		}
		return d
	}
	gap := func(status string, unfilled ...any) map[string]any {
		return map[string]any{"kibana.alert.rule.gap": map[string]any{"range": map[string]any{"gte": at(-30), "lte": at(-10)}, "status": status, "unfilled_intervals": unfilled, "reason": map[string]any{"type": "off"}}}
	}
	rest := map[string]any{"gte": at(-20), "lte": at(-10)}
	after := 2 * 24 * 60
	r := read(t, nil, []map[string]any{
		document(-5_000, "execute", "old", nil),
		document(1, "status-change", "e1", map[string]any{"kibana.alert.rule.execution.status": "running", "message": "begins"}),
		document(3, "status-change", "e1", map[string]any{"kibana.alert.rule.execution.status": "failed", "message": "a Shard failed", "kibana.alert.rule.revision": 4}),
		document(3, "execution-metrics", "e1", map[string]any{"kibana.alert.rule.execution.metrics.execution_gap_duration_s": 90}),
		document(4, "execute", "e1", map[string]any{"event.outcome": "failure", "error.message": "boom", "event.start": at(0)}),
		document(6, "execute-timeout", "e2", map[string]any{"event.start": at(5)}),
		document(after, "execute-backfill", "by-hand", map[string]any{
			"event.outcome": "success", "event.start": at(after - 1), "kibana.alert.rule.execution.backfill": map[string]any{"start": at(-60), "interval": "1h"},
		}),
		document(7, "gap", "", gap("unfilled")),
		document(after, "gap", "", gap("partially_filled", rest)),
		document(after, "execute", "too-late", nil),
		document(8, "active-instance", "e3", nil),
		document(8, "execute", "e4", map[string]any{"rule": map[string]any{"id": "so-2", "name": "Rule", "category": "siem.queryRule"}}),
	})
	minutes := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	want := kibana.Log{
		Since: minutes(-5_000),
		Executions: []kibana.Execution{
			{ID: "e1", Rule: "so-1", Start: minutes(0), Failed: true, Ended: true, Status: "failed", Messages: []string{"begins", "a Shard failed", "boom"}, Revision: 4, Gap: 90 * time.Second},
			{ID: "e2", Rule: "so-1", Start: minutes(5), TimedOut: true, Ended: true, Revision: -1},
			{ID: "by-hand", Rule: "so-1", Start: minutes(after - 1), Ended: true, Revision: -1, From: minutes(-60), To: minutes(0)},
		},
		Gaps: []kibana.Gap{{Rule: "so-1", From: minutes(-30), To: minutes(-10), Unfilled: []query.Range{{From: minutes(-20), To: minutes(-10)}}, Status: "partially_filled", Reason: "off"}},
	}
	for _, named := range []kibana.Named{{IDs: []string{"so-1"}}, {Name: "Rule"}} {
		got, err := r.Log(t.Context(), named, allTime)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: got %+v, %v\nwant %+v", named, got, err, want)
		}
	}
	e, g := want.Executions[0], want.Gaps[0]
	if !e.Says("shard") || e.Says("else") || g.Open(minutes(-25)) || !g.Open(minutes(-15)) || g.Open(minutes(-9)) || (kibana.Gap{From: minutes(-30), To: minutes(-10)}).Open(minutes(-9)) {
		t.Error("Says or Open is wrong")
	}
}

// TestEditions lists the revisions of each rule with a rule_id.
func TestEditions(t *testing.T) {
	alert := func(minutes int, rule string, revision int, query string) map[string]any {
		return map[string]any{
			"@timestamp": at(minutes), "kibana.alert.rule.rule_id": "r1", "kibana.alert.rule.uuid": rule, "kibana.alert.rule.revision": revision, "kibana.space_ids": []string{"soc"},
			"kibana.alert.rule.parameters": map[string]any{"query": query, "max_signals": 20}, "kibana.alert.rule.interval": "5m",
		}
	}
	ours := alert(9, "", 1, "e")
	ours["newterms.first_seen"] = at(9)
	r := read(t, []map[string]any{alert(1, "so-1", 1, "a"), alert(2, "so-1", 1, "b"), alert(9, "so-1", 2, "c"), alert(5, "so-2", 1, "d"), ours}, nil)
	got, err := r.Editions(t.Context(), "r1")
	var texts []string
	for _, e := range got {
		texts = append(texts, fmt.Sprint(e.Rule, " ", e.Revision, " ", e.Parameters["query"], " ", e.Space, " ", e.Interval, " ", e.Last.Sub(noon)))
	}
	want := []string{"so-1 2 c soc 5m 9m0s", "so-2 1 d soc 5m 5m0s", "so-1 1 b soc 5m 2m0s"}
	if err != nil || !slices.Equal(texts, want) {
		t.Errorf("got %q, %v, want %q", texts, err, want)
	}
}
