// Package words formats numbers, times and lengths of time for people.
package words

import (
	"fmt"
	"strings"
	"time"
)

// Plural returns a number and its noun: "1 pair", "2 pairs".
func Plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Stamp formats a time in RFC 3339, UTC, in milliseconds.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Second formats a time in UTC to the second.
func Second(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// A unit of time with its name in a Span and in an Ago.
type unit struct {
	length time.Duration
	name   string
}

func units() []unit {
	return []unit{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}, {time.Millisecond, "ms"}}
}

// Span formats a length of time in whole days, or in its two largest units.
func Span(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return Plural(int64(d/(24*time.Hour)), "day", "days")
	}
	if d < time.Millisecond {
		return "0 s"
	}
	var parts []string
	for _, u := range units() {
		if n := d / u.length; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.length
		} else if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// Ago formats how long before now a time was, in its two largest units down to seconds:
// "2d 4h ago". A later time is "0m 0s ago".
func Ago(at, now time.Time) string {
	d := max(0, now.Sub(at))
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd %dh ago", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm ago", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dm %ds ago", d/time.Minute, d%time.Minute/time.Second)
}
