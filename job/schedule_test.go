package job_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"newterms/job"
)

var soak = flag.Int("timelines", 24, "how many timelines the schedules are tried on; a quarter of them with -short")

const (
	history = 24 * time.Hour
	overlap = 2 * time.Minute
	step    = 8 * time.Hour // between the times at which a schedule may run
	steps   = 16
)

// The kinds of schedules: what may happen besides runs that are skipped, that
// run twice at once, and reruns of random ranges.
const (
	plain     = iota // runs fail at any request
	lateness         // and events become searchable late
	edits            // an exclusion comes and goes
	tenants          // two jobs run the same rule with other filters
	clocks           // our clock is wrong, and the server's was once
	deadlines        // runs are told to stop at any request
	kindsOfSchedule
)

// A scheduled timeline is random events with the time they become searchable,
// and a random schedule.
type scheduled struct {
	id, kind int
	random   *rand.Rand
	events   []event
	visible  []time.Time // of each event

	excluding bool     // with edits: whether the exclusion is there
	windows   []looked // with edits: what was looked at
}

// looked is a window that a run has looked at, and how.
type looked struct {
	job.Window
	excluding bool
}

func stepTime(start time.Time, s int) time.Time {
	jitter := time.Duration(s*s*7919%300_000) * time.Millisecond
	return start.Add(time.Duration(s)*step + jitter)
}

func newScheduled(seed uint64, id int, start time.Time) *scheduled {
	s := &scheduled{id: id, kind: id % kindsOfSchedule, random: rand.New(rand.NewPCG(seed, uint64(id)))}
	end := stepTime(start, steps-1)
	if s.kind != lateness {
		s.events = slices.DeleteFunc(timeline(s.random, start.Add(time.Minute), history), func(e event) bool {
			return !e.at.Before(end) || e.at.Before(start)
		})
		for i, e := range s.events {
			s.visible = append(s.visible, e.at)
			s.events[i].document = cloneOf(e.document)    // an event that comes twice has one
			if s.kind == tenants && len(e.accounts) > 1 { // so that each event is of one tenant
				s.events[i].accounts = e.accounts[:1]
				s.events[i].document["cloud.account.id"] = e.accounts[:1]
			}
			if s.kind == edits && s.random.IntN(3) == 0 {
				s.events[i].vpn = true
				s.events[i].document["vpn"] = true
			}
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
// and its people would, with all that happens to them, and compares what was
// written in the end with the oracle's answer. It moves all timelines through
// time together.
func TestRandomSchedulesAgreeWithTheOracle(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	timelines := shorter(*soak)
	t.Logf("go test ./job -run %s -seed %d -timelines %d", t.Name(), *seed, timelines)
	w := newWorld(t)
	for i := range 3 {
		w.create(fmt.Sprint("events-", i), nil)
	}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	all := make([]*scheduled, timelines)
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

// shorter is a quarter with -short.
func shorter(amount int) int {
	if testing.Short() {
		return amount / 4
	}
	return amount
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
	if s.kind == lateness {
		tolerance = overlap
	}
	want := oracle(s.events, history)
	if s.kind == edits {
		want = s.model()
	}
	for pair, times := range found {
		slices.SortFunc(times, time.Time.Compare)
		if len(want[pair]) == 0 {
			t.Errorf("timeline %d (kind %d): %v has alerts %v, and no first occurrence", s.id, s.kind, pair, times)
		}
	}
	for pair, times := range want {
		slices.SortFunc(times, time.Time.Compare)
		same := slices.EqualFunc(found[pair], times, func(got, want time.Time) bool {
			return !got.Before(want) && got.Sub(want) <= tolerance
		})
		if !same {
			t.Errorf("timeline %d (kind %d): %v has alerts %v, want %v", s.id, s.kind, pair, found[pair], times)
		}
	}
}

// model says which alerts there are after an exclusion came and went: in each
// window that was looked at, the first occurrences by the oracle's definition
// with the exclusion as it was then, but for those of which an alert tells: one
// at that time or in the history after it, or one in the history before it by
// the same search.
func (s *scheduled) model() map[[2]string][]time.Time {
	type alert struct {
		at        time.Time
		excluding bool
	}
	written := map[[2]string][]alert{}
	for _, w := range s.windows {
		events := slices.Clone(s.events)
		for i := range events {
			events[i].matches = events[i].matches && !(w.excluding && events[i].vpn)
		}
		for pair, times := range oracle(events, history) {
			slices.SortFunc(times, time.Time.Compare)
			for _, at := range times {
				told := slices.ContainsFunc(written[pair], func(a alert) bool {
					after := a.at.Sub(at)
					return after >= 0 && after <= history || after < 0 && -after <= history && a.excluding == w.excluding
				})
				if !at.Before(w.From) && at.Before(w.To) && !told {
					written[pair] = append(written[pair], alert{at, w.excluding})
				}
			}
		}
	}
	want := map[[2]string][]time.Time{}
	for pair, all := range written {
		for _, a := range all {
			want[pair] = append(want[pair], a.at)
		}
	}
	return want
}
