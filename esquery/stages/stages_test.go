package stages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// plan returns in which stages candidates are asked about, of which each is found in the
// first stage that reaches as far back as it was seen; 0 is never. Each has as many events
// in the history as its rate in the window lets expect, or one with once.
func (s *Stages) plan(events int64, window, whole time.Duration, once bool, lastSeen ...time.Duration) string {
	left := lastSeen
	plan := ""
	end := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for asked := time.Duration(0); asked < whole && len(left) > 0; {
		candidates := slices.Repeat([]int64{events}, len(left))
		until := s.Next(candidates, window, asked, whole)
		plan += fmt.Sprintf("%d within %s, ", len(left), until)
		var still []time.Duration
		found := make([]Sighting, len(left))
		for i, ago := range left {
			if ago == 0 || ago > until {
				still = append(still, ago)
				continue
			}
			found[i] = Sighting{end.Add(-ago), 1}
			if !once {
				found[i].Events += int64(rate(candidates[i], window, asked) * (until - ago).Hours())
			}
		}
		s.Learn(candidates, window, asked, until, end, found)
		asked, left = until, still
	}
	return plan
}

// pairs are n of which some were seen a time ago.
func pairs(n, seen int, ago time.Duration) []time.Duration {
	all := make([]time.Duration, n)
	for i := range seen {
		all[i] = ago
	}
	return all
}

// TestStages asks about few candidates at once. Of many, those that are seen often are
// asked about in the last hours first, and the others with ever longer stages, unless
// there turn out to be few left or few known.
func TestStages(t *testing.T) {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour
	for _, c := range []struct {
		what             string
		events           int64
		window, history  time.Duration
		candidates, seen int
		ago              time.Duration
		want             string
	}{
		{"few", 1, 5 * time.Minute, week, 5, 3, time.Hour, "5 within 168h0m0s, "},
		{"of five minutes", 2, 5 * time.Minute, week, 100, 80, time.Hour, "100 within 6h0m0s, 20 within 168h0m0s, "},
		{"of five minutes, all new", 2, 5 * time.Minute, week, 100, 0, 0, "100 within 6h0m0s, 100 within 168h0m0s, "},
		{"of five minutes, 300,000 events", 30, 5 * time.Minute, week, 10_000, 9_000, time.Minute, "10000 within 1h0m0s, 1000 within 6h0m0s, 1000 within 24h0m0s, 1000 within 96h0m0s, 1000 within 168h0m0s, "},
		{"of an hour", 2, time.Hour, week, 500, 350, 5 * time.Hour, "500 within 6h0m0s, 150 within 24h0m0s, 150 within 168h0m0s, "},
		{"of a day", 2, day, week, 10_000, 6_000, 5 * time.Hour, "10000 within 24h0m0s, 4000 within 96h0m0s, 4000 within 168h0m0s, "},
		{"with 90 days of history", 2, 5 * time.Minute, 90 * day, 100, 80, time.Hour, "100 within 6h0m0s, 20 within 96h0m0s, 20 within 2160h0m0s, "},
		{"as long as a stage", 2, 5 * time.Minute, 6 * time.Hour, 100, 80, time.Hour, "100 within 6h0m0s, "},
	} {
		if got := new(Stages).plan(c.events, c.window, c.history, false, pairs(c.candidates, c.seen, c.ago)...); got != c.want {
			t.Errorf("%s: %s", c.what, got)
		}
	}
	var s Stages
	for range 5 {
		s.plan(2, 5*time.Minute, week, false, pairs(100, 0, 0)...)
	}
	if got := s.plan(2, 5*time.Minute, week, false, pairs(100, 0, 0)...); got != "100 within 168h0m0s, " {
		t.Errorf("after five pages of which no pair is known: %s", got)
	}
	s = Stages{}
	daily := pairs(10_000, 9_000, 3*day)
	for range 2 {
		s.plan(1, 30*time.Minute, week, true, daily...)
	}
	if got := s.plan(1, 30*time.Minute, week, true, daily...); got != "10000 within 168h0m0s, " {
		t.Errorf("after two pages of pairs that are not seen every day: %s", got)
	}
	for range 5 {
		s.plan(30, 5*time.Minute, week, false, pairs(10_000, 9_000, time.Minute)...)
	}
	if got := s.plan(30, 5*time.Minute, week, false, pairs(10_000, 9_000, time.Minute)...); !strings.HasPrefix(got, "10000 within 1h0m0s, 1000 within ") {
		t.Errorf("after pages of busy pairs: %s", got)
	}
}
