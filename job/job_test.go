package job_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts/runs"
	"newterms/job"
)

// proxySessions indexes an event for each of these actors at 12:00, and an
// older one of somebody else if there is to be a history.
func (w *world) proxySessions(history bool, actors ...string) {
	w.t.Helper()
	w.create("events", nil)
	var documents []map[string]any
	for i, actor := range actors {
		documents = append(documents, map[string]any{
			"_id": fmt.Sprint(i), "@timestamp": "2026-03-10T12:00:00.000Z", "okta.actor.id": actor, "cloud.account.id": "acc-1",
		})
	}
	if history {
		documents = append(documents, map[string]any{
			"_id": "old", "@timestamp": "2026-03-09T12:00:00.000Z", "okta.actor.id": "old", "cloud.account.id": "acc-1",
		})
	}
	w.index(documents...)
}

func pairRule() map[string]any {
	return map[string]any{
		"query": "*", "history_window_start": "now-7d", "new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
	}
}

// noon is a window around the events of proxySessions.
func noon(t *testing.T) job.Window {
	return job.Window{From: parseTime(t, "2026-03-10T11:30:00Z"), To: parseTime(t, "2026-03-10T12:30:00Z")}
}

// runDocuments returns the run documents, sorted by their state.
func (w *world) runDocuments() []map[string]any {
	w.t.Helper()
	documents := w.Documents(w.t, w.runsTarget(), map[string]any{"query": map[string]any{"exists": map[string]any{"field": "newterms.run.state"}}})
	slices.SortFunc(documents, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["newterms.run.state"]), fmt.Sprint(b["newterms.run.state"]))
	})
	return documents
}

func TestRunIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada", "basil")
	r := w.rule(pairRule())
	var found []map[string]any
	run, err := w.job(r, &found).Run(t.Context(), uuid.NewString(), noon(t))
	if err != nil {
		t.Fatal(err)
	}
	if run.Counts != (runs.Counts{Candidates: 2, New: 2, Written: 2}) {
		t.Errorf("got %+v", run)
	}
	runs := w.runDocuments()
	if len(runs) != 2 || runs[0]["newterms.run.state"] != "started" || runs[1]["newterms.run.state"] != "success" {
		t.Fatalf("got %v", runs)
	}
	if fmt.Sprint(runs[1]["newterms.written"]) != "2" || runs[1]["newterms.run.id"] != found[0]["newterms.run.id"] {
		t.Errorf("got %v", runs[1])
	}
}

func TestFailedRunIsRecordedWithItsError(t *testing.T) {
	w := newWorld(t)
	r := w.rule(pairRule()) // and no index
	var found []map[string]any
	_, err := w.job(r, &found).Run(t.Context(), uuid.NewString(), noon(t))
	if err == nil || !strings.Contains(err.Error(), "no index matches "+w.prefix+"events") {
		t.Fatalf("got %v", err)
	}
	runs := w.runDocuments()
	if len(runs) != 2 || runs[0]["newterms.run.state"] != "failure" || runs[0]["error.message"] != err.Error() {
		t.Errorf("got %v", runs)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada")
	r := w.rule(pairRule())
	var found []map[string]any
	j := w.job(r, &found)
	j.DryRun = true
	for range 2 {
		if run, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil || run.Counts.Written != 1 {
			t.Fatal(run, err)
		}
	}
	if len(found) != 2 || found[0]["_id"] != found[1]["_id"] {
		t.Errorf("got %v", found)
	}
	if _, err := w.Request(t.Context(), "GET", "/"+w.alertsTarget()+","+w.runsTarget(), nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a target exists: %v", err)
	}
}

func TestMaxAlertsWritesNothingOfThePart(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada", "basil", "camille")
	r := w.rule(pairRule())
	r.Search.PageSize = 1
	var found []map[string]any
	j := w.job(r, &found)
	j.MaxAlerts = 2
	_, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	var tooMany *job.MaxAlertsError
	if !errors.As(err, &tooMany) || tooMany.Max != 2 || len(found) != 0 {
		t.Errorf("got %d alerts, %v", len(found), err)
	}
	j.MaxAlerts = 3
	if run, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil || run.Counts.Written != 3 {
		t.Errorf("at the limit: got %+v, %v", run, err)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name    string
		history bool
		event   map[string]any
		want    string // "" is no warning
	}{
		{"a source with a history", true, nil, ""},
		{"a young source", false, nil, "the oldest matching event is from 2026-03-10T12:00:00.000Z"},
		{"events that lack a term", true, map[string]any{"okta.actor.id": "basil"}, "1 matching event is skipped, because a new-terms field has no indexed value (cloud.account.id: 1)"},
		{"a value that does not fit", true, map[string]any{"okta.actor.id": "aaron", "cloud.account.id": "acc-1", "host": "web-1"}, "is written without host (event "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.proxySessions(c.history, "ada")
			if c.event != nil {
				c.event["_id"], c.event["@timestamp"] = "x", "2026-03-10T12:01:00.000Z"
				w.index(c.event)
			}
			r := w.rule(pairRule())
			var found []map[string]any
			var got string
			j := w.job(r, &found)
			j.Warn = func(err error) { got += err.Error() + "\n" }
			if _, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
				t.Fatal(err)
			}
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestAlertTellsWhenThePairWasSeenBefore looks at a window that begins within H
// of the event before and at one that does not.
func TestAlertTellsWhenThePairWasSeenBefore(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	for i, at := range []string{"2026-03-01T12:00:00.000Z", "2026-03-08T18:00:00.000Z"} {
		w.index(map[string]any{"_id": fmt.Sprint(i), "@timestamp": at, "okta.actor.id": "ada", "cloud.account.id": "acc-1"})
	}
	for from, want := range map[string]struct{ lastSeen, reason string }{
		"2026-03-08T06:00:00Z": {"2026-03-01T12:00:00.000Z", "last seen 7 d 6 h before"},
		"2026-03-08T17:00:00Z": {"", "not seen in the 7 days before"},
	} {
		var found []map[string]any
		j := w.job(w.rule(pairRule()), &found)
		j.DryRun, j.Now = true, func() time.Time { return parseTime(t, "2026-03-08T18:01:30Z") }
		if _, err := j.Run(t.Context(), uuid.NewString(), job.Window{From: parseTime(t, from), To: parseTime(t, "2026-03-09T00:00:00Z")}); err != nil {
			t.Fatal(err)
		}
		if len(found) != 1 {
			t.Fatalf("%s: got %v", from, found)
		}
		lastSeen, _ := found[0]["newterms.last_seen"].(string)
		if reason := fmt.Sprint(found[0]["kibana.alert.reason"]); lastSeen != want.lastSeen || !strings.Contains(reason, want.reason+". ") {
			t.Errorf("%s: last seen %q, reason %q", from, lastSeen, reason)
		}
		if lag := fmt.Sprint(found[0]["newterms.lag_ms"]); lag != "90000" {
			t.Errorf("%s: the lag is %s", from, lag)
		}
	}
}

// TestAnyTime searches all that there is, from the zero time on, in few requests:
// most of its 100,000 parts have no events.
func TestAnyTime(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	for _, at := range []string{
		"0001-01-01T00:00:00.000Z", "0001-01-08T00:00:00.000Z", "0001-01-15T00:00:00.001Z", // H and 1 ms more than H later
		"1969-12-31T23:59:59.999Z", "2026-03-10T12:00:00.000Z", "2026-03-17T12:00:00.000Z", "9999-12-31T23:59:59.999Z",
	} {
		w.index(map[string]any{"@timestamp": at, "okta.actor.id": "ada", "cloud.account.id": "acc-1"})
	}
	var found []map[string]any
	before, _ := w.client.Usage()
	window := job.Window{To: parseTime(t, "2100-01-01T00:00:00Z")}
	run, err := w.job(w.rule(pairRule()), &found).Run(t.Context(), uuid.NewString(), window)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, alert := range found {
		seen = append(seen, fmt.Sprint(alert["newterms.first_seen"]))
	}
	slices.Sort(seen)
	want := []string{"0001-01-01T00:00:00.000Z", "0001-01-15T00:00:00.001Z", "1969-12-31T23:59:59.999Z", "2026-03-10T12:00:00.000Z"}
	if after, _ := w.client.Usage(); !slices.Equal(seen, want) || run.Counts.New != 4 || after-before > 60 {
		t.Errorf("got %v in %d requests, want %v", seen, after-before, want)
	}
}
