package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/job"
)

// findings count first occurrences. They keep none of them.
type findings struct {
	window         job.Window
	total, alerted int64
	lacking        int64           // events without a pair
	days           map[int64]int64 // by days since 1970, UTC
	values         []valueTally    // one for each of dimensions
	pairs          valueTally
}

const day = 24 * time.Hour

func newFindings(w job.Window) *findings {
	return &findings{window: w, days: map[int64]int64{}, values: make([]valueTally, len(dimensions()))}
}

// tried counts a first occurrence.
func (t *findings) tried(one job.Tried) {
	t.total++
	if one.Alerted {
		t.alerted++
	}
	t.days[floorDay(one.FirstSeen)/int64(day/time.Second)]++
}

// A dimension is something that analysts look at.
type dimension struct {
	name string
	of   func(alerts.Description) string
}

func dimensions() []dimension {
	return []dimension{
		{"actor", func(d alerts.Description) string { return detailed(d.Actor, d.ActorID) }},
		{"account", func(d alerts.Description) string { return d.Account }},
		{"network", func(d alerts.Description) string { return d.Network }},
		{"country", func(d alerts.Description) string { return d.Country }},
		{"user agent", func(d alerts.Description) string { return strings.TrimSpace(d.Browser + " " + d.OS) }},
		{"client IP", func(d alerts.Description) string { return d.IP }},
		{"event type", func(d alerts.Description) string { return d.Action }},
		{"outcome", func(d alerts.Description) string { return d.Outcome }},
	}
}

func detailed(name, id string) string {
	if name == "" || id == "" || name == id {
		return name + strings.TrimPrefix(id, name)
	}
	return name + " (" + id + ")"
}

// alert counts what an alert says.
func (t *findings) alert(a alerts.Alert) error {
	d := a.Describe()
	for i, dimension := range dimensions() {
		t.values[i].add(dimension.of(d))
	}
	var pair []string
	for _, term := range d.NewTerms {
		pair = append(pair, term.Value)
	}
	t.pairs.add(strings.Join(pair, ", "))
	return nil
}

// mostValues bounds the memory of a valueTally.
const mostValues = 4_000

// A valueTally counts values. Beyond mostValues different ones it forgets those
// that came least, and so counts some too low.
type valueTally struct {
	counts map[string]int64
	forgot int64 // how many may be missing of a value
}

func (v *valueTally) add(value string) {
	const longest = 200 // of what is shown
	if value == "" {
		return
	}
	if len(value) > longest {
		value = strings.ToValidUTF8(value[:longest], "") + "…"
	}
	if v.counts == nil {
		v.counts = map[string]int64{}
	}
	v.counts[strings.Clone(value)]++
	for len(v.counts) > mostValues {
		v.forgot++
		maps.DeleteFunc(v.counts, func(_ string, n int64) bool { return n <= v.forgot })
	}
}

// A valueCount is a value and how often it came.
type valueCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// top are the values that came most, and at least so often.
func (v *valueTally) top(n int, least int64) []valueCount {
	top := []valueCount{}
	for value, count := range v.counts {
		if count >= least {
			top = append(top, valueCount{value, count})
		}
	}
	slices.SortFunc(top, func(a, b valueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Value, b.Value))
	})
	return top[:min(n, len(top))]
}

// rare says of many values that none came often, given those that came most; ""
// if one did.
func (v *valueTally) rare(top []valueCount) string {
	switch {
	case v.forgot > 0 && top[0].Count <= v.forgot:
		return "thousands, none of them often"
	case len(v.counts) > topValues && top[0].Count == 1:
		return fmt.Sprintf("%d, each once", len(v.counts))
	}
	return ""
}

// A dayCount is a UTC day of the range, which may have only part of it.
type dayCount struct {
	Day   string `json:"day"`
	Count int64  `json:"first_occurrences"`
}

// mostEmptyDays may lie in the range before the first day that has something. If
// there are more the range is everything, as of --from 2000-01-01, and the days
// begin with that one.
const mostEmptyDays = 366

func (t *findings) byDay() []dayCount {
	var counts []dayCount
	const seconds = int64(day / time.Second)
	begin, end := floorDay(t.window.From), t.window.To.Unix()
	first := floorDay(t.window.To)
	for n := range t.days {
		first = min(first, n*seconds)
	}
	if first-begin > mostEmptyDays*seconds {
		begin = first
	}
	for at := begin; at < end || at == end && t.window.To.Nanosecond() > 0; at += seconds {
		counts = append(counts, dayCount{time.Unix(at, 0).UTC().Format(time.DateOnly), t.days[at/seconds]})
	}
	return counts
}

// floorDay is where a UTC day begins, in seconds.
func floorDay(t time.Time) int64 {
	seconds := t.Unix()
	return seconds - ((seconds%86_400)+86_400)%86_400
}

// median and worst are of the days; the worst is the first of them.
func (t *findings) median() float64 {
	var counts []int64
	for _, d := range t.byDay() {
		counts = append(counts, d.Count)
	}
	slices.Sort(counts)
	n := len(counts)
	if n == 0 {
		return 0
	}
	return float64(counts[(n-1)/2]+counts[n/2]) / 2
}

func (t *findings) worst() dayCount {
	var worst dayCount
	for _, d := range t.byDay() {
		if worst.Day == "" || d.Count > worst.Count {
			worst = d
		}
	}
	return worst
}

// found says in a sentence what there is.
func (t *findings) found() string { return foundText(t.total, t.alerted) }

func foundText(total, alerted int64) string {
	text := plural(total, "first occurrence", "first occurrences")
	switch {
	case total == 0:
	case alerted == total && total == 1:
		text += ", alerted already"
	case alerted == total:
		text += ", all alerted already"
	case alerted > 0:
		text += fmt.Sprintf(", %d alerted already", alerted)
	}
	return text
}
