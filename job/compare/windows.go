package compare

import (
	"cmp"
	"slices"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/esquery/kibana"
)

// edge is how far the edges of a window may be from what the log says: a run decides its
// window some milliseconds after its logged start. What lies this near to an edge is
// covered perhaps.
const edge = time.Second

// atEdge is how near to the beginning of a window an event is at it, and not perhaps.
const atEdge = 10 * time.Millisecond

// maxCatchups is how many windows a late run of Kibana adds before its own.
const maxCatchups = 4

// A window is a time that a run of Kibana searches: (from, to].
type window struct {
	from, to time.Time
	run      *kibana.Execution
}

// surely and perhaps report whether the window has a time, without and with its edges.
func (w window) surely(t time.Time) bool {
	return t.After(w.from.Add(edge)) && !t.After(w.to.Add(-edge))
}

func (w window) perhaps(t time.Time) bool {
	return !t.Before(w.from.Add(-edge)) && !t.After(w.to.Add(edge))
}

func (w window) String() string { return "(" + words.Stamp(w.from) + ", " + words.Stamp(w.to) + "]" }

// A hole is a time between two runs of a rule, of which no window has a part.
type hole struct {
	from, to     time.Time
	before, next *kibana.Execution // nil if the log has none
	// reported is how much time the next run says that it did not search.
	reported time.Duration
}

func (h hole) has(t time.Time) bool { return t.After(h.from) && !t.After(h.to) }

// A schedule is what Kibana's runs have searched.
type schedule struct {
	windows []window // ordered by their ends
	widest  time.Duration
	holes   []hole
	gaps    []kibana.Gap
}

// newSchedule returns the windows of all executions. timing returns how far back the rule
// of an execution looks, and how often it runs.
func newSchedule(log kibana.Log, timing func(*kibana.Execution) (lookback, interval time.Duration)) schedule {
	s := schedule{gaps: log.Gaps}
	previous := map[string]*kibana.Execution{}
	for i := range log.Executions {
		e := &log.Executions[i]
		lookback, interval := timing(e)
		if !e.To.IsZero() { // by hand: as the scheduled runs of that time would have searched
			s.windows = append(s.windows, window{earlierOf(e.From, e.To.Add(-lookback)), e.To, e})
			continue
		}
		s.add(e, previous[e.Rule], lookback, interval)
		previous[e.Rule] = e
	}
	for _, last := range previous {
		s.holes = append(s.holes, hole{from: last.Start, to: last.Start.AddDate(100, 0, 0), before: last})
	}
	slices.SortStableFunc(s.windows, func(a, b window) int { return cmp.Or(a.to.Compare(b.to), a.from.Compare(b.from)) })
	for _, w := range s.windows {
		s.widest = max(s.widest, w.to.Sub(w.from))
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
func (s *schedule) add(e, before *kibana.Execution, lookback, interval time.Duration) {
	own := window{e.Start.Add(-lookback), e.Start, e}
	s.windows = append(s.windows, own)
	if before == nil {
		h := hole{to: own.from, next: e}
		if e.Gap > 0 { // then it has made up for as much as it may
			s.catchUp(own, maxCatchups, interval)
			missed := hole{to: own.from.Add(-maxCatchups * interval), next: e, reported: e.Gap}
			missed.from = missed.to.Add(-e.Gap)
			s.holes, h.to = append(s.holes, missed), missed.from
		}
		s.holes = append(s.holes, h)
		return
	}
	missing := own.from.Sub(before.Start)
	if missing <= 0 || interval <= 0 {
		return
	}
	catchups := min(maxCatchups, (missing+interval-1)/interval)
	from := own.from.Add(-catchups * interval)
	h := hole{from: before.Start, to: from, before: before, next: e, reported: e.Gap}
	if h.to.After(h.from) && e.Gap == 0 && !slices.ContainsFunc(s.gaps, func(g kibana.Gap) bool { return g.Rule == e.Rule && g.To.After(h.from) && g.From.Before(h.to) }) {
		// It does not miss the time: the rule was off, and began anew.
		h.to = own.from
		s.holes = append(s.holes, h)
		return
	}
	s.catchUp(own, catchups, interval)
	if h.to.After(h.from) {
		s.holes = append(s.holes, h)
	}
}

func (s *schedule) catchUp(own window, windows, interval time.Duration) {
	for n := time.Duration(1); n <= windows; n++ {
		s.windows = append(s.windows, window{own.from.Add(-n * interval), own.to.Add(-n * interval), own.run})
	}
}

// at lists the windows that have a time: surely, or if there is none, perhaps.
func (s schedule) at(t time.Time) (covering []window, sure bool) {
	first, _ := slices.BinarySearchFunc(s.windows, t.Add(-edge), func(w window, t time.Time) int { return w.to.Compare(t) })
	var perhaps []window
	for _, w := range s.windows[first:] {
		if w.to.Add(-s.widest - edge).After(t) {
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

// of lists the windows of an execution that have a time, perhaps only at an edge.
func (s schedule) of(execution string, t time.Time) []window {
	var found []window
	for _, w := range s.windows {
		if execution != "" && w.run.ID == execution && w.perhaps(t) {
			found = append(found, w)
		}
	}
	return found
}

func (s schedule) holeAt(t time.Time) (hole, bool) {
	i := slices.IndexFunc(s.holes, func(h hole) bool { return h.has(t) })
	if i < 0 {
		return hole{}, false
	}
	return s.holes[i], true
}
