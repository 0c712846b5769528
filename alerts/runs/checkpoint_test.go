package runs_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/alerts/alertstest"
	"newterms/alerts/runs"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

var firstSeen = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func TestCheckpoint(t *testing.T) {
	node := estest.ForTest(t)
	target := estest.Name(".test-")
	s := alerts.NewStore(elastic.NewClient(clocked{node, firstSeen.Add(20 * time.Hour)}, elastic.Options{}), target, target+"-runs")
	at := func(hours int) time.Time { return firstSeen.Add(time.Duration(hours) * time.Hour) }
	now := at(20)
	check := func(when string, want runs.Checkpoint) {
		t.Helper()
		if got, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r1", Scope: "mine"}); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", when, got, err, want)
		}
	}
	check("before the target exists", runs.Checkpoint{})
	alertstest.SetUp(t, s)
	scope := "mine"
	minutes := 0
	record := func(id, rule string, kind runs.Type, state runs.State, from, to time.Time) {
		t.Helper()
		minutes++ // documents follow each other
		run := runs.Run{Info: runs.Info{ID: id, Type: kind, Scope: scope, Search: "search of " + scope}, State: state, RuleID: rule, From: from, To: to, StartedAt: at(0)}
		run.StartedAt = run.StartedAt.Add(time.Duration(minutes) * time.Minute)
		if state == runs.Failed {
			run.Error, run.Terminated = "it failed", strings.HasPrefix(id, "terminated")
		}
		if err := s.RecordRun(t.Context(), run, run.StartedAt); err != nil {
			t.Fatal(err)
		}
	}
	const scheduled, manual = runs.Scheduled, runs.Manual
	record("a", "r2", scheduled, runs.Succeeded, at(0), at(9))
	check("with another rule's run", runs.Checkpoint{Now: now})
	record("b", "r1", manual, runs.Started, at(-9), at(8))
	record("b", "r1", manual, runs.Succeeded, at(-9), at(8))
	check("with a manual run", runs.Checkpoint{Now: now})
	record("c", "r1", scheduled, runs.Started, at(1), at(2))
	check("with a run that has not ended", runs.Checkpoint{Now: now, StartedFrom: at(1), UnfinishedFrom: at(1), UnfinishedTo: at(2)})
	record("c", "r1", scheduled, runs.Failed, at(1), at(2))
	check("with a failed run", runs.Checkpoint{Now: now, StartedFrom: at(1)})
	record("d", "r1", scheduled, runs.Started, at(1), at(3))
	record("terminated d", "r1", scheduled, runs.Failed, at(1), at(3))
	check("with one that was told to stop", runs.Checkpoint{Now: now, StartedFrom: at(1), UnfinishedFrom: at(1), UnfinishedTo: at(3)})
	record("e", "r1", scheduled, runs.Succeeded, at(1), at(4))
	record("f", "r1", scheduled, runs.Succeeded, at(2), at(3))
	record("g", "r1", scheduled, runs.Failed, at(4), at(9))
	check("with successful runs", runs.Checkpoint{Now: now, SucceededTo: at(4)})
	record("h", "r1", scheduled, runs.Succeeded, at(4), at(21))
	check("with a success in the future", runs.Checkpoint{Now: now, SucceededTo: at(4), FutureTo: at(21)})
	scope = "theirs"
	record("i", "r1", scheduled, runs.Started, at(5), at(6))
	check("with another search that has started", runs.Checkpoint{Now: now, SucceededTo: at(4), FutureTo: at(21)})
	record("i", "r1", scheduled, runs.Succeeded, at(5), at(6))
	check("with another search that succeeded since", runs.Checkpoint{Now: now, SucceededTo: at(4), FutureTo: at(21), Other: "search of theirs"})
	for scope, want := range map[string]runs.Checkpoint{
		"theirs":     {Now: now, SucceededTo: at(6), FutureTo: at(21)},
		"of an edit": {Now: now, StartedFrom: at(1), SucceededTo: at(6), FutureTo: at(21)},
	} {
		if got, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r1", Scope: scope}); err != nil || got != want {
			t.Errorf("scope %s: got %+v, %v, want %+v", scope, got, err, want)
		}
	}
	record("j", "r4", scheduled, runs.Succeeded, at(19), now)
	if got, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r4", Scope: scope}); err != nil || got != (runs.Checkpoint{Now: now, SucceededTo: now}) {
		t.Errorf("with a success up to this very millisecond: got %+v, %v", got, err)
	}
	all, err := s.Checkpoints(t.Context(), []runs.Series{{RuleID: "r2", Scope: "theirs"}, {RuleID: "r3", Scope: "x"}, {RuleID: "r1", Scope: "theirs"}})
	want := []runs.Checkpoint{
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

// tight is a server whose search.max_buckets allows no bucket beside the clock's.
type tight struct{ *estest.Node }

func (n tight) Perform(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(body, []byte(`"clock"`)) && bytes.Contains(body, []byte(`"groups"`)) {
			answer := `{"error":{"type":"too_many_buckets_exception","reason":"Trying to create too many buckets."},"status":400}`
			return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"X-Elastic-Product": {"Elasticsearch"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return n.Node.Perform(r)
}

// TestCheckpointWithoutBuckets requests the groups and the clock one after the other.
func TestCheckpointWithoutBuckets(t *testing.T) {
	node, target := estest.ForTest(t), estest.Name(".test-")
	s := alerts.NewStore(elastic.NewClient(tight{node}, elastic.Options{}), target, target+"-runs")
	alertstest.SetUp(t, s)
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	run := runs.Run{Info: runs.Info{ID: "a", Type: runs.Scheduled, Scope: "mine"}, State: runs.Succeeded, RuleID: "r1", From: at.Add(-time.Hour), To: at, StartedAt: at}
	if err := s.RecordRun(t.Context(), run, at); err != nil {
		t.Fatal(err)
	}
	got, err := s.Checkpoint(t.Context(), runs.Series{RuleID: "r1", Scope: "mine"})
	if want := (runs.Checkpoint{SucceededTo: at, Now: got.Now}); err != nil || got != want || got.Now.Before(at) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
