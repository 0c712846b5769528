package job_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job"
)

var soak = flag.Int("timelines", 300, "how many timelines the schedules are tried on")

const (
	history = 24 * time.Hour
	overlap = 2 * time.Minute
	step    = 8 * time.Hour // between the times at which a schedule may run
	steps   = 16
)

// A scheduled timeline is random events with the time they become searchable,
// and a random schedule: runs that are skipped or fail, that run twice at once,
// and reruns of random ranges.
type scheduled struct {
	id      int
	random  *rand.Rand
	late    bool // events become visible late, instead of lying around gaps of H
	events  []event
	visible []time.Time // of each event
}

func stepTime(start time.Time, s int) time.Time {
	jitter := time.Duration(s*s*7919%300_000) * time.Millisecond
	return start.Add(time.Duration(s)*step + jitter)
}

func newScheduled(seed uint64, id int, start time.Time) *scheduled {
	s := &scheduled{id: id, random: rand.New(rand.NewPCG(seed, uint64(id))), late: id%3 == 0}
	end := stepTime(start, steps-1)
	if !s.late {
		s.events = slices.DeleteFunc(timeline(s.random, start.Add(time.Minute), history), func(e event) bool {
			return !e.at.Before(end) || e.at.Before(start)
		})
		for _, e := range s.events {
			s.visible = append(s.visible, e.at)
		}
		return s
	}
	// Around some runs, days apart, and visible up to the overlap later: an
	// earlier event may turn up after a later one was alerted.
	for range 5 + s.random.IntN(25) {
		around := stepTime(start, 1+6*s.random.IntN(2))
		e := timeline(s.random, around.Add(time.Duration(s.random.IntN(100_000)-60_000)*time.Millisecond), 0)[0]
		s.events = append(s.events, e)
		s.visible = append(s.visible, e.at.Add(time.Duration(s.random.Int64N(int64(overlap-time.Second)))))
	}
	return s
}

// TestRandomSchedulesAgreeWithTheOracle drives jobs over timelines as a CronJob
// and its people would, with failures, and compares what was written in the end
// with the oracle's answer. It moves all timelines through time together.
func TestRandomSchedulesAgreeWithTheOracle(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test ./job -run %s -seed %d -timelines %d", t.Name(), *seed, *soak)
	w := newWorld(t)
	for i := range 3 {
		w.create(fmt.Sprint("events-", i), nil)
	}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all := make([]*scheduled, *soak)
	for i := range all {
		all[i] = newScheduled(*seed, i, start)
	}
	random := rand.New(rand.NewPCG(*seed, 1<<40))
	for s := range steps {
		now := stepTime(start, s)
		var documents []map[string]any
		for _, one := range all {
			documents = append(documents, one.becameVisible(stepTime(start, s-1), now, fmt.Sprint("events-", s*3/steps))...)
		}
		if len(documents) > 0 {
			w.index(documents...) // the last third in another index: the source has rolled over
		}
		_, missing := w.Request(t.Context(), "GET", "/"+w.alertsTarget(), nil)
		if random.IntN(3) == 0 && missing == nil {
			w.Must(w.t, "POST", "/"+w.alertsTarget()+"/_rollover", nil)
		}
		inParallel(all, func(one *scheduled) { one.act(w, start, now, s == 0 || s == steps-1) })
	}
	found := w.allAlerts()
	for _, one := range all {
		one.compare(t, found[fmt.Sprint("timeline-", one.id)])
	}
}

// inParallel does something with each timeline, a few at a time: most of a run
// is waiting for the server's disk.
func inParallel(all []*scheduled, do func(*scheduled)) {
	var workers sync.WaitGroup
	next := make(chan *scheduled)
	for range 6 {
		workers.Go(func() {
			for one := range next {
				do(one)
			}
		})
	}
	for _, one := range all {
		next <- one
	}
	close(next)
	workers.Wait()
}

func (s *scheduled) becameVisible(since, now time.Time, index string) []map[string]any {
	var documents []map[string]any
	for i, e := range s.events {
		if s.visible[i].After(since) && !s.visible[i].After(now) {
			d := cloneOf(e.document)
			d["_id"], d["_index"], d["timeline"] = fmt.Sprintf("%d-%d", s.id, i), index, fmt.Sprint(s.id)
			documents = append(documents, d)
		}
	}
	return documents
}

// act does what the schedule has for this time. must is a run that is not
// skipped and does not fail.
func (s *scheduled) act(w *world, start, now time.Time, must bool) {
	what := s.random.IntN(10)
	switch {
	case must || what < 4:
		if err := s.run(w, now, 0, job.Window{}); err != nil {
			w.t.Errorf("timeline %d at %s: %v", s.id, now, err)
		}
	case what < 6: // fails at a random request, before or after it arrived
		if err := s.run(w, now, 1+s.random.IntN(20), job.Window{}); err != nil && !errors.Is(err, errBroken) {
			w.t.Errorf("timeline %d at %s: %v", s.id, now, err)
		}
	case what < 7: // two at once
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := s.run(w, now, 0, job.Window{}); err != nil {
					w.t.Errorf("timeline %d at %s, two at once: %v", s.id, now, err)
				}
			})
		}
		both.Wait()
	case what < 8: // by hand
		from := start.Add(time.Duration(s.random.Int64N(int64(now.Sub(start))))).Truncate(time.Millisecond)
		to := from.Add(time.Millisecond + time.Duration(s.random.Int64N(int64(now.Sub(from))))).Truncate(time.Millisecond)
		if err := s.run(w, now, 0, job.Window{From: from, To: to}); err != nil {
			w.t.Errorf("timeline %d, [%s, %s): %v", s.id, from, to, err)
		}
	} // else it is skipped
}

// run runs the timeline's rule, scheduled or over a range, and breaks request k.
func (s *scheduled) run(w *world, now time.Time, k int, manual job.Window) error {
	transport := &breaking{next: w.Node, k: k, after: k%2 == 0, now: now}
	client := elastic.NewClient(transport, elastic.Options{})
	r := timelineRule(w, s.id)
	r.Search.Indices, r.Search.PageSize, r.Lookback = []string{w.prefix + "events-*"}, 3+s.id%8, time.Hour
	var found []map[string]any
	j := w.job(r, &found)
	j.Store, j.Timing = alerts.NewStore(client, w.alertsTarget(), w.runsTarget()), job.Timing{Overlap: overlap, MaxCatchup: 30 * 24 * time.Hour}
	j.Open = func(ctx context.Context, s esquery.Search) (job.Source, error) { return esquery.Open(ctx, client, s) }
	j.ServerNow = func(ctx context.Context, s esquery.Search) (time.Time, error) {
		return esquery.ServerNow(ctx, client, s)
	}
	j.Now = func() time.Time { return now }
	var err error
	if manual != (job.Window{}) {
		_, err = j.Run(w.t.Context(), uuid.NewString(), manual)
	} else {
		_, err = j.RunScheduled(w.t.Context(), uuid.NewString)
	}
	return err
}

// allAlerts returns the first-seen times of every alert, by rule and pair.
func (w *world) allAlerts() map[string]map[[2]string][]time.Time {
	w.t.Helper()
	found := w.Documents(w.t, w.alertsTarget(), map[string]any{
		"_source": []string{"kibana.alert.rule.rule_id", "kibana.alert.new_terms", "newterms.first_seen"},
	})
	if len(found) == 0 {
		w.t.Fatal("there are no alerts")
	}
	all := map[string]map[[2]string][]time.Time{}
	for _, alert := range found {
		rule, terms := alert["kibana.alert.rule.rule_id"].(string), alert["kibana.alert.new_terms"].([]any)
		if all[rule] == nil {
			all[rule] = map[[2]string][]time.Time{}
		}
		pair := [2]string{terms[0].(string), terms[1].(string)}
		all[rule][pair] = append(all[rule][pair], parseTime(w.t, alert["newterms.first_seen"].(string)))
	}
	return all
}

// compare holds the alerts against the oracle's first occurrences: the same, or
// with late events one for each, at most the overlap later.
func (s *scheduled) compare(t *testing.T, found map[[2]string][]time.Time) {
	tolerance := time.Duration(0)
	if s.late {
		tolerance = overlap
	}
	want := oracle(s.events, history)
	for pair, times := range found {
		slices.SortFunc(times, time.Time.Compare)
		if len(want[pair]) == 0 {
			t.Errorf("timeline %d: %v has alerts %v, and no first occurrence", s.id, pair, times)
		}
	}
	for pair, times := range want {
		slices.SortFunc(times, time.Time.Compare)
		same := slices.EqualFunc(found[pair], times, func(got, want time.Time) bool {
			return !got.Before(want) && got.Sub(want) <= tolerance
		})
		if !same {
			t.Errorf("timeline %d: %v has alerts %v, want %v", s.id, pair, found[pair], times)
		}
	}
}
