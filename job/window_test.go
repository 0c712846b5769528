package job

import (
	"errors"
	"slices"
	"testing"
	"time"

	"newterms/alerts"
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
		last               time.Time // of a ClockError
	}{
		{name: "the first run ever looks back by the rule's lookback", from: at(lookback)},
		{name: "after a success it begins an overlap before that one's end", succeeded: at(5 * time.Minute), started: at(time.Hour), from: at(7 * time.Minute)},
		{name: "a success just now still overlaps", succeeded: at(0), started: at(time.Hour), from: at(overlap)},
		{name: "after failed first runs it begins where the first one began", started: at(50 * time.Minute), from: at(50 * time.Minute)},
		{name: "after an outage it catches up", succeeded: at(50 * time.Hour), from: at(50*time.Hour + overlap)},
		{name: "exactly at the longest catch-up there is no gap", succeeded: at(catchup - overlap), from: at(catchup)},
		{name: "a longer outage leaves a gap", succeeded: at(10 * 24 * time.Hour), from: at(catchup), gap: Window{at(10*24*time.Hour + overlap), at(catchup)}},
		{name: "so do failed first runs for longer", started: at(8 * 24 * time.Hour), from: at(catchup), gap: Window{at(8 * 24 * time.Hour), at(catchup)}},
		{name: "a success in the future is refused", succeeded: at(-time.Millisecond), last: at(-time.Millisecond)},
		{name: "and so is a first start in the future", started: at(-time.Hour), last: at(-time.Hour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := planWindow(now, alerts.Checkpoint{SucceededTo: c.succeeded, StartedFrom: c.started}, lookback, Timing{overlap, catchup})
			var clock *ClockError
			if !c.last.IsZero() {
				if !errors.As(err, &clock) || !clock.Last.Equal(c.last) {
					t.Errorf("got %v, %v", got, err)
				}
				return
			}
			if want := (plan{Window{c.from, at(0)}, c.gap}); err != nil || got != want {
				t.Errorf("got %v, %v, want %v", got, err, want)
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
		if got := slices.Collect(c.window.parts(24 * time.Hour)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.window, got, c.want)
		}
	}
}
