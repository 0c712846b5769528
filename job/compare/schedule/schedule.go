// Package schedule says which times the runs of a Kibana rule searched.
package schedule

import (
	"cmp"
	"slices"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/esquery/kibana"
)

// Edge is how far the edges of a window may be from what the log says: a run decides its
// window some milliseconds after its logged start. What lies this near to an edge is
// covered perhaps.
const Edge = time.Second

// AtEdge is how near to the beginning of a window an event is at it, and not perhaps.
const AtEdge = 10 * time.Millisecond

// MaxCatchups is how many windows a late run of Kibana adds before its own.
const MaxCatchups = 4

// A Window is a time that a run of Kibana searches: (from, to].
type Window struct {
	From, To time.Time
	Run      *kibana.Execution
}

// surely and perhaps report whether the window has a time, without and with its edges.
func (w Window) surely(t time.Time) bool {
	return t.After(w.From.Add(Edge)) && !t.After(w.To.Add(-Edge))
}

func (w Window) perhaps(t time.Time) bool {
	return !t.Before(w.From.Add(-Edge)) && !t.After(w.To.Add(Edge))
}

func (w Window) String() string { return "(" + words.Stamp(w.From) + ", " + words.Stamp(w.To) + "]" }

// A Hole is a time between two runs of a rule, of which no window has a part.
type Hole struct {
	From, To     time.Time
	Before, Next *kibana.Execution // nil if the log has none
	// Reported is how much time the next run says that it did not search.
	Reported time.Duration
}

func (h Hole) has(t time.Time) bool { return t.After(h.From) && !t.After(h.To) }

// A Schedule is what Kibana's runs have searched.
type Schedule struct {
	Windows []Window // ordered by their ends
	widest  time.Duration
	holes   []Hole
	Gaps    []kibana.Gap // as the log has them
}

// New returns the windows of all executions. timing returns how far back the rule
// of an execution looks, and how often it runs.
func New(log kibana.Log, timing func(*kibana.Execution) (lookback, interval time.Duration)) Schedule {
	s := Schedule{Gaps: log.Gaps}
	previous := map[string]*kibana.Execution{}
	for i := range log.Executions {
		e := &log.Executions[i]
		lookback, interval := timing(e)
		if !e.To.IsZero() { // by hand: as the scheduled runs of that time would have searched
			s.Windows = append(s.Windows, Window{earlierOf(e.From, e.To.Add(-lookback)), e.To, e})
			continue
		}
		s.add(e, previous[e.Rule], lookback, interval)
		previous[e.Rule] = e
	}
	for _, last := range previous {
		s.holes = append(s.holes, Hole{From: last.Start, To: last.Start.AddDate(100, 0, 0), Before: last})
	}
	slices.SortStableFunc(s.Windows, func(a, b Window) int { return cmp.Or(a.To.Compare(b.To), a.From.Compare(b.From)) })
	for _, w := range s.Windows {
		s.widest = max(s.widest, w.To.Sub(w.From))
	}
	return s
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// add adds the windows of a scheduled execution. One that starts late adds windows before
// its own, each an interval earlier.
func (s *Schedule) add(e, before *kibana.Execution, lookback, interval time.Duration) {
	own := Window{e.Start.Add(-lookback), e.Start, e}
	s.Windows = append(s.Windows, own)
	if before == nil {
		h := Hole{To: own.From, Next: e}
		if e.Gap > 0 { // then it has made up for as much as it may
			s.catchUp(own, MaxCatchups, interval)
			missed := Hole{To: own.From.Add(-MaxCatchups * interval), Next: e, Reported: e.Gap}
			missed.From = missed.To.Add(-e.Gap)
			s.holes, h.To = append(s.holes, missed), missed.From
		}
		s.holes = append(s.holes, h)
		return
	}
	missing := own.From.Sub(before.Start)
	if missing <= 0 || interval <= 0 {
		return
	}
	catchups := min(MaxCatchups, (missing+interval-1)/interval)
	from := own.From.Add(-catchups * interval)
	h := Hole{From: before.Start, To: from, Before: before, Next: e, Reported: e.Gap}
	if h.To.After(h.From) && e.Gap == 0 && !slices.ContainsFunc(s.Gaps, func(g kibana.Gap) bool { return g.Rule == e.Rule && g.To.After(h.From) && g.From.Before(h.To) }) {
		// It does not miss the time: the rule was off, and began anew.
		h.To = own.From
		s.holes = append(s.holes, h)
		return
	}
	s.catchUp(own, catchups, interval)
	if h.To.After(h.From) {
		s.holes = append(s.holes, h)
	}
}

func (s *Schedule) catchUp(own Window, windows, interval time.Duration) {
	for n := time.Duration(1); n <= windows; n++ {
		s.Windows = append(s.Windows, Window{own.From.Add(-n * interval), own.To.Add(-n * interval), own.Run})
	}
}

// At lists the windows that have a time: surely, or if there is none, perhaps.
func (s Schedule) At(t time.Time) (covering []Window, sure bool) {
	first, _ := slices.BinarySearchFunc(s.Windows, t.Add(-Edge), func(w Window, t time.Time) int { return w.To.Compare(t) })
	var perhaps []Window
	for _, w := range s.Windows[first:] {
		if w.To.Add(-s.widest - Edge).After(t) {
			break
		}
		if w.surely(t) {
			covering = append(covering, w)
		} else if w.perhaps(t) {
			perhaps = append(perhaps, w)
		}
	}
	if len(covering) > 0 {
		return covering, true
	}
	return perhaps, false
}

// Of lists the windows of an execution that have a time, perhaps only at an edge.
func (s Schedule) Of(execution string, t time.Time) []Window {
	var found []Window
	for _, w := range s.Windows {
		if execution != "" && w.Run.ID == execution && w.perhaps(t) {
			found = append(found, w)
		}
	}
	return found
}

// HoleAt returns the hole that has a time, if there is one.
func (s Schedule) HoleAt(t time.Time) (Hole, bool) {
	i := slices.IndexFunc(s.holes, func(h Hole) bool { return h.has(t) })
	if i < 0 {
		return Hole{}, false
	}
	return s.holes[i], true
}
