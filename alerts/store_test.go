package alerts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

var firstSeen = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// newStore returns a store with targets of its own on the real server.
func newStore(t *testing.T) (*alerts.Store, *estest.Node, string) {
	t.Helper()
	node := estest.ForTest(t)
	target := estest.Name(".test-")
	return alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs"), node, target
}

// setUp returns the states that Setup found.
func setUp(t *testing.T, s *alerts.Store) []alerts.TemplateState {
	t.Helper()
	installed, err := s.Setup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var states []alerts.TemplateState
	for _, i := range installed {
		states = append(states, i.Was)
	}
	return states
}

func key(t *testing.T, actor string, at time.Time) alerts.Key {
	t.Helper()
	k, err := alerts.NewKey("r1", []string{"okta.actor.id"}, []any{actor}, at)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sampleRule() alerts.Rule {
	return alerts.Rule{"rule_id": "r1", "name": "Rule", "new_terms_fields": []string{"okta.actor.id"}, "severity": "low", "risk_score": 21}
}

func alert(t *testing.T, run, actor string, at time.Time) alerts.Alert {
	t.Helper()
	maker, err := alerts.NewMaker(sampleRule(), alerts.RunInfo{ID: run, Type: alerts.RunManual, Search: "search of " + run})
	if err != nil {
		t.Fatal(err)
	}
	return maker.Alert(alerts.Finding{
		Key: key(t, actor, at), Terms: []any{actor}, Events: 1, From: at, To: at.Add(time.Hour),
		Event: alerts.NewEvent(alerts.SourceEvent{Index: "i", ID: "e", Source: []byte(`{"okta":{"actor":{"id":"` + actor + `"}},"event":{"kind":"event"}}`)}),
	}, at)
}

func write(t *testing.T, s *alerts.Store, all ...alerts.Alert) (alerts.Result, error) {
	t.Helper()
	w := s.Writer()
	for _, a := range all {
		if result, err := w.Add(t.Context(), a); err != nil || len(result.Written) > 0 {
			t.Fatal("a bulk too early: ", result, err)
		}
	}
	return w.Flush(t.Context())
}

func TestSetupIsIdempotent(t *testing.T) {
	s, node, target := newStore(t)
	for _, want := range []alerts.TemplateState{alerts.TemplateMissing, alerts.TemplateCurrent} {
		if did := setUp(t, s); !slices.Equal(did, []alerts.TemplateState{want, want}) {
			t.Errorf("got %v, want %s", did, want)
		}
	}
	if _, err := write(t, s, alert(t, "run-1", "ada", firstSeen)); err != nil {
		t.Fatal(err)
	}
	if did := setUp(t, s); did[0] != alerts.TemplateCurrent {
		t.Errorf("with a data stream: got %v", did)
	}
	// An older version of the template is replaced.
	name := "/_index_template/" + target + "-index-template"
	body := map[string]any{"index_patterns": []string{target}, "priority": 500, "version": 0, "data_stream": map[string]any{"hidden": true}}
	if _, err := node.Request(t.Context(), "PUT", name, body); err != nil {
		t.Fatal(err)
	}
	if did := setUp(t, s); did[0] != alerts.TemplateOutdated {
		t.Errorf("with an old template: got %v", did)
	}
}

func TestWriteJudgesEachAlert(t *testing.T) {
	s, node, target := newStore(t)
	setUp(t, s)
	first, err := write(t, s, alert(t, "run-1", "ada", firstSeen))
	if err != nil || len(first.Written) != 1 {
		t.Fatal(first, err)
	}
	again, err := write(t, s, alert(t, "run-2", "ada", firstSeen), alert(t, "run-2", "basil", firstSeen))
	if err != nil || len(again.Written) != 1 || again.Existing != 1 || again.Written[0].Describe().ActorID != "basil" {
		t.Errorf("got %+v, %v", again, err)
	}
	// An attempt whose answer got lost wrote what the next one finds.
	if repeated, err := write(t, s, alert(t, "run-2", "ada", firstSeen), alert(t, "run-2", "basil", firstSeen)); err != nil ||
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
	s, node, target := newStore(t)
	setUp(t, s)
	a := alert(t, "run-1", "ada", firstSeen)
	node.Must(t, "PUT", "/"+target+"/_create/"+a.ID+"?refresh=true", map[string]any{"@timestamp": firstSeen, "kibana.alert.uuid": "another", "newterms.run.id": "run-1"})
	result, err := write(t, s, a)
	if err == nil || !strings.Contains(err.Error(), "another document has its place") || len(result.Written) > 0 || result.Existing > 0 {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestWriteWithoutSetupSaysWhatToDo(t *testing.T) {
	s, _, target := newStore(t)
	_, err := write(t, s, alert(t, "run-1", "ada", firstSeen))
	var rejected *alerts.RejectedError
	if !errors.As(err, &rejected) || rejected.Target != target || rejected.StatusCode() != 404 {
		t.Errorf("got %v", err)
	}
}

func TestAlreadyAlerted(t *testing.T) {
	s, node, target := newStore(t)
	const history = time.Hour
	lookup := alerts.Lookup{History: history, Search: "search of run-1", Fields: []string{"okta.actor.id"}}
	keys := []alerts.Key{key(t, "ada", firstSeen), key(t, "basil", firstSeen)}
	alerted, err := s.AlreadyAlerted(t.Context(), keys, lookup)
	if err != nil || !slices.Equal(alerted, []bool{false, false}) {
		t.Errorf("before the first alert: got %v, %v", alerted, err)
	}
	setUp(t, s)
	if _, err := write(t, s, alert(t, "run-1", "ada", firstSeen)); err != nil {
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
		// By another search an alert tells of what comes before it, not of what comes after.
		{"ada", 0, "another", nil, true}, {"ada", -history, "another", nil, true}, {"ada", ms, "another", nil, false}, {"ada", history, "another", nil, false},
		{"camille", 0, "another", nil, true}, {"camille", -history, "another", nil, true}, {"camille", ms, "another", nil, false},
		{"camille", 0, "another", []string{"user.name"}, false}, {"camille", ms, "", nil, false},
	} {
		lookup := alerts.Lookup{History: history, Search: c.search, Fields: lookup.Fields}
		if c.fields != nil {
			lookup.Fields = c.fields
		}
		// Alone, and beside keys that widen the range of time that is asked for.
		for _, beside := range [][]time.Duration{nil, {48 * time.Hour}, {-48 * time.Hour}} {
			keys, want := []alerts.Key{key(t, c.actor, firstSeen.Add(c.offset))}, []bool{c.want}
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
	s, node, target := newStore(t)
	setUp(t, s)
	run := alerts.Run{
		RunInfo: alerts.RunInfo{ID: "run-1", Type: "scheduled"}, State: alerts.RunStarted, RuleID: "r1", RuleName: "Rule",
		From: firstSeen, To: firstSeen.Add(time.Hour), StartedAt: firstSeen,
	}
	ended := run
	ended.State, ended.Error, ended.Counts.Candidates, ended.Duration = alerts.RunFailed, "it broke", 7, 1500*time.Millisecond
	for _, r := range []alerts.Run{run, ended, ended} {
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

func TestCheckpoint(t *testing.T) {
	node := estest.ForTest(t)
	target := estest.Name(".test-")
	s := alerts.NewStore(elastic.NewClient(clocked{node, firstSeen.Add(20 * time.Hour)}, elastic.Options{}), target, target+"-runs")
	at := func(hours int) time.Time { return firstSeen.Add(time.Duration(hours) * time.Hour) }
	now := at(20)
	check := func(when string, want alerts.Checkpoint) {
		t.Helper()
		if got, err := s.Checkpoint(t.Context(), alerts.Followed{RuleID: "r1", Scope: "mine"}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", when, got, err, want)
		}
	}
	check("before the target exists", alerts.Checkpoint{})
	setUp(t, s)
	scope := "mine"
	minutes := 0
	record := func(id, rule string, kind alerts.RunType, state alerts.RunState, from, to time.Time) {
		t.Helper()
		minutes++ // documents follow each other
		run := alerts.Run{RunInfo: alerts.RunInfo{ID: id, Type: kind, Scope: scope, Search: "search of " + scope}, State: state, RuleID: rule, From: from, To: to, StartedAt: at(0)}
		run.StartedAt = run.StartedAt.Add(time.Duration(minutes) * time.Minute)
		if state == alerts.RunFailed {
			run.Error, run.Terminated = "it failed", strings.HasPrefix(id, "terminated")
		}
		if err := s.RecordRun(t.Context(), run, run.StartedAt); err != nil {
			t.Fatal(err)
		}
	}
	const scheduled, manual = alerts.RunScheduled, alerts.RunManual
	record("a", "r2", scheduled, alerts.RunSucceeded, at(0), at(9))
	check("with another rule's run", alerts.Checkpoint{Now: now})
	record("b", "r1", manual, alerts.RunStarted, at(-9), at(8))
	record("b", "r1", manual, alerts.RunSucceeded, at(-9), at(8))
	check("with a manual run", alerts.Checkpoint{Now: now})
	record("c", "r1", scheduled, alerts.RunStarted, at(1), at(2))
	check("with a run that has not ended", alerts.Checkpoint{Now: now, StartedFrom: at(1), UnfinishedFrom: at(1), UnfinishedTo: at(2)})
	record("c", "r1", scheduled, alerts.RunFailed, at(1), at(2))
	check("with a failed run", alerts.Checkpoint{Now: now, StartedFrom: at(1)})
	record("d", "r1", scheduled, alerts.RunStarted, at(1), at(3))
	record("terminated d", "r1", scheduled, alerts.RunFailed, at(1), at(3))
	check("with one that was told to stop", alerts.Checkpoint{Now: now, StartedFrom: at(1), UnfinishedFrom: at(1), UnfinishedTo: at(3)})
	record("e", "r1", scheduled, alerts.RunSucceeded, at(1), at(4))
	record("f", "r1", scheduled, alerts.RunSucceeded, at(2), at(3))
	record("g", "r1", scheduled, alerts.RunFailed, at(4), at(9))
	check("with successful runs", alerts.Checkpoint{Now: now, SucceededTo: at(4)})
	record("h", "r1", scheduled, alerts.RunSucceeded, at(4), at(21))
	check("with a success in the future", alerts.Checkpoint{Now: now, SucceededTo: at(4), FutureTo: at(21)})
	scope = "theirs"
	record("i", "r1", scheduled, alerts.RunStarted, at(5), at(6))
	check("with another search that has started", alerts.Checkpoint{Now: now, SucceededTo: at(4), FutureTo: at(21)})
	record("i", "r1", scheduled, alerts.RunSucceeded, at(5), at(6))
	check("with another search that succeeded since", alerts.Checkpoint{Now: now, SucceededTo: at(4), FutureTo: at(21), Other: "search of theirs"})
	for scope, want := range map[string]alerts.Checkpoint{
		"theirs":     {Now: now, SucceededTo: at(6), FutureTo: at(21)},
		"of an edit": {Now: now, StartedFrom: at(1), SucceededTo: at(6), FutureTo: at(21)},
	} {
		if got, err := s.Checkpoint(t.Context(), alerts.Followed{RuleID: "r1", Scope: scope}); err != nil || got != want {
			t.Errorf("scope %s: got %+v, %v, want %+v", scope, got, err, want)
		}
	}
	record("j", "r4", scheduled, alerts.RunSucceeded, at(19), now)
	if got, err := s.Checkpoint(t.Context(), alerts.Followed{RuleID: "r4", Scope: scope}); err != nil || got != (alerts.Checkpoint{Now: now, SucceededTo: now}) {
		t.Errorf("with a success up to this very millisecond: got %+v, %v", got, err)
	}
	all, err := s.Checkpoints(t.Context(), []alerts.Followed{{RuleID: "r2", Scope: "theirs"}, {RuleID: "r3", Scope: "x"}, {RuleID: "r1", Scope: "theirs"}})
	want := []alerts.Checkpoint{
		{Now: now, SucceededTo: at(9)}, {Now: now}, {Now: now, SucceededTo: at(6), FutureTo: at(21)},
	}
	if err != nil || !slices.Equal(all, want) {
		t.Errorf("of several rules: got %+v, %v, want %+v", all, err, want)
	}
}

// clocked is a server with a clock of its own.
type clocked struct {
	*estest.Node
	now time.Time
}

func (c clocked) Perform(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = estest.At(body, c.now)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return c.Node.Perform(r)
}

// TestMetadataStaysOut writes alerts of events that have a key of Elasticsearch's
// own: each is one alert, as the target's first answer says.
func TestMetadataStaysOut(t *testing.T) {
	s, node, target := newStore(t)
	setUp(t, s)
	names := []string{
		"_doc_count", "_id", "_index", "_routing", "_ignored", "_tier", "_size", "_source", "_field_names", "_seq_no", "_version", "_nested_path", "_feature", "_tsid", "_type",
		"_primary_term", "_ignored_source", "_index_mode", "_data_stream_timestamp", "_inference_fields", "_ts_routing_hash", "_doc_count.x",
	}
	maker, err := alerts.NewMaker(sampleRule(), alerts.RunInfo{ID: "run-1", Type: alerts.RunManual})
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, name := range append(names, "_x", "doc_count") {
		for i, source := range []string{`{"%s":1000000,"tags":["a"]}`, "{\"%s\":[1000000],\n\"tags\":[\"a\"]}", `{"%s":{"x":1},"tags":["a"],"event":{"kind":"event"}}`} {
			actor := fmt.Sprint(name, i)
			a := maker.Alert(alerts.Finding{
				Key: key(t, actor, firstSeen), Terms: []any{actor},
				Event: maker.Event(alerts.SourceEvent{Index: "i", ID: "e", Source: []byte(fmt.Sprintf(source, name))}),
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
	s, node, target := newStore(t)
	setUp(t, s)
	var all []alerts.Alert
	for n := range 7 {
		all = append(all, alert(t, "run-1", "ada", firstSeen.Add(time.Duration(n)*time.Hour)))
		run := alerts.Run{
			RunInfo: alerts.RunInfo{ID: fmt.Sprint("run-", n), Type: alerts.RunManual}, RuleID: "r1", State: alerts.RunSucceeded,
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
	found, err := s.StoredAlerts(t.Context(), []alerts.Key{key(t, "ada", firstSeen)}, []string{"okta.actor.id"}, firstSeen, firstSeen.Add(5*time.Hour))
	if err != nil || len(found[0]) != 6 {
		t.Fatalf("got %d alerts, %v", len(found[0]), err)
	}
	for n, a := range found[0] {
		if a.ID != all[n].ID {
			t.Errorf("alert %d is %s, want %s", n, a.ID, all[n].ID)
		}
	}
	looks, err := s.CoveringRuns(t.Context(), "r1", firstSeen)
	if err != nil || len(looks) == 0 || looks[0].RunID != "run-6" {
		t.Errorf("got %v, %v", looks, err)
	}
	if last, ok, err := s.LastRun(t.Context(), "r1"); err != nil || !ok || last.State != alerts.RunSucceeded {
		t.Errorf("got %v, %v, %v", last, ok, err)
	}
	decided, err := s.Decide(t.Context(), []string{all[0].ID}, alerts.Decision{Status: alerts.Closed, At: firstSeen})
	if err != nil || decided.Changed != 1 {
		t.Errorf("got %v, %v", decided, err)
	}
}
