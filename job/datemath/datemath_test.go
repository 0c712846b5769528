package datemath_test

import (
	"fmt"
	"testing"
	"time"

	"newterms/job/datemath"
)

func TestParse(t *testing.T) {
	now := time.Date(2026, 11, 25, 13, 14, 15, 16e6, time.UTC) // a Wednesday
	for text, want := range map[string]string{
		"now":                       "2026-11-25T13:14:15.016Z",
		"now-7d/d":                  "2026-11-18T00:00:00Z",
		"now/w":                     "2026-11-23T00:00:00Z",
		"now/M":                     "2026-11-01T00:00:00Z",
		"now/y":                     "2026-01-01T00:00:00Z",
		"now-1M+2h/h":               "2026-10-25T15:00:00Z",
		"now-1y":                    "2025-11-25T13:14:15.016Z",
		"now-d":                     "2026-11-24T13:14:15.016Z",
		"now+90s/m":                 "2026-11-25T13:15:00Z",
		"now/s":                     "2026-11-25T13:14:15Z",
		"2026-11-01":                "2026-11-01T00:00:00Z",
		"2026-11-01||+1M/M":         "2026-12-01T00:00:00Z",
		"2026-11-01T10:00:00.5Z":    "2026-11-01T10:00:00.5Z",
		"2026-11-01T10:00:00+02:00": "2026-11-01T08:00:00Z",
	} {
		got, err := datemath.Parse(text, now)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: got %s, %v, want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{
		"", "yesterday", "now-", "now-7", "now-7x", "now*2d", "nowhere", "2026-13-01", "01/02/2026", "now-99999999999999999999d", "now-9999999999h",
	} {
		if got, err := datemath.Parse(text, now); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}

func TestAgo(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"now-7d": 168 * time.Hour, "now-12h": 12 * time.Hour, "now-6m": 6 * time.Minute, "now-1w": 168 * time.Hour,
		"now-1d-6h": 30 * time.Hour, "now-2679480s": 2679480 * time.Second,
	} {
		if got, err := datemath.Ago(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	const howTo = "is no length of time: write it like now-7d, in w, d, h, m or s"
	for text, want := range map[string]string{
		"": howTo, "7d": howTo, "now": howTo, "now+7d": howTo, "now/d": howTo, "now-7x": howTo, "now-7d/x": howTo, "now-999M": howTo,
		"now-1M":            "has no fixed length: write now-30d",
		"now-M":             "has no fixed length: write now-30d",
		"now-2y-1M-3d":      "has no fixed length: write now-730d-30d-3d",
		"now-7d/d":          "is rounded, so its length varies: write now-7d",
		"now-1M/M":          "is rounded, so its length varies: write now-30d",
		"2026-01-01":        "is a fixed date: write how far back, such as now-7d",
		"2026-01-01||-7d/d": "is a fixed date: write how far back, such as now-7d",
	} {
		if got, err := datemath.Ago(text); err == nil || err.Error() != fmt.Sprintf("%q %s", text, want) {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "2m": 2 * time.Minute, "7d": 168 * time.Hour, "1d12h": 36 * time.Hour, "2w": 336 * time.Hour,
		"1m30s": 90 * time.Second, "500ms": 500 * time.Millisecond, "0": 0,
	} {
		if got, err := datemath.Duration(text); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "7", "-5m", "7 d", "1.5d", "99999999d"} {
		if got, err := datemath.Duration(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}
