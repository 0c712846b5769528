package stages

import (
	"testing"
	"time"
)

// TestReading expects what a user did on all hosts where each host has more events, and what
// a host had where its users did more elsewhere.
func TestReading(t *testing.T) {
	r := NewReading(6*time.Hour, 2)
	for _, pair := range []struct {
		user, host string
		events     int64
	}{{"ada", "web", 10}, {"ada", "mail", 20}, {"basil", "web", 100}, {"camille", "rare", 1}} {
		r.Add([]any{pair.user, pair.host}, pair.events)
	}
	for _, c := range []struct {
		pairs [][]any
		want  float64
	}{
		{[][]any{{"ada", "web"}}, 30 * 4},
		{[][]any{{"ada", "web"}, {"ada", "mail"}}, 30 * 4},
		{[][]any{{"basil", "rare"}}, 4},
		{[][]any{{"dana", nil}}, 0},
		{nil, 0},
	} {
		if got := r.Expect(24*time.Hour, c.pairs); got != c.want {
			t.Errorf("%v: got %v, want %v", c.pairs, got, c.want)
		}
	}
	if got := (Reading{}).Expect(time.Hour, [][]any{{"ada", "web"}}); got != 0 {
		t.Errorf("without a reading: got %v", got)
	}
}
