package backtest

import (
	"fmt"
	"testing"
	"time"

	"newterms/esquery/inspect"
	"newterms/job"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// dataFrom has events on each day from a time up to a day, from midnight on except on
// the first.
func dataFrom(first, last string) []inspect.DayOfData {
	var days []inspect.DayOfData
	for d := at(first); d.Before(at(last + " 23:59")); d = d.Truncate(day).Add(day) {
		days = append(days, inspect.DayOfData{Day: d.Truncate(day), First: d})
	}
	return days
}

// TestCountedDays has ranges over data that begin, end, pause, or are not long enough.
// Each day with data after the warm-up has 190 first occurrences, and each in it 365.
func TestCountedDays(t *testing.T) {
	for _, c := range []struct {
		name, from, to  string
		data            []inspect.DayOfData
		history         time.Duration
		days            int
		median, warmUps string
	}{
		{"a year, with 60 days of data", "2025-03-10 12:00", "2026-03-10 12:00", dataFrom("2026-01-10 09:30", "2026-03-10"), 7 * day, 51, "190", "[2026-01-10 09:30 2026-01-17 09:30]"},
		{"two half days", "2026-03-09 12:00", "2026-03-10 12:00", dataFrom("2026-01-10 09:30", "2026-03-10"), 7 * day, 0, "none", ""},
		{"whole days", "2026-03-08 00:00", "2026-03-10 00:00", dataFrom("2026-01-10 09:30", "2026-03-10"), 7 * day, 2, "190", ""},
		{"more history than data", "2026-03-02 00:00", "2026-03-10 00:00", dataFrom("2026-03-02 00:00", "2026-03-10"), 14 * day, 0, "none", "[2026-03-02 00:00 2026-03-16 00:00]"},
		{"as much history as data", "2026-03-02 00:00", "2026-03-10 00:00", dataFrom("2026-03-02 00:00", "2026-03-10"), 7 * day, 1, "190", "[2026-03-02 00:00 2026-03-09 00:00]"},
		{"the history begins before the range", "2026-03-08 00:00", "2026-03-10 00:00", dataFrom("2026-03-04 00:00", "2026-03-10"), 2 * day, 2, "190", ""},
		{"weekends without events", "2026-03-02 00:00", "2026-03-10 00:00", append(dataFrom("2026-02-16 00:00", "2026-03-06"), dataFrom("2026-03-09 08:00", "2026-03-09")...), 7 * day, 6, "190", ""},
		{"a gap longer than the history", "2026-03-01 00:00", "2026-03-21 00:00", append(dataFrom("2026-02-16 00:00", "2026-03-02"), dataFrom("2026-03-12 10:00", "2026-03-20")...), 7 * day, 3, "190", "[2026-03-12 10:00 2026-03-19 10:00]"},
		{"one event long ago", "2026-03-01 00:00", "2026-03-10 00:00", append(dataFrom("1970-01-01 00:00", "1970-01-01"), dataFrom("2026-03-01 06:00", "2026-03-10")...), 7 * day, 1, "190", "[2026-03-01 06:00 2026-03-08 06:00]"},
		{"no data", "2026-03-01 00:00", "2026-03-10 00:00", nil, 7 * day, 0, "none", ""},
		{"no data for years", "2000-01-01 00:00", "2026-03-10 00:00", nil, 7 * day, 0, "none", ""},
	} {
		cal := calendar{job.Window{From: at(c.from), To: at(c.to)}, c.data}
		f := newTotals(c.history)
		for _, d := range cal.list(nil, c.history) {
			count := int64(190)
			if d.WarmUp || d.Partial {
				count = 365
			}
			if midnight := at(d.Day + " 00:00"); !d.NoData {
				f.days[midnight] = count
			}
		}
		counts, median, warmUps := f.counts(cal), "none", ""
		if counts.MedianDay != nil {
			median = fmt.Sprint(*counts.MedianDay)
		}
		for _, p := range counts.WarmUp {
			warmUps += fmt.Sprintf("[%s %s]", p.From.Format("2006-01-02 15:04"), p.To.Format("2006-01-02 15:04"))
		}
		if counts.CountedDays != c.days || median != c.median || warmUps != c.warmUps || counts.WorstDay != nil && counts.WorstDay.Count != 190 || (counts.WorstDay == nil) != (c.days == 0) {
			t.Errorf("%s: %d days, median %s, worst %+v, warm-up %s; want %d days, %s, %s", c.name, counts.CountedDays, median, counts.WorstDay, warmUps, c.days, c.median, c.warmUps)
		}
		if n := len(cal.list(nil, c.history)); n > 400 {
			t.Errorf("%s: %d days are listed", c.name, n)
		}
	}
}

// TestPartsHaveData cuts a range of centuries, of which only some days have events.
func TestPartsHaveData(t *testing.T) {
	cal := calendar{job.Window{From: at("0001-01-01 00:00"), To: at("2026-03-10 12:00")}, append(dataFrom("1970-01-01 00:00", "1970-01-01"), dataFrom("2026-03-01 06:00", "2026-03-10")...)}
	covered := map[time.Time]bool{}
	n := 0
	for part := range cal.parts(7 * day) {
		n++
		for _, d := range cal.data {
			if !d.First.Before(part.From) && d.First.Before(part.To) {
				covered[d.Day] = true
			}
		}
		if part.To.Sub(part.From) > 7*day || part.To.After(cal.window.To) {
			t.Errorf("a part is %s", part)
		}
	}
	if n > 4 || len(covered) != len(cal.data) {
		t.Errorf("%d parts cover %d of %d days", n, len(covered), len(cal.data))
	}
}
