package job_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"newterms/alerts/fields"
	"newterms/esquery/estest"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/backtest"
	"newterms/job/explain"
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
	r.Search.Wanted = fields.EventFields()
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
	b := backtest.Backtest{Rule: r, Open: j.Open, Store: w.store, Warn: func(error) {}, Progress: func(job.Progress) {}}
	report, err := b.Run(t.Context(), noon(t))
	if err != nil || report.FirstOccurrences != int64(len(unreadable)) || report.AlreadyAlerted != report.FirstOccurrences || report.Pairs.Distinct() != len(unreadable) {
		t.Errorf("a backtest has %+v, %v", report, err)
	}
	explained := 0
	to := answers{pair: func(x explain.Pair) error {
		explained++
		if event := x.Occurrences[0].Event; !strings.HasPrefix(event, w.prefix+"events/") || x.Occurrences[0].Alert == nil {
			t.Errorf("%v: %+v", x.Terms, x.Occurrences[0])
		}
		return nil
	}}
	_, err = w.explainer(r).Explain(t.Context(), query.Values{}, noon(t), &to)
	if err != nil || explained != len(unreadable) {
		t.Errorf("%d were explained: %v", explained, err)
	}
}
