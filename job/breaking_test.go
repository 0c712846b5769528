package job_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/query"
	"newterms/job"
)

var errBroken = errors.New("broken on purpose")

// breaking lets requests pass until the k-th, and none after it, unless that is
// when the run is told to stop.
type breaking struct {
	next  esapi.Transport
	k     int
	sent  atomic.Int64
	after bool // the k-th still arrives
	stop  func()
	now   time.Time // by the server's clock
}

func (b *breaking) Perform(r *http.Request) (*http.Response, error) {
	n := int(b.sent.Add(1))
	if b.k == 0 || n < b.k {
		return b.patiently(r)
	}
	if b.stop != nil { // what records the end still passes
		if n == b.k {
			b.stop()
		}
		return b.patiently(r)
	}
	if n == b.k && b.after {
		res, err := b.patiently(r)
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(errBroken, res.Body.Close())
	}
	return nil, errBroken
}

// patiently asks again while the server is busy making a data stream that two
// runs were the first to write to.
func (b *breaking) patiently(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		body = estest.At(body, b.now)
	}
	for try := 0; ; try++ {
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res, err := b.next.Perform(again)
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || try == 1_000 {
			return res, err
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// besideBroken answers no search of the alerts target: it fails each, or with
// slowly waits until nobody wants the answer. With history it fails that of the
// events as well.
type besideBroken struct {
	next            esapi.Transport
	alerts          string
	slowly, history bool
	searches        atomic.Int64 // of events
}

func (b *besideBroken) Perform(r *http.Request) (*http.Response, error) {
	switch {
	case !strings.HasSuffix(r.URL.Path, "_search"):
	case strings.Contains(r.URL.Path, b.alerts) && b.slowly:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case strings.Contains(r.URL.Path, b.alerts), b.history && b.searches.Add(1) == 2:
		return nil, errBroken
	}
	return b.next.Perform(r)
}

// TestAlertsBesideHistory asks a broken alerts target: a run that finds nothing
// new does not need it, and one whose history fails does not wait for it.
func TestAlertsBesideHistory(t *testing.T) {
	for name, c := range map[string]struct {
		before, slowly, history bool // whether the pair was seen before
		want                    string
	}{
		"nothing new":            {true, false, false, ""},
		"nothing new, slowly":    {true, true, false, ""},
		"a new pair":             {false, false, false, "look for alerts that exist"},
		"no history":             {true, false, true, "ask history"},
		"no history, and slowly": {true, true, true, "ask history"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.create("events", map[string]any{"properties": map[string]any{"t": map[string]any{"type": "date"}, "who": map[string]any{"type": "keyword"}}})
			w.index(map[string]any{"t": "2026-03-10T12:00:00.000Z", "who": "ada"})
			if c.before {
				w.index(map[string]any{"t": "2026-03-09T12:00:00.000Z", "who": "ada"})
			}
			client := elastic.NewClient(&besideBroken{next: w.Node, alerts: w.alertsTarget(), slowly: c.slowly, history: c.history}, elastic.Options{})
			var found []map[string]any
			j := w.job(w.rule(map[string]any{
				"query": "*", "history_window_start": "now-7d", "new_terms_fields": []string{"who"}, "timestamp_override": "t", "timestamp_override_fallback_disabled": true,
			}), &found)
			j.DryRun, j.Store = true, alerts.NewStore(client, w.alertsTarget(), w.runsTarget())
			j.Open = func(ctx context.Context, s query.Search) (*esquery.Source, error) {
				return esquery.Open(ctx, client, s)
			}
			from := parseTime(t, "2026-03-10T11:00:00Z")
			_, err := j.Run(t.Context(), "run-1", job.Window{From: from, To: from.Add(2 * time.Hour)})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// stopping tells the run to stop when it asks for a page of candidates, the n-th.
type stopping struct {
	next  esapi.Transport
	n     int
	pages int
	stop  func()
}

func (s *stopping) Perform(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_search") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if bytes.Contains(body, []byte(`"min":`)) {
			if s.pages++; s.pages == s.n {
				s.stop()
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return s.next.Perform(r)
}

// TestWhatWasFoundIsWritten tells a run to stop when it asks for its third page:
// the alerts of the first are ready then, and do not wait for the next run.
func TestWhatWasFoundIsWritten(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada", "basil", "camille", "danilo", "elke")
	r := w.rule(pairRule())
	r.Search.PageSize = 2 // three pages
	ctx, stop := context.WithCancelCause(t.Context())
	client := elastic.NewClient(&stopping{next: w.Node, n: 3, stop: func() { stop(errors.New("its time is over")) }}, elastic.Options{})
	var found []map[string]any
	j := w.job(r, &found)
	j.Store = alerts.NewStore(client, w.alertsTarget(), w.runsTarget())
	j.Open = func(ctx context.Context, s query.Search) (*esquery.Source, error) {
		return esquery.Open(ctx, client, s)
	}
	run, err := j.Run(ctx, "run-1", noon(t))
	if !errors.Is(err, job.ErrTerminated) || run.Counts.Written < 1 || len(found) < 1 || found[0]["kibana.alert.new_terms"].([]any)[0] != "ada" {
		t.Errorf("%d written, %d printed, %v", run.Counts.Written, len(found), err)
	}
	if documents := w.Documents(t, w.alertsTarget(), nil); len(documents) != int(run.Counts.Written) {
		t.Errorf("there are %d alerts, and %d were told of", len(documents), run.Counts.Written)
	}
}
