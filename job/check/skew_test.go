package check

import (
	"testing"
	"time"
)

// TestSkew finds no skew in a slow answer, and that of a clock before or behind.
func TestSkew(t *testing.T) {
	before := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	after := before.Add(30 * time.Second)
	for server, want := range map[time.Time]time.Duration{
		before:                       0,
		before.Add(20 * time.Second): 0,
		after:                        0,
		before.Add(-7 * time.Second): 7 * time.Second,
		after.Add(9 * time.Second):   9 * time.Second,
		before.Add(-48 * time.Hour):  48 * time.Hour,
	} {
		if got := skew(server, before, after); got != want {
			t.Errorf("the server says %s: got %s, want %s", server, got, want)
		}
	}
}
