// Package datemath parses points in time as Elastic's tools write them: dates, and date
// math such as now-7d/d.
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/common-options#date-math
package datemath

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Parse parses RFC 3339, YYYY-MM-DD (midnight UTC), or date math from now or from a
// date before `||`. It rounds down, in UTC; weeks begin on Monday.
func Parse(text string, now time.Time) (time.Time, error) {
	if math, ok := strings.CutPrefix(text, "now"); ok {
		return apply(math, now.UTC(), text)
	}
	anchor, math, _ := strings.Cut(text, "||")
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, anchor); err == nil {
			return apply(math, t.UTC(), text)
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2006-01-02, 2006-01-02T15:04:05Z or date math like now-7d/d", text)
}

// Ago parses `now-…` without rounding as a fixed length of time. It refuses dates, and
// months and years because their length varies. Its error says how to write what is
// meant.
func Ago(text string) (time.Duration, error) {
	now := time.Unix(0, 0).UTC()
	then, err := Parse(text, now)
	math, ok := strings.CutPrefix(text, "now-")
	math, _, rounded := strings.Cut(math, "/")
	switch fixed := inDays(math); {
	case err == nil && !strings.HasPrefix(text, "now"):
		return 0, fmt.Errorf("%q is a fixed date: write how far back, such as now-7d", text)
	case !ok || err != nil:
		return 0, fmt.Errorf("%q is no length of time: write it like now-7d, in w, d, h, m or s", text)
	case rounded:
		return 0, fmt.Errorf("%q is rounded, so its length varies: write now-%s", text, fixed)
	case fixed != math:
		return 0, fmt.Errorf("%q has no fixed length: write now-%s", text, fixed)
	}
	return now.Sub(then), nil
}

var monthsAndYears = regexp.MustCompile(`(\d*)([My])`)

// inDays replaces months by 30 days, and years by 365.
func inDays(math string) string {
	return monthsAndYears.ReplaceAllStringFunc(math, func(s string) string {
		n, unit, _, ok := step(s)
		if !ok {
			return s
		}
		return fmt.Sprintf("%dd", n*map[byte]int{'M': 30, 'y': 365}[unit])
	})
}

// Duration parses a length of time in Go's form, with w and d added: 90s, 2m, 7d,
// 1d12h.
func Duration(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	var total time.Duration
	for rest := text; rest != "" || text == ""; {
		n, unit, after, ok := step(rest)
		length, known := span(n, unit)
		if total += length; !ok || !known || rest[0] == unit || total > longest {
			return 0, fmt.Errorf("%q is no duration: write it like 90s, 2m, 12h or 7d", text)
		}
		rest = after
	}
	return total, nil
}

// longest is the longest accepted length of time, well within time.Duration's 292
// years.
const longest = 100 * 365 * 24 * time.Hour

// span returns n times a unit of fixed length.
func span(n int, unit byte) (time.Duration, bool) {
	length, ok := map[byte]time.Duration{
		'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'H': time.Hour, 'm': time.Minute, 's': time.Second,
	}[unit]
	return time.Duration(n) * length, ok && time.Duration(n) <= longest/length
}

// step splits a number and a unit off the front of s.
func step(s string) (n int, unit byte, rest string, ok bool) {
	digits := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		return 0, 0, "", false
	}
	n = 1
	if digits > 0 {
		var err error
		if n, err = strconv.Atoi(s[:digits]); err != nil {
			return 0, 0, "", false
		}
	}
	return n, s[digits], s[digits+1:], true
}

func apply(math string, t time.Time, text string) (time.Time, error) {
	for math != "" {
		op := math[0]
		n, unit, rest, ok := step(math[1:])
		switch {
		case !ok || op != '+' && op != '-' && op != '/':
			return time.Time{}, fmt.Errorf("%q is no date math: %q is not understood", text, math)
		case op == '/':
			t, ok = floor(t, unit)
		default:
			t, ok = add(t, op == '-', n, unit)
		}
		if !ok {
			return time.Time{}, fmt.Errorf("%q is no date math: %q is none of y, M, w, d, h, m, s, or reaches too far", text, unit)
		}
		math = rest
	}
	return t, nil
}

func add(t time.Time, minus bool, n int, unit byte) (time.Time, bool) {
	if length, ok := span(n, unit); ok {
		if minus {
			length = -length
		}
		return t.Add(length), true
	}
	if n > 100 {
		return t, false
	}
	if minus {
		n = -n
	}
	switch unit {
	case 'y':
		return t.AddDate(n, 0, 0), true
	case 'M':
		return t.AddDate(0, n, 0), true
	}
	return t, false
}

func floor(t time.Time, unit byte) (time.Time, bool) {
	year, month, day := t.Date()
	switch unit {
	case 'y':
		return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), true
	case 'M':
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC), true
	case 'w':
		sinceMonday := (int(t.Weekday()) + 6) % 7
		return time.Date(year, month, day-sinceMonday, 0, 0, 0, 0, time.UTC), true
	case 'd':
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), true
	case 'h', 'H':
		return t.Truncate(time.Hour), true
	case 'm':
		return t.Truncate(time.Minute), true
	case 's':
		return t.Truncate(time.Second), true
	}
	return t, false
}
