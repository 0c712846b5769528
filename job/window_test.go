package job

import (
	"slices"
	"testing"
	"time"

	"newterms/alerts/runs"
)

func TestPlanWindow(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 123456789, time.UTC)
	at := func(ago time.Duration) time.Time { return now.Truncate(time.Millisecond).Add(-ago) }
	const lookback, overlap, catchup = 6 * time.Minute, 2 * time.Minute, 7 * 24 * time.Hour
	for _, c := range []struct {
		name               string
		succeeded, started time.Time
		from               time.Time
		gap                Window
	}{
		{name: "the first run ever looks back by the rule's lookback", from: at(lookback)},
		{name: "after a success it begins an overlap before that one's end", succeeded: at(5 * time.Minute), started: at(time.Hour), from: at(7 * time.Minute)},
		{name: "a success just now still overlaps", succeeded: at(0), started: at(time.Hour), from: at(overlap)},
		{name: "after failed first runs it begins where the first one began", started: at(50 * time.Minute), from: at(50 * time.Minute)},
		{name: "after an outage it catches up", succeeded: at(50 * time.Hour), from: at(50*time.Hour + overlap)},
		{name: "exactly at the longest catch-up there is no gap", succeeded: at(catchup), from: at(catchup + overlap)},
		{name: "a longer outage leaves a gap", succeeded: at(catchup + time.Millisecond), from: at(catchup), gap: Window{at(catchup + time.Millisecond), at(catchup)}},
		{name: "and a long one a long gap", succeeded: at(10 * 24 * time.Hour), from: at(catchup), gap: Window{at(10 * 24 * time.Hour), at(catchup)}},
		{name: "so do failed first runs for longer", started: at(8 * 24 * time.Hour), from: at(catchup), gap: Window{at(8 * 24 * time.Hour), at(catchup)}},
		{name: "a first start in the future is left out", started: at(-time.Hour), from: at(lookback)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := planWindow(now, runs.Checkpoint{SucceededTo: c.succeeded, StartedFrom: c.started}, lookback, Timing{overlap, catchup})
			if want := (Window{c.from, at(0)}); p.Window != want || p.Gap != c.gap {
				t.Errorf("got %v, gap %v, want %v, gap %v", p.Window, p.Gap, want, c.gap)
			}
		})
	}
}

// TestPlanWindowOfLongLookback is about a rule that looks back further than the
// longest catch-up.
func TestPlanWindowOfLongLookback(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	at := func(days time.Duration) time.Time { return now.Add(-days * day) }
	const lookback, overlap, catchup = 30 * day, 29 * day, 7 * day
	for _, c := range []struct {
		name               string
		succeeded, started time.Time
		from               time.Time
		gap                Window
	}{
		{name: "the first run ever", from: at(30)},
		{name: "after a success", succeeded: at(1), from: at(30)},
		{name: "after an outage of less than the longest catch-up", succeeded: at(7), from: at(36)},
		{name: "of more", succeeded: at(8), from: at(29)},
		{name: "of as much as the overlap", succeeded: at(29), from: at(29)},
		{name: "of more than that", succeeded: at(31), from: at(29), gap: Window{at(31), at(29)}},
		{name: "after failed first runs", started: at(30), from: at(30)},
		{name: "for longer", started: at(33), from: at(30), gap: Window{at(33), at(30)}},
	} {
		p := planWindow(now, runs.Checkpoint{SucceededTo: c.succeeded, StartedFrom: c.started}, lookback, Timing{overlap, catchup})
		if want := (Window{c.from, now}); p.Window != want || p.Gap != c.gap {
			t.Errorf("%s: got %v, gap %v, want %v, gap %v", c.name, p.Window, p.Gap, want, c.gap)
		}
		reached := p.reached
		for more := true; more; {
			slice := p.next()
			if !slice.To.After(reached) || slice.From.After(c.from) && slice.From.After(reached.Add(-overlap)) {
				t.Fatalf("%s: slice %s after %s", c.name, slice, reached)
			}
			reached = slice.To
			p, more = p.after(slice, overlap)
		}
		if !reached.Equal(now) {
			t.Errorf("%s: the slices end at %s", c.name, reached)
		}
	}
}

// TestSlices follows a plan to its end, and holds that each slice reaches
// further than the one before and that they leave nothing out.
func TestSlices(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	const overlap, day = 2 * time.Minute, 24 * time.Hour
	for _, c := range []struct {
		name  string
		last  runs.Checkpoint
		first time.Duration // how far the first slice reaches beyond what was reached
		count int
	}{
		{"the usual window is one slice", runs.Checkpoint{SucceededTo: at(5 * time.Minute)}, 5 * time.Minute, 1},
		{"an outage of six days is six", runs.Checkpoint{SucceededTo: at(6 * day)}, day, 6},
		{"after a run that did not end they begin at half of it", runs.Checkpoint{SucceededTo: at(6 * day), UnfinishedFrom: at(6*day + overlap), UnfinishedTo: at(5 * day)}, 12 * time.Hour, 7},
		{"after small ones at half of those", runs.Checkpoint{SucceededTo: at(time.Hour), UnfinishedTo: at(59 * time.Minute)}, 30 * time.Second, 7},
		{"though not without end", runs.Checkpoint{SucceededTo: at(5 * time.Second), UnfinishedTo: at(5*time.Second - time.Millisecond)}, time.Second, 3},
		{"a run that ended since does not count", runs.Checkpoint{SucceededTo: at(day), UnfinishedFrom: at(2 * day), UnfinishedTo: at(day)}, day, 1},
		{"the first run that did not end", runs.Checkpoint{StartedFrom: at(time.Hour), UnfinishedFrom: at(time.Hour), UnfinishedTo: at(0)}, 30 * time.Minute, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := planWindow(now, c.last, 6*time.Minute, Timing{overlap, 7 * day})
			reached, more, count := p.reached, true, 0
			if got := p.next().To.Sub(reached); got != c.first {
				t.Errorf("the first slice reaches %s further, want %s", got, c.first)
			}
			for more {
				slice := p.next()
				if !slice.To.After(reached) || slice.From.After(reached) {
					t.Fatalf("slice %s after %s", slice, reached)
				}
				reached = slice.To
				p, more = p.after(slice, overlap)
				count++
			}
			if !reached.Equal(now) || count != c.count {
				t.Errorf("%d slices up to %s, want %d up to %s", count, reached, c.count, now)
			}
		})
	}
}

func TestPartsCutAWindow(t *testing.T) {
	start := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	hours := func(from, to int) Window {
		return Window{start.Add(time.Duration(from) * time.Hour), start.Add(time.Duration(to) * time.Hour)}
	}
	for _, c := range []struct {
		window Window
		want   []Window
	}{
		{hours(0, 0), nil},
		{hours(0, 5), []Window{hours(0, 5)}},
		{hours(0, 24), []Window{hours(0, 24)}},
		{hours(0, 49), []Window{hours(0, 24), hours(24, 48), hours(48, 49)}},
	} {
		if got := slices.Collect(c.window.Parts(24 * time.Hour)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.window, got, c.want)
		}
	}
}
