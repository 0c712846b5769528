package job_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
)

// act does what the schedule has for this time. must is a run that is not
// skipped and does not fail.
func (s *scheduled) act(w *world, start, now time.Time, must bool) {
	what := s.random.IntN(10)
	if s.kind == edits && s.random.IntN(4) == 0 {
		s.excluding = !s.excluding
	}
	switch {
	case must || what < 4:
		s.mustRun(w, s.how(now))
	case what < 6 && s.kind == edits: // what a failed run has written is for no model to know
	case what < 6 && s.kind == clocks: // the server's clock is a year ahead, and then right again
		s.mustRun(w, s.how(now.AddDate(1, 0, 0)))
	case what < 6: // fails, or is told to stop, at a random request, before or after it arrived
		h := s.how(now)
		h.k, h.stops = 1+s.random.IntN(20), s.kind == deadlines
		if err := s.run(w, h); err != nil && !errors.Is(err, errBroken) && !errors.Is(err, job.ErrTerminated) {
			w.t.Errorf("timeline %d at %s: %v", s.id, now, err)
		}
	case what < 7 && s.kind != edits: // two at once
		var both sync.WaitGroup
		for range 2 {
			h := s.how(now)
			both.Go(func() { s.mustRun(w, h) })
		}
		both.Wait()
	case what < 8: // by hand
		from := start.Add(time.Duration(s.random.Int64N(int64(now.Sub(start))))).Truncate(time.Millisecond)
		to := from.Add(time.Millisecond + time.Duration(s.random.Int64N(int64(now.Sub(from))))).Truncate(time.Millisecond)
		h := s.how(now)
		h.manual = job.Window{From: from, To: to}
		s.mustRun(w, h)
	} // else it is skipped
}

// how a run is made.
type how struct {
	now    time.Time     // by the server's clock
	skew   time.Duration // how far the clock of the job is ahead of that
	manual job.Window
	k      int  // the request that breaks; 0 is none
	stops  bool // the run is told to stop there instead
}

// how is a scheduled run that nothing breaks. Its clock may be wrong.
func (s *scheduled) how(now time.Time) how {
	h := how{now: now}
	if s.kind == clocks {
		h.skew = time.Duration(s.random.IntN(48)-24) * time.Hour
	}
	return h
}

// mustRun runs the timeline's rule, as each of its tenants.
func (s *scheduled) mustRun(w *world, h how) {
	if err := s.run(w, h); err != nil {
		w.t.Errorf("timeline %d, %+v: %v", s.id, h, err)
	}
}

// run runs the timeline's rule, as each of its tenants.
func (s *scheduled) run(w *world, h how) error {
	tenantsAccounts := []string{""}
	if s.kind == tenants {
		tenantsAccounts = []string{"acc-1", "acc-2"}
	}
	var failures []error
	for _, account := range tenantsAccounts {
		failures = append(failures, s.runFor(w, h, account))
	}
	return errors.Join(failures...)
}

// runFor runs the rule for the tenant with an account, or if it is "" for all.
func (s *scheduled) runFor(w *world, h how, account string) error {
	ctx, stop := context.WithCancelCause(w.t.Context())
	defer stop(nil)
	transport := &breaking{next: w.Node, k: h.k, after: h.k%2 == 0, now: h.now}
	if h.stops {
		transport.stop = func() { stop(errors.New("its time is over")) }
	}
	client := elastic.NewClient(transport, elastic.Options{})
	r := timelineRule(w, s.id)
	r.Search.Indices, r.Search.PageSize, r.Lookback = []string{w.prefix + "events-*"}, 3+s.id%8, time.Hour
	if account != "" {
		r.Search.Filters = []query.Filter{{Query: map[string]any{"term": map[string]any{"cloud.account.id": account}}}}
	}
	if s.excluding {
		q, err := kql.Parse("vpn: true")
		if err != nil {
			return err
		}
		r.Search.Exclude = []kql.Query{q}
	}
	var found []map[string]any
	j := w.job(r, &found)
	j.Store, j.Timing = alerts.NewStore(client, w.alertsTarget(), w.runsTarget()), job.Timing{Overlap: overlap, MaxCatchup: 30 * 24 * time.Hour}
	j.Open = func(ctx context.Context, s query.Search) (*esquery.Source, error) {
		return esquery.Open(ctx, client, s)
	}
	j.ServerNow = func(ctx context.Context, s query.Search) (time.Time, error) {
		return inspect.ServerNow(ctx, client, s)
	}
	j.Rerun = func(w job.Window) string { return w.String() }
	j.Now = func() time.Time { return h.now.Add(h.skew) }
	var run runs.Run
	var err error
	if h.manual != (job.Window{}) {
		run, err = j.Run(ctx, uuid.NewString(), h.manual)
	} else {
		run, err = j.RunScheduled(ctx, uuid.NewString)
	}
	if s.kind == edits && err == nil {
		s.windows = append(s.windows, looked{job.Window{From: run.From, To: run.To}, s.excluding})
	}
	return err
}

// TestCatchUpEnds lets each run after an outage send so few requests that no run
// could take the whole outage at once.
func TestCatchUpEnds(t *testing.T) {
	w := newWorld(t)
	w.create("events-0", nil)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	s := &scheduled{kind: deadlines, random: rand.New(rand.NewPCG(1, 1))}
	const days = 4
	for hour := range days * 24 {
		e := event{at: start.Add(time.Duration(hour)*time.Hour + 30*time.Minute), matches: true, actors: []string{fmt.Sprint("actor-", hour)}, accounts: []string{"acc-1"}}
		e.document = map[string]any{"match": true, "okta.actor.id": e.actors[0], "cloud.account.id": "acc-1", "@timestamp": e.at.Format(millis)}
		s.events, s.visible = append(s.events, e), append(s.visible, e.at)
	}
	w.index(s.becameVisible(start.Add(-time.Hour), start.AddDate(0, 0, 30), "events-0")...)
	s.mustRun(w, how{now: start})
	now, runs := start.AddDate(0, 0, days), 0
	for {
		runs++
		// 22 requests: a day of 24 pairs, by pages of 3, takes more.
		err := s.run(w, how{now: now.Add(time.Duration(runs) * time.Minute), k: 22, stops: true})
		if err == nil {
			break
		}
		if !errors.Is(err, job.ErrTerminated) || runs > 200 {
			t.Fatalf("run %d: %v", runs, err)
		}
	}
	t.Logf("it took %d runs of at most 21 requests each", runs)
	s.compare(t, w.allAlerts()["timeline-0"])
}
