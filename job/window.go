package job

import (
	"iter"
	"math"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job/words"
)

// A Window is the time that a run answers for: From is inside, To is not. Both
// are UTC and whole milliseconds.
type Window struct{ From, To time.Time }

// String is [from, to) in RFC 3339.
func (w Window) String() string { return "[" + words.Stamp(w.From) + ", " + words.Stamp(w.To) + ")" }

func (w Window) timeRange() esquery.Range { return esquery.Range{From: w.From, To: w.To} }

// parts cuts the window into consecutive parts of at most a length.
func (w Window) parts(length time.Duration) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for w.From.Before(w.To) {
			part := w.first(length)
			if !yield(part) {
				return
			}
			w.From = part.To
		}
	}
}

// first is the beginning of the window, of at most a length.
func (w Window) first(length time.Duration) Window {
	if to := w.From.Add(length); to.Before(w.To) {
		w.To = to
	}
	return w
}

// CountParts is how many these are. Both ends may be further apart than a
// time.Duration is long.
func (w Window) CountParts(length time.Duration) int {
	seconds := float64(w.To.Unix()-w.From.Unix()) + float64(w.To.Nanosecond()-w.From.Nanosecond())/1e9
	return int(math.Ceil(seconds / length.Seconds()))
}

// Timing says how scheduled windows follow each other.
type Timing struct {
	// Overlap is how far a window reaches back into the one before it, for
	// events that became searchable after they were dated. A rule that looks back
	// further than it runs has an overlap of its own; the larger one counts.
	Overlap time.Duration
	// MaxCatchup is how much time that no run has looked at a window takes at the
	// most, unless the rule looks back further by itself.
	MaxCatchup time.Duration
}

const (
	// maxSlice is how much time a scheduled run takes at once. Each slice is
	// recorded as it succeeds, so that a catch-up ends whatever the deadline is.
	maxSlice = 24 * time.Hour
	// minSlice is how small slices become that did not end.
	minSlice = time.Second
)

// A plan is the time that a scheduled run has to look at, slice by slice.
type plan struct {
	Window Window // From is an overlap before what was reached
	Gap    Window // before it, that no run has looked at; zero if there is none
	// reached is up to where the runs before have looked.
	reached time.Time
	slice   time.Duration
}

// planWindow decides which window a scheduled run takes, from where the runs
// before it stand. The first run ever looks back by the rule's lookback. If it
// fails, the next begins where the first one began. Only time that no run has
// looked at can be a gap, and only after an outage is anything cut off: never of
// the overlap, nor of the first run's lookback.
func planWindow(now time.Time, last alerts.Checkpoint, lookback time.Duration, timing Timing) plan {
	now = now.UTC().Truncate(time.Millisecond)
	p := plan{Window: Window{now.Add(-lookback), now}, slice: maxSlice}
	looked, atLeast := p.Window.From, lookback // from here on no run has; and how far back this one does
	switch {
	case !last.SucceededTo.IsZero() && !last.SucceededTo.After(now):
		p.Window.From, p.reached, looked, atLeast = last.SucceededTo.Add(-timing.Overlap), last.SucceededTo, last.SucceededTo, timing.Overlap
	case !last.StartedFrom.IsZero() && last.StartedFrom.Before(now):
		p.Window.From, looked = last.StartedFrom, last.StartedFrom
	}
	if looked.Before(now.Add(-timing.MaxCatchup)) {
		earliest := now.Add(-max(timing.MaxCatchup, atLeast))
		if p.Window.From.Before(earliest) {
			p.Window.From = earliest
		}
		if looked.Before(earliest) {
			p.Gap = Window{looked, earliest}
		}
	}
	if p.reached.Before(p.Window.From) {
		p.reached = p.Window.From
	}
	if last.UnfinishedTo.After(p.reached) {
		from := p.reached
		if last.UnfinishedFrom.After(from) {
			from = last.UnfinishedFrom
		}
		p.slice = max(minSlice, min(maxSlice, last.UnfinishedTo.Sub(from)/2))
	}
	return p
}

// next is the slice to run now. It always reaches further than the one before,
// however small the slices are and however long the overlap is.
func (p plan) next() Window {
	w := Window{p.Window.From, p.reached.Add(p.slice)}
	if w.To.After(p.Window.To) {
		w.To = p.Window.To
	}
	return w
}

// after is the plan once a slice has succeeded; ok is false if it was the last.
func (p plan) after(slice Window, overlap time.Duration) (rest plan, ok bool) {
	p.reached = slice.To
	if from := slice.To.Add(-overlap); from.After(p.Window.From) {
		p.Window.From = from
	}
	p.slice = min(maxSlice, 2*p.slice)
	return p, slice.To.Before(p.Window.To)
}
