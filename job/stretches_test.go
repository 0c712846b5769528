package job_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery/elastic"
	"newterms/job"
	"newterms/job/backtest"
)

// looking adds up how much of a window the questions for candidates look at.
type looking struct {
	next    esapi.Transport
	window  job.Window
	windows float64 // as a multiple of the window
	pages   int
}

func (l *looking) Perform(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
	if text := string(body); strings.Contains(text, `"composite"`) && strings.Contains(text, `"min":`) {
		var search struct {
			Query struct {
				Bool struct {
					Filter []struct {
						Range map[string]struct{ Gte, Lt int64 } `json:"range"`
					} `json:"filter"`
				} `json:"bool"`
			} `json:"query"`
		}
		if err := json.Unmarshal(body, &search); err != nil {
			return nil, err
		}
		for _, f := range search.Query.Bool.Filter {
			for _, r := range f.Range {
				l.windows += float64(r.Lt-r.Gte) / float64(l.window.To.Sub(l.window.From).Milliseconds())
				l.pages++
			}
		}
	}
	return l.next.Perform(r)
}

// TestStretches runs over pairs of 40 pages, twenty hours in which one hour has half of
// them. It finds what a run with one page finds, and does not look at the whole window
// for each page.
func TestStretches(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	to := noon(t).To
	window := job.Window{From: to.Add(-20 * time.Hour), To: to}
	var documents []map[string]any
	for i := range 200 {
		ago := time.Duration(i) * 6 * time.Minute
		if i%2 == 0 {
			ago = 10*time.Hour + time.Duration(i)*15*time.Second
		}
		for _, again := range []time.Duration{0, 3 * time.Hour} { // known by then
			if at := to.Add(-ago - time.Second + again); at.Before(to) {
				documents = append(documents, map[string]any{"@timestamp": at.Format(time.RFC3339), "user": fmt.Sprintf("u%03d", i), "host": "h"})
			}
		}
	}
	w.index(documents...)
	r := w.rule(map[string]any{"query": "*", "history_window_start": "now-7d", "new_terms_fields": []string{"user", "host"}})
	found := map[int][]string{}
	for _, size := range []int{5, 0} {
		r.Search.PageSize = size
		transport := &looking{next: w.Node, window: window}
		w.client = elastic.NewClient(transport, elastic.Options{})
		var alerted []map[string]any
		j := w.job(r, &alerted)
		j.DryRun, j.Store = true, alerts.NewStore(w.client, w.alertsTarget(), w.runsTarget())
		if _, err := j.Run(t.Context(), uuid.NewString(), window); err != nil {
			t.Fatal(err)
		}
		for _, a := range alerted {
			found[size] = append(found[size], fmt.Sprint(a["kibana.alert.new_terms"], a["newterms.first_seen"]))
		}
		slices.Sort(found[size])
		t.Logf("pages of %d: %d questions for candidates look at %.1f windows", size, transport.pages, transport.windows)
		if transport.windows > 8 || transport.pages == 0 {
			t.Errorf("pages of %d: %d questions look at %.1f windows", size, transport.pages, transport.windows)
		}
	}
	if len(found[0]) != 200 || !slices.Equal(found[5], found[0]) {
		t.Errorf("in stretches %d are found, and %d in one piece", len(found[5]), len(found[0]))
	}
	r.Search.PageSize = 5
	b := backtest.Backtest{Rule: r, Open: w.job(r, nil).Open, Store: w.store, Warn: func(error) {}, Progress: func(job.Progress) {}}
	if report, err := b.Run(t.Context(), window); err != nil || report.FirstOccurrences != 200 {
		t.Errorf("a backtest finds %+v, %v", report, err)
	}
}
