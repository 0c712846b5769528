package alerts_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/alertstest"
	"newterms/alerts/runs"
	"newterms/alerts/workflow"
)

var firstSeen = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func key(t *testing.T, actor string, at time.Time) alert.Key {
	t.Helper()
	k, err := alert.NewKey("r1", []string{"okta.actor.id"}, []any{actor}, at)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sampleRule() alert.Rule {
	return alert.Rule{"rule_id": "r1", "name": "Rule", "new_terms_fields": []string{"okta.actor.id"}, "severity": "low", "risk_score": 21}
}

func newAlert(t *testing.T, run, actor string, at time.Time) alert.Alert {
	t.Helper()
	maker, err := alert.NewMaker(sampleRule(), runs.Info{ID: run, Type: runs.Manual, Search: "search of " + run})
	if err != nil {
		t.Fatal(err)
	}
	return maker.Alert(alert.Finding{
		Key: key(t, actor, at), Terms: []any{actor}, Events: 1, From: at, To: at.Add(time.Hour),
		Event: alert.NewEvent(alert.SourceEvent{Index: "i", ID: "e", Source: []byte(`{"okta":{"actor":{"id":"` + actor + `"}},"event":{"kind":"event"}}`)}),
	}, at)
}

func write(t *testing.T, s *alerts.Store, all ...alert.Alert) (alerts.Result, error) {
	t.Helper()
	w := s.Writer()
	for _, a := range all {
		if result, err := w.Add(t.Context(), a); err != nil || len(result.Written) > 0 {
			t.Fatal("a bulk too early: ", result, err)
		}
	}
	return w.Flush(t.Context())
}

func TestWriteJudgesEachAlert(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	first, err := write(t, s, newAlert(t, "run-1", "ada", firstSeen))
	if err != nil || len(first.Written) != 1 {
		t.Fatal(first, err)
	}
	again, err := write(t, s, newAlert(t, "run-2", "ada", firstSeen), newAlert(t, "run-2", "basil", firstSeen))
	if err != nil || len(again.Written) != 1 || again.Existing != 1 || again.Written[0].Describe().ActorID != "basil" {
		t.Errorf("got %+v, %v", again, err)
	}
	// An attempt whose answer got lost wrote what the next one finds.
	if repeated, err := write(t, s, newAlert(t, "run-2", "ada", firstSeen), newAlert(t, "run-2", "basil", firstSeen)); err != nil ||
		len(repeated.Written) != 1 || repeated.Existing != 1 || repeated.Written[0].Describe().ActorID != "basil" {
		t.Errorf("the same batch again: got %+v, %v", repeated, err)
	}
	answer, err := node.Request(t.Context(), "POST", "/"+target+"/_search", map[string]any{
		"query": map[string]any{"term": map[string]any{"event.kind": "signal"}},
		"aggs": map[string]any{
			"actor": map[string]any{"terms": map[string]any{"field": "okta.actor.id"}},
			"pair":  map[string]any{"terms": map[string]any{"field": "newterms.pair"}},
			"kind":  map[string]any{"terms": map[string]any{"field": "event.kind"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var aggs struct {
		Aggregations map[string]struct {
			Buckets []struct {
				Key any `json:"key"`
			} `json:"buckets"`
		} `json:"aggregations"`
	}
	if err := json.Unmarshal(answer, &aggs); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"actor": 2, "pair": 2, "kind": 1} {
		if got := aggs.Aggregations[name].Buckets; len(got) != want {
			t.Errorf("%s: got %v, want %d buckets", name, got, want)
		}
	}
}

// TestAnotherDocumentInAnAlertsPlace is no alert: an alert that cannot be written
// because of it is neither there nor written.
func TestAnotherDocumentInAnAlertsPlace(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	a := newAlert(t, "run-1", "ada", firstSeen)
	node.Must(t, "PUT", "/"+target+"/_create/"+a.ID+"?refresh=true", map[string]any{"@timestamp": firstSeen, "kibana.alert.uuid": "another", "newterms.run.id": "run-1"})
	result, err := write(t, s, a)
	if err == nil || !strings.Contains(err.Error(), "another document has its place") || len(result.Written) > 0 || result.Existing > 0 {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestWriteWithoutSetupSaysWhatToDo(t *testing.T) {
	s, _, target := alertstest.NewStore(t)
	_, err := write(t, s, newAlert(t, "run-1", "ada", firstSeen))
	var rejected *alerts.RejectedError
	if !errors.As(err, &rejected) || rejected.Target != target || rejected.StatusCode() != 404 {
		t.Errorf("got %v", err)
	}
}

func TestAlreadyAlerted(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	const history = time.Hour
	lookup := alerts.Lookup{History: history, Search: "search of run-1", Fields: []string{"okta.actor.id"}}
	keys := []alert.Key{key(t, "ada", firstSeen), key(t, "basil", firstSeen)}
	alerted, err := s.AlreadyAlerted(t.Context(), keys, lookup)
	if err != nil || !slices.Equal(alerted, []bool{false, false}) {
		t.Errorf("before the first alert: got %v, %v", alerted, err)
	}
	alertstest.SetUp(t, s)
	if _, err := write(t, s, newAlert(t, "run-1", "ada", firstSeen)); err != nil {
		t.Fatal(err)
	}
	// An alert of version 0.1: its pair is without the fields, and it has no search.
	former := map[string]any{
		"@timestamp": "2026-03-10T12:00:00Z", "newterms.first_seen": "2026-03-10T12:00:00Z", "newterms.fields": []string{"okta.actor.id"},
	}
	sum := sha256.Sum256([]byte(`["r1",["camille"]]`))
	former["newterms.pair"] = hex.EncodeToString(sum[:])
	node.Must(t, "POST", "/"+target+"/_create/old?refresh=true", former)
	const ms = time.Millisecond
	for _, c := range []struct {
		actor  string
		offset time.Duration // of the candidate from the alert
		search string
		fields []string
		want   bool
	}{
		{"ada", 0, "search of run-1", nil, true}, {"ada", -history, "search of run-1", nil, true}, {"ada", -history - ms, "search of run-1", nil, false},
		{"ada", history, "search of run-1", nil, true}, {"ada", history + ms, "search of run-1", nil, false},
		// An alert of another search covers what comes before it, not what comes after.
		{"ada", 0, "another", nil, true}, {"ada", -history, "another", nil, true}, {"ada", ms, "another", nil, false}, {"ada", history, "another", nil, false},
		{"camille", 0, "another", nil, true}, {"camille", -history, "another", nil, true}, {"camille", ms, "another", nil, false},
		{"camille", 0, "another", []string{"user.name"}, false}, {"camille", ms, "", nil, false},
	} {
		lookup := alerts.Lookup{History: history, Search: c.search, Fields: lookup.Fields}
		if c.fields != nil {
			lookup.Fields = c.fields
		}
		// Alone, and beside keys that widen the range of time of the search.
		for _, beside := range [][]time.Duration{nil, {48 * time.Hour}, {-48 * time.Hour}} {
			keys, want := []alert.Key{key(t, c.actor, firstSeen.Add(c.offset))}, []bool{c.want}
			for _, offset := range beside {
				keys, want = append(keys, key(t, "basil", firstSeen.Add(offset))), append(want, false)
			}
			alerted, err := s.AlreadyAlerted(t.Context(), keys, lookup)
			if err != nil || !slices.Equal(alerted, want) {
				t.Errorf("%s, %s from the alert, by %q of %v, beside %v: got %v, %v, want %v", c.actor, c.offset, c.search, lookup.Fields, beside, alerted, err, want)
			}
		}
	}
}

func TestRecordRun(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	run := runs.Run{
		Info: runs.Info{ID: "run-1", Type: "scheduled"}, State: runs.Started, RuleID: "r1", RuleName: "Rule",
		From: firstSeen, To: firstSeen.Add(time.Hour), StartedAt: firstSeen,
	}
	ended := run
	ended.State, ended.Error, ended.Counts.Candidates, ended.Duration = runs.Failed, "it broke", 7, 1500*time.Millisecond
	for _, r := range []runs.Run{run, ended, ended} {
		if err := s.RecordRun(t.Context(), r, firstSeen); err != nil {
			t.Fatal(err)
		}
	}
	found := node.Documents(t, target+"-runs", map[string]any{"sort": "newterms.run.state"})
	if len(found) != 2 {
		t.Fatalf("got %v", found)
	}
	failure := found[0]
	got := fmt.Sprintf("%v %v %v %v %v", failure["newterms.run.state"], failure["error.message"],
		failure["newterms.candidates"], failure["newterms.duration_ms"], failure["newterms.window.to"])
	if want := "failure it broke 7 1500 2026-03-10T13:00:00.000Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMetadataStaysOut writes alerts of events that have a key of Elasticsearch's
// own: each is one alert, as the target's first answer says.
func TestMetadataStaysOut(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	names := []string{
		"_doc_count", "_id", "_index", "_routing", "_ignored", "_tier", "_size", "_source", "_field_names", "_seq_no", "_version", "_nested_path", "_feature", "_tsid", "_type",
		"_primary_term", "_ignored_source", "_index_mode", "_data_stream_timestamp", "_inference_fields", "_ts_routing_hash", "_doc_count.x",
	}
	maker, err := alert.NewMaker(sampleRule(), runs.Info{ID: "run-1", Type: runs.Manual})
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, name := range append(names, "_x", "doc_count") {
		for i, source := range []string{`{"%s":1000000,"tags":["a"]}`, "{\"%s\":[1000000],\n\"tags\":[\"a\"]}", `{"%s":{"x":1},"tags":["a"],"event":{"kind":"event"}}`} {
			actor := fmt.Sprint(name, i)
			a := maker.Alert(alert.Finding{
				Key: key(t, actor, firstSeen), Terms: []any{actor},
				Event: maker.Event(alert.SourceEvent{Index: "i", ID: "e", Source: []byte(fmt.Sprintf(source, name))}),
			}, firstSeen)
			want := []string{name}
			if name == "_x" || name == "doc_count" {
				want = nil
			}
			if !slices.Equal(a.LeftOut, want) {
				t.Errorf("%s: left out %q", source, a.LeftOut)
			}
			result, err := write(t, s, a)
			if err != nil || len(result.Written) != 1 || !slices.Equal(result.Written[0].LeftOut, want) {
				t.Errorf("%s: %+v, %v", fmt.Sprintf(source, name), result, err)
			}
			all++
		}
	}
	answer, err := node.Request(t.Context(), "POST", "/"+target+"/_search", map[string]any{
		"size": 0, "aggs": map[string]any{"tags": map[string]any{"terms": map[string]any{"field": "tags"}}},
	})
	if want := fmt.Sprintf(`"buckets":[{"key":"a","doc_count":%d}]`, all); err != nil || !strings.Contains(string(answer), want) {
		t.Errorf("got %s, %v, want %s", answer, err, want)
	}
}

// TestTightTargets has targets that allow fewer hits than are asked for.
func TestTightTargets(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	var all []alert.Alert
	for n := range 7 {
		all = append(all, newAlert(t, "run-1", "ada", firstSeen.Add(time.Duration(n)*time.Hour)))
		run := runs.Run{
			Info: runs.Info{ID: fmt.Sprint("run-", n), Type: runs.Manual}, RuleID: "r1", State: runs.Succeeded,
			From: firstSeen, To: firstSeen.Add(time.Hour), StartedAt: firstSeen.Add(time.Duration(n) * time.Minute),
		}
		if err := s.RecordRun(t.Context(), run, firstSeen); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := write(t, s, all...); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{target, target + "-runs"} {
		node.Must(t, "POST", "/"+name+"/_refresh", nil)
		node.Must(t, "PUT", "/"+name+"/_settings", map[string]any{"index.max_result_window": 3, "index.max_inner_result_window": 1})
	}
	found, err := s.StoredAlerts(t.Context(), []alert.Key{key(t, "ada", firstSeen)}, []string{"okta.actor.id"}, firstSeen, firstSeen.Add(5*time.Hour))
	if err != nil || len(found[0]) != 6 {
		t.Fatalf("got %d alerts, %v", len(found[0]), err)
	}
	for n, a := range found[0] {
		if a.ID != all[n].ID {
			t.Errorf("alert %d is %s, want %s", n, a.ID, all[n].ID)
		}
	}
	covering, err := s.CoveringRuns(t.Context(), "r1", firstSeen)
	if err != nil || len(covering) == 0 || covering[0].ID != "run-6" {
		t.Errorf("got %v, %v", covering, err)
	}
	if last, ok, err := s.LastRun(t.Context(), "r1"); err != nil || !ok || last.State != runs.Succeeded {
		t.Errorf("got %v, %v, %v", last, ok, err)
	}
	decided, err := s.Decide(t.Context(), []string{all[0].ID}, workflow.Decision{Status: workflow.Closed, At: firstSeen}, nil)
	if err != nil || decided.Changed != 1 {
		t.Errorf("got %v, %v", decided, err)
	}
}
