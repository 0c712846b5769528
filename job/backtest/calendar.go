package backtest

import (
	"iter"
	"slices"
	"sort"
	"time"

	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job"
)

const day = 24 * time.Hour

// A Period is a range of time: From is inside, To is not.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// A calendar says which days of a window have data, and when the history was not there.
type calendar struct {
	window job.Window
	data   []inspect.DayOfData // from two of the longest histories before the window
}

// reach is the range whose days of data a calendar needs. Events in the second history
// before the window show that the first one is complete.
func reach(w job.Window, history time.Duration) query.Range {
	return query.Range{From: w.From.Add(-history).Add(-history), To: w.To}
}

// warmUps lists the periods of the window without a complete history, in order: one of
// the history's length after the oldest event, and after each time as long as that
// without any event. Everything looks new there.
func (c calendar) warmUps(history time.Duration) []Period {
	var all []Period
	for i, d := range c.data {
		if i > 0 && d.First.Sub(c.data[i-1].Day.Add(day)) < history {
			continue
		}
		p := Period{d.First, d.First.Add(history)}
		if p.To.After(c.window.From) && p.From.Before(c.window.To) {
			all = append(all, p)
		}
	}
	return all
}

// hasData reports whether a range has events, by whole days.
func (c calendar) hasData(w job.Window) bool {
	i := sort.Search(len(c.data), func(i int) bool { return c.data[i].Day.Add(day).After(w.From) })
	return i < len(c.data) && c.data[i].First.Before(w.To)
}

// parts cuts the window into parts of at most a length, and yields those with data.
func (c calendar) parts(length time.Duration) iter.Seq[job.Window] {
	return func(yield func(job.Window) bool) {
		for part := range c.window.Parts(length) {
			if c.hasData(part) && !yield(part) {
				return
			}
		}
	}
}

// maxEmptyDays is how many days without data a report begins with. If there are more,
// as with --from 2000-01-01, it begins at the first day that has some.
const maxEmptyDays = 366

// list returns the days of the window with their counts, by midnight.
func (c calendar) list(counts map[time.Time]int64, history time.Duration) []Day {
	warmUps := c.warmUps(history)
	begin := c.window.From.UTC().Truncate(day)
	if first := slices.IndexFunc(c.data, func(d inspect.DayOfData) bool { return !d.Day.Before(begin) }); first >= 0 {
		if at := c.data[first].Day; at.Sub(begin) > maxEmptyDays*day {
			begin = at
		}
	} else if last := c.window.To.UTC().Truncate(day); last.Sub(begin) > maxEmptyDays*day {
		begin = last
	}
	var days []Day
	for at := begin; at.Before(c.window.To); at = at.Add(day) {
		end := at.Add(day)
		overlaps := func(p Period) bool { return p.From.Before(end) && p.To.After(at) }
		days = append(days, Day{
			Day: at.Format(time.DateOnly), Count: counts[at],
			Partial: at.Before(c.window.From) || end.After(c.window.To),
			NoData:  !c.hasData(job.Window{From: at, To: end}),
			WarmUp:  slices.ContainsFunc(warmUps, overlaps),
		})
	}
	return days
}
