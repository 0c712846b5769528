package words_test

import (
	"testing"
	"time"

	"newterms/esquery/elastic/words"
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
		-time.Hour: "0 s ago", 59 * time.Second: "59 s ago", 61 * time.Minute: "1 h 1 min ago", 52 * time.Hour: "2 d 4 h ago", 24 * time.Hour: "1 day ago",
	} {
		if got := words.Ago(now.Add(-d), now); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestClosest(t *testing.T) {
	commands := []string{"run", "check", "rule", "rules", "explain", "backtest", "acknowledge"}
	for word, want := range map[string]string{
		"chek": "check", "explian": "explain", "ack": "acknowledge", "Run": "run", "walk": "", "ru": "run", "": "", "rules": "rules",
		"backtesting": "backtest", "r": "",
	} {
		if got := words.Closest(word, commands); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestShortened(t *testing.T) {
	for text, want := range map[string]string{"": "", "abcd": "abcd", "a\n b": "a b", "abcde": "abc…", "ääääää": "äää…"} {
		if got := words.Shortened(text, 4); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		one, other string
		want       int
	}{
		{"", "", 0}, {"", "ab", 2}, {"rule", "rule", 0}, {"rule", "rules", 1}, {"rule", "mule", 1}, {"rule", "ule", 1}, {"explian", "explain", 1},
		{"ä", "a", 1}, {"Zoë", "Zoe", 1}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"abc", "cba", 2},
	} {
		if got, back := words.Edits(c.one, c.other), words.Edits(c.other, c.one); got != c.want || back != c.want {
			t.Errorf("%q and %q: got %d and %d, want %d", c.one, c.other, got, back, c.want)
		}
	}
}
