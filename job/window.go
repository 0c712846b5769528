package job

import (
	"iter"
	"time"

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
