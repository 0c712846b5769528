package job

import (
	"fmt"
	"iter"
	"time"

	"newterms/alerts"
	"newterms/esquery"
)

// A Window is the time that a run answers for: From is inside, To is not. Both
// are UTC and whole milliseconds.
type Window struct{ From, To time.Time }

// String is [from, to) in RFC 3339.
func (w Window) String() string { return "[" + stamp(w.From) + ", " + stamp(w.To) + ")" }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (w Window) timeRange() esquery.Range { return esquery.Range{From: w.From, To: w.To} }

// parts cuts the window into consecutive parts of at most a length.
func (w Window) parts(length time.Duration) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for from := w.From; from.Before(w.To); from = from.Add(length) {
			to := from.Add(length)
			if to.After(w.To) {
				to = w.To
			}
			if !yield(Window{from, to}) {
				return
			}
		}
	}
}

// Timing says how scheduled windows follow each other.
type Timing struct {
	// Overlap is how far a window reaches back into the one before it, for
	// events that became searchable after they were dated.
	Overlap time.Duration
	// MaxCatchup is how far back a window reaches at the most.
	MaxCatchup time.Duration
}

// A plan is the window of a scheduled run, and the Gap before it that no run
// has looked at: the zero Window if there is none.
type plan struct{ Window, Gap Window }

// A ClockError says that the last window lies in the future.
type ClockError struct{ Now, Last time.Time }

func (e *ClockError) Error() string {
	return fmt.Sprintf("the clock went back: the last scheduled run looked at %s, which is after now, %s", stamp(e.Last), stamp(e.Now))
}

// planWindow decides which window a scheduled run takes, from where the runs
// before it stand. The first run ever looks back by the rule's lookback. If it
// fails, the next begins where the first one began. Its error is a *ClockError.
func planWindow(now time.Time, last alerts.Checkpoint, lookback time.Duration, timing Timing) (plan, error) {
	now = now.UTC().Truncate(time.Millisecond)
	from := now.Add(-lookback)
	switch {
	case last.SucceededTo.After(now):
		return plan{}, &ClockError{now, last.SucceededTo}
	case !last.SucceededTo.IsZero():
		from = last.SucceededTo.Add(-timing.Overlap)
	case last.StartedFrom.After(now):
		return plan{}, &ClockError{now, last.StartedFrom}
	case !last.StartedFrom.IsZero():
		from = last.StartedFrom
	}
	if earliest := now.Add(-timing.MaxCatchup); from.Before(earliest) {
		return plan{Window: Window{earliest, now}, Gap: Window{from, earliest}}, nil
	}
	return plan{Window: Window{from, now}}, nil
}
