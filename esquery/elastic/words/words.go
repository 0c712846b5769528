// Package words formats numbers, times, lengths of time and texts for people, and finds
// the word that somebody meant.
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

// Join joins the texts of values.
func Join[T fmt.Stringer](values []T, separator string) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, separator)
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

// Ago formats how long before now a time was, down to seconds: "2 d 4 h ago". A later
// time is "0 s ago".
func Ago(at, now time.Time) string {
	return Span(max(0, now.Sub(at)).Truncate(time.Second)) + " ago"
}

// Shortened puts a text on one line, and cuts it to a number of characters, the last of
// which is then "…".
func Shortened(text string, length int) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length-1]) + "…"
	}
	return text
}

// Closest returns the word that was probably meant: one with few other letters, or the
// only one that begins so. It is "" if there is none.
func Closest(word string, among []string) string {
	closest, least := "", max(1, len(word)/3)+1
	var begins []string
	for _, candidate := range among {
		if n := Edits(word, candidate); n < least {
			closest, least = candidate, n
		}
		if len(word) > 1 && strings.HasPrefix(candidate, word) {
			begins = append(begins, candidate)
		}
	}
	if closest == "" && len(begins) == 1 {
		return begins[0]
	}
	return closest
}

// Edits returns how many characters must be added, left out, replaced or swapped with
// the next one to turn one text into another.
func Edits(one, other string) int {
	a, b := []rune(one), []rune(other)
	rows := make([][]int, len(a)+1) // of the edits from a[:i] to b[:j]
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
