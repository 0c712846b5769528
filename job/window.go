package job

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
	"newterms/job/datemath"
)

// A Window is a range of time: From is inside, To is not. Both are UTC in whole
// milliseconds.
type Window struct{ From, To time.Time }

// ParseWindow reads a window as people write its ends. Without to it ends now; without
// from it is an error. The error names the flags --from and --to.
func ParseWindow(from, to *string, now time.Time) (Window, error) {
	if from == nil {
		return Window{}, errors.New("--to needs --from: it ends a range that --from begins")
	}
	begin, err := datemath.Parse(*from, now)
	if err != nil {
		return Window{}, fmt.Errorf("--from: %w", err)
	}
	end := now.UTC()
	if to != nil {
		if end, err = datemath.Parse(*to, now); err != nil {
			return Window{}, fmt.Errorf("--to: %w", err)
		}
	}
	w := Window{From: begin.Truncate(time.Millisecond), To: end.Truncate(time.Millisecond)}
	if !w.From.Before(w.To) {
		err = fmt.Errorf("--from %s is not before --to %s", begin.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
	}
	return w, err
}

// String returns [from, to) in RFC 3339.
func (w Window) String() string { return "[" + words.Stamp(w.From) + ", " + words.Stamp(w.To) + ")" }

func (w Window) timeRange() query.Range { return query.Range{From: w.From, To: w.To} }

// Parts cuts the window into consecutive parts of at most a length.
func (w Window) Parts(length time.Duration) iter.Seq[Window] {
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

// first returns the beginning of the window, of at most a length.
func (w Window) first(length time.Duration) Window {
	if to := w.From.Add(length); to.Before(w.To) {
		w.To = to
	}
	return w
}

// CountParts returns the number of parts of at most a length. A window may be longer
// than a time.Duration.
func (w Window) CountParts(length time.Duration) int {
	seconds := float64(w.To.Unix()-w.From.Unix()) + float64(w.To.Nanosecond()-w.From.Nanosecond())/1e9
	return int(math.Ceil(seconds / length.Seconds()))
}

// Timing says how scheduled windows follow one another.
type Timing struct {
	// Overlap is how far a window reaches back into the one before, for events that
	// became searchable later than their time. A rule that looks back further than its
	// interval has an overlap of its own; the larger one counts.
	Overlap time.Duration
	// MaxCatchup limits how much time without a run a window covers, unless the rule
	// itself looks back further.
	MaxCatchup time.Duration
}

const (
	// maxSlice is the length of a scheduled run's longest slice. Each slice is recorded
	// when it succeeds, so that a catch-up makes progress whatever the deadline is.
	maxSlice = 24 * time.Hour
	// minSlice is the shortest slice that a run retries after slices that did not end.
	minSlice = time.Second
)

// A plan is the time that a scheduled run has to cover, slice by slice.
type plan struct {
	Window Window // begins an overlap before reached
	Gap    Window // the time before Window that no run covers; zero if there is none
	// reached is the end of what the runs before have covered.
	reached time.Time
	slice   time.Duration
}

// planWindow returns the window of a scheduled run, given where the runs before ended.
// A rule's first run looks back by the rule's lookback. If it fails, the next one
// begins at the same time. Only an outage makes a gap: neither the overlap nor the
// first run's lookback is ever cut.
func planWindow(now time.Time, last runs.Checkpoint, lookback time.Duration, timing Timing) plan {
	now = now.UTC().Truncate(time.Millisecond)
	p := plan{Window: Window{now.Add(-lookback), now}, slice: maxSlice}
	uncoveredFrom, minLookback := p.Window.From, lookback // no run covers the time from uncoveredFrom on
	switch {
	case !last.SucceededTo.IsZero() && !last.SucceededTo.After(now):
		p.Window.From, p.reached, uncoveredFrom, minLookback = last.SucceededTo.Add(-timing.Overlap), last.SucceededTo, last.SucceededTo, timing.Overlap
	case !last.StartedFrom.IsZero() && last.StartedFrom.Before(now):
		p.Window.From, uncoveredFrom = last.StartedFrom, last.StartedFrom
	}
	if uncoveredFrom.Before(now.Add(-timing.MaxCatchup)) {
		earliest := now.Add(-max(timing.MaxCatchup, minLookback))
		if p.Window.From.Before(earliest) {
			p.Window.From = earliest
		}
		if uncoveredFrom.Before(earliest) {
			p.Gap = Window{uncoveredFrom, earliest}
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

// next returns the slice to run now. It always ends later than the slice before,
// however small the slices and however long the overlap.
func (p plan) next() Window {
	w := Window{p.Window.From, p.reached.Add(p.slice)}
	if w.To.After(p.Window.To) {
		w.To = p.Window.To
	}
	return w
}

// after returns the plan once a slice has succeeded; ok is false if that was the last
// slice.
func (p plan) after(slice Window, overlap time.Duration) (rest plan, ok bool) {
	p.reached = slice.To
	if from := slice.To.Add(-overlap); from.After(p.Window.From) {
		p.Window.From = from
	}
	p.slice = min(maxSlice, 2*p.slice)
	return p, slice.To.Before(p.Window.To)
}
