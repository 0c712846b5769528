package compare_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"newterms/job/compare"
)

const (
	day = 24 * time.Hour
	// phase is the time between the moments at which events are indexed and our job
	// may run, and phases is how many of them there are: a day more than a fortnight.
	phase     = 12 * time.Hour
	phases    = 30
	fortnight = 14 * day
)

// A config is what the rule of a case is like.
type config struct {
	interval, lookback, history, overlap time.Duration

	override   bool // event.ingested dates an event, which then says nothing of its arrival
	esql       bool // Kibana's newer method: a failed shard fails the run
	single     bool // one new-terms field instead of two
	reversed   bool // Kibana's rule names the fields in the other order
	include    bool // for us an absent term is a term
	timed      bool // the query compares a field with now
	numeric    bool // the second field is a number
	bare       bool // the log has what all rules log, and nothing of what Security adds
	maxSignals int
	suppress   bool
	duration   time.Duration // of the suppression; 0 is within a run
	log        string        // "", late (its beginning is deleted) or none
}

// A sighting is an event of one pair, or of several by its arrays.
type sighting struct {
	id               string
	at, visible      time.Time // its primary timestamp, and when searches see it
	actors, accounts []string
	action           string
	network, ip      string
	created          time.Time // only with timed; zero is far in the future
	unstamped        bool      // without event.ingested, be it the override
	shard            int       // 1 is the one that fails in a partial search
}

// A pair is the terms that make a key; "\x00" is an absent one.
type pair [2]string

// A truth is a difference that there must be.
type truth struct {
	side    compare.Side
	pair    pair
	at      time.Time // of ours, or of Kibana's if only that has one
	kind    string    // of the pair, for messages
	classes []compare.Class
}

// A case is a fortnight of one rule: its events, the runs of both sides, and the
// differences that there must be in the end, each with its cause.
type fortnightCase struct {
	config
	id     int
	seed   uint64
	random *rand.Rand
	start  time.Time

	runs   []*execution // of Kibana, in their order
	spans  []span       // in which runs of Kibana are special
	ours   []ourRun
	events []*sighting
	items  []exceptionItem

	used   map[int]int // how many pairs begin in a run of Kibana
	pairs  map[pair]string
	truths []truth
	// settle is called once Kibana's alerts are known, for truths that depend on them.
	settle []func(alerts map[pair][]*kibanaAlert)

	alerts []*kibanaAlert
	// lost are documents that are taken away in the end.
	lostAlerts map[*kibanaAlert]bool
	lostOurs   []truth
	lostEvents []*sighting
	lostRuns   map[*execution]bool
	// logFrom is the beginning of the log, and logSince that of its first run; both are
	// zero if there is all of it.
	logFrom, logSince time.Time
}

func (f *fortnightCase) end() time.Time { return f.start.Add(fortnight) }

// between returns a random time of an open range, in whole milliseconds.
func (f *fortnightCase) between(from, to time.Time) time.Time {
	if room := to.Sub(from).Milliseconds() - 2; room > 0 {
		return from.Add(time.Duration(1+f.random.Int64N(room)) * time.Millisecond)
	}
	panic(fmt.Sprintf("fortnight %d: nothing lies between %s and %s", f.seed, from, to))
}

// share is a random part of a duration.
func (f *fortnightCase) share(d time.Duration, least, most float64) time.Duration {
	return time.Duration(float64(d) * (least + f.random.Float64()*(most-least))).Truncate(time.Millisecond)
}

func (f *fortnightCase) chance(n int) bool { return f.random.IntN(n) == 0 }

// newPair returns terms that nothing else has.
func (f *fortnightCase) newPair(kind string) pair {
	n := len(f.pairs)
	p := pair{fmt.Sprintf("00u%d", n), fmt.Sprintf("acc-%d", n%7)}
	switch f.random.IntN(12) {
	case 0:
		p[0] = fmt.Sprintf("Zoë \"%d\", <b>", n)
	case 1:
		p[0] = fmt.Sprintf("a|b,%d [\\]", n)
	}
	switch {
	case f.single:
		p[1] = ""
	case f.numeric:
		p[1] = fmt.Sprint(1_000_000 + n%7)
	}
	f.pairs[p] = kind
	return p
}

// see adds an event of a pair, which searches see some seconds later.
func (f *fortnightCase) see(p pair, at time.Time) *sighting {
	n := len(f.events)
	s := &sighting{
		id: fmt.Sprintf("f%d-%05d", f.id, n), at: at, visible: at.Add(time.Duration(1000+f.random.IntN(3000)) * time.Millisecond),
		actors: []string{p[0]}, accounts: []string{p[1]}, action: "signin", network: "Plover Net", ip: fmt.Sprintf("198.51.%d.%d", 100+n/250, n%250),
	}
	if p[1] == "\x00" {
		s.accounts = nil
	}
	if f.single {
		s.accounts = []string{fmt.Sprint("acc-", n%5)}
	}
	f.events = append(f.events, s)
	return s
}

// know makes a pair known from before the fortnight until a last sighting, for Kibana
// too, whose history is shorter by up to a window.
func (f *fortnightCase) know(p pair, last time.Time) []*sighting {
	var seen []*sighting
	for at := last; ; at = at.Add(-f.share(f.history-2*f.interval, 0.4, 0.95)) {
		seen = append(seen, f.see(p, at))
		if at.Before(f.start.Add(-day)) {
			return seen
		}
	}
}

// hidden reports whether a window has events that came late: whoever searches it
// later finds them.
func (f *fortnightCase) hidden(from, to time.Time) bool {
	return slices.ContainsFunc(f.events, func(s *sighting) bool {
		return s.visible.Sub(s.at) > 10*time.Second && s.at.After(from) && !s.at.After(to)
	})
}

// expect adds a difference that there must be. The first class is its cause; the
// others are what the documents that are left allow as well.
func (f *fortnightCase) expect(side compare.Side, p pair, at time.Time, classes ...compare.Class) {
	f.truths = append(f.truths, truth{side, p, at, f.pairs[p], classes})
}

// newFortnight makes a case.
func newFortnight(seed uint64, id int, start time.Time) *fortnightCase {
	f := &fortnightCase{
		id: id, seed: seed, random: rand.New(rand.NewPCG(seed, 27)), start: start, used: map[int]int{}, pairs: map[pair]string{},
		lostAlerts: map[*kibanaAlert]bool{}, lostRuns: map[*execution]bool{},
	}
	hours := func(of ...int) time.Duration { return time.Duration(of[f.random.IntN(len(of))]) * time.Hour }
	f.config = config{
		interval: hours(1, 2, 3), history: hours(24, 30, 48, 72), overlap: 2 * time.Minute,
		override: f.chance(2), esql: f.chance(3), single: f.chance(5), reversed: f.chance(5), maxSignals: 10 + f.random.IntN(6),
		suppress: f.chance(5), timed: f.chance(12), include: f.chance(6),
	}
	f.lookback = f.interval + time.Duration(5+f.random.IntN(25))*time.Minute
	if f.chance(2) {
		f.overlap = time.Duration(10+f.random.IntN(110)) * time.Minute
	}
	f.overlap = max(f.overlap, f.lookback-f.interval) // as a run has it
	f.include = f.include && !f.single
	f.reversed, f.numeric = f.reversed && !f.single, f.chance(6) && !f.single
	f.bare = f.chance(8)
	if f.suppress && f.chance(2) {
		f.duration = hours(5, 9)
	}
	switch f.random.IntN(16) {
	case 0:
		f.log = "late"
	case 1:
		f.log = "none"
	}
	f.planOurs()
	f.planKibana()
	f.populate()
	f.runKibana()
	f.lose()
	slices.SortStableFunc(f.events, func(a, b *sighting) int { return a.visible.Compare(b.visible) })
	return f
}
