package esquery

import (
	"fmt"
	"testing"
	"time"
)

// plan tells in which stages candidates are asked about, of which each is found in the
// first stage that reaches as far back as it was seen; 0 is never.
func (s *stages) plan(events int64, window, whole time.Duration, lastSeen ...time.Duration) string {
	candidates := make([]Candidate, len(lastSeen))
	var left []int
	for i := range lastSeen {
		candidates[i].Events = events
		left = append(left, i)
	}
	plan := ""
	for asked := time.Duration(0); asked < whole && len(left) > 0; {
		until := s.next(candidates, left, window, asked, whole)
		var still []int
		for _, i := range left {
			if lastSeen[i] == 0 || lastSeen[i] > until {
				still = append(still, i)
			}
		}
		s.learn(candidates, left, window, asked, until, len(left)-len(still))
		plan += fmt.Sprintf("%d within %s, ", len(left), until)
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
		{"with 90 days of history", 2, 5 * time.Minute, 90 * day, 100, 80, time.Hour, "100 within 6h0m0s, 20 within 24h0m0s, 20 within 96h0m0s, 20 within 2160h0m0s, "},
		{"as long as a stage", 2, 5 * time.Minute, 6 * time.Hour, 100, 80, time.Hour, "100 within 6h0m0s, "},
	} {
		if got := new(stages).plan(c.events, c.window, c.history, pairs(c.candidates, c.seen, c.ago)...); got != c.want {
			t.Errorf("%s: %s", c.what, got)
		}
	}
	var s stages
	for range 5 {
		s.plan(2, 5*time.Minute, week, pairs(100, 0, 0)...)
	}
	if got := s.plan(2, 5*time.Minute, week, pairs(100, 0, 0)...); got != "100 within 168h0m0s, " {
		t.Errorf("after five pages of which no pair is known: %s", got)
	}
}
