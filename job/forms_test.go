package job_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/job"
)

// TestEventsInEachFormAreAlerted runs over events that were sent in each form that
// Elasticsearch takes: each pair has its alert. Those that Elasticsearch cannot read
// itself are left out of theirs, with a warning.
func TestEventsInEachFormAreAlerted(t *testing.T) {
	w := newWorld(t)
	w.create("events", map[string]any{"dynamic": false, "properties": map[string]any{
		"time": map[string]any{"type": "date"}, "who": map[string]any{"type": "keyword"},
	}})
	unreadable := map[string]bool{}
	for n, f := range estest.Forms(nil) {
		id := fmt.Sprint(n)
		w.Send(t, w.prefix+"events", id, estest.InForm(f.Name, map[string]string{"time": "2026-03-10T12:00:00.000Z", "who": f.Name, "note": "of " + id}))
		unreadable[id] = f.Unreadable
	}
	w.Must(t, "POST", "/"+w.prefix+"events/_refresh", nil)
	r := w.rule(map[string]any{
		"query": "*", "timestamp_override": "time", "timestamp_override_fallback_disabled": true, "history_window_start": "now-7d", "new_terms_fields": []string{"who"},
	})
	r.Search.Wanted = alerts.EventFields()
	var found []map[string]any
	j := w.job(r, &found)
	warned := map[string]string{}
	j.Warn = func(err error) {
		if l, ok := err.(*job.LeftOut); ok {
			warned[l.Event] = err.Error()
		}
	}
	run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	if err != nil || len(found) != len(unreadable) || run.Counts.Written != int64(len(unreadable)) {
		t.Fatalf("%d alerts of %d events: %v", len(found), len(unreadable), err)
	}
	for _, alert := range found {
		id := alert["kibana.alert.ancestors"].([]any)[0].(map[string]any)["id"].(string)
		warning := warned[w.prefix+"events/"+id]
		if left := strings.Contains(warning, "is written without the event, because Elasticsearch cannot read its source"); left != unreadable[id] || left != (warning != "") {
			t.Errorf("%v: the warning is %q", alert["kibana.alert.new_terms"], warning)
		}
		if note := alert["note"]; unreadable[id] != (note == nil) || note != nil && note != "of "+id {
			t.Errorf("%v: the event's note is %v", alert["kibana.alert.new_terms"], note)
		}
	}
	t.Logf("%d alerts, %d without their events, with %d requests", len(found), len(warned), run.Requests)
	again, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	if err != nil || again.Counts.Written != 0 || again.Counts.AlreadyAlerted != run.Counts.Written {
		t.Errorf("again: %+v, %v", again.Counts, err)
	}
	tried := 0
	if _, err := j.Backtest(t.Context(), uuid.NewString(), noon(t), false, func(job.Tried) {}, func(alerts.Alert) error { tried++; return nil }); err != nil || tried != len(unreadable) {
		t.Errorf("a backtest has %d alerts, %v", tried, err)
	}
	e := job.Explainer{
		Rule: r, Store: w.store, Warn: func(error) {},
		Open: func(ctx context.Context, s esquery.Search) (*esquery.Source, error) {
			return esquery.Open(ctx, w.client, s)
		},
	}
	explained := 0
	_, err = e.Explain(t.Context(), esquery.Values{}, noon(t), func(x job.Explanation) error {
		explained++
		if event := x.Occurrences[0].Event; event.ID == "" || event.Missing != "" || x.Occurrences[0].Alert == nil {
			t.Errorf("%v: %+v", x.Terms, x.Occurrences[0])
		}
		return nil
	})
	if err != nil || explained != len(unreadable) {
		t.Errorf("%d were explained: %v", explained, err)
	}
}
