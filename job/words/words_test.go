package words_test

import (
	"testing"
	"time"

	"newterms/job/words"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 999 * time.Microsecond: "0 s", time.Millisecond: "1 ms", 61 * time.Second: "1 min 1 s", time.Hour + time.Second: "1 h",
		24 * time.Hour: "1 day", 7 * 24 * time.Hour: "7 days", 25*time.Hour + time.Minute: "1 d 1 h",
	} {
		if got := words.Span(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		-time.Hour: "0m 0s ago", 59 * time.Second: "0m 59s ago", 61 * time.Minute: "1h 1m ago", 52 * time.Hour: "2d 4h ago",
	} {
		if got := words.Ago(now.Add(-d), now); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}
