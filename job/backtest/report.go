package backtest

import (
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/job"
	"newterms/job/rule"
)

// A Report is what a backtest of a rule found in a window.
type Report struct {
	Rule   string    `json:"rule"`
	RuleID string    `json:"rule_id"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"` // exclusive
	Counts
	AlreadyAlerted int64 `json:"already_alerted"` // first occurrences that have an alert
	LackingTerms   int64 `json:"lacking_terms"`   // matching events without a pair
	Days           []Day `json:"days"`            // each day of the window, in order
	// Top are the values that came most, by dimension; ComeBack the pairs with more
	// than one first occurrence. Both, and what they are taken from, are empty with
	// OnlyCounts.
	Top      map[string][]ValueCount `json:"top"`
	ComeBack []ValueCount            `json:"pairs_that_come_back"`
	Values   []Dimension             `json:"-"`
	Pairs    Tally                   `json:"-"`
	*Measured
	Histories []Counts `json:"histories,omitempty"`
}

// Counts are the numbers of first occurrences with a history.
type Counts struct {
	History          History `json:"history"`
	FirstOccurrences int64   `json:"first_occurrences"`
	MedianDay        float64 `json:"median_day"`
	WorstDay         Day     `json:"worst_day"` // the first of the worst
}

// A History is the length of a history window; in JSON as time.Duration's String.
type History time.Duration

// MarshalText never fails.
func (h History) MarshalText() ([]byte, error) { return []byte(time.Duration(h).String()), nil }

// A Day is a UTC day of the window, which may have only part of it.
type Day struct {
	Day   string `json:"day"` // 2006-01-02
	Count int64  `json:"first_occurrences"`
}

// A Dimension is something that analysts look at, with its values. It is named as
// people read it.
type Dimension struct {
	Name string
	Tally
	of func(alerts.Description) string
}

func dimensions() []Dimension {
	return []Dimension{
		{Name: "actor", of: func(d alerts.Description) string { return nameAndID(d.Actor, d.ActorID) }},
		{Name: "account", of: func(d alerts.Description) string { return d.Account }},
		{Name: "network", of: func(d alerts.Description) string { return d.Network }},
		{Name: "country", of: func(d alerts.Description) string { return d.Country }},
		{Name: "user agent", of: func(d alerts.Description) string { return strings.TrimSpace(d.Browser + " " + d.OS) }},
		{Name: "client IP", of: func(d alerts.Description) string { return d.IP }},
		{Name: "event type", of: func(d alerts.Description) string { return d.Action }},
		{Name: "outcome", of: func(d alerts.Description) string { return d.Outcome }},
	}
}

func nameAndID(name, id string) string {
	if name == "" || id == "" || name == id {
		return name + strings.TrimPrefix(id, name)
	}
	return name + " (" + id + ")"
}

// findings count first occurrences. They keep none of them.
type findings struct {
	window         job.Window
	history        time.Duration
	total, alerted int64
	lacking        int64
	days           map[int64]int64 // by days since 1970, UTC
	values         []Dimension
	pairs          Tally
}

func newFindings(w job.Window, history time.Duration) *findings {
	return &findings{window: w, history: history, days: map[int64]int64{}, values: dimensions()}
}

func (f *findings) add(o job.Occurrence) {
	f.total++
	if o.Alerted {
		f.alerted++
	}
	f.days[dayOf(o.First)]++
}

func (f *findings) describe(d alerts.Description) {
	for i := range f.values {
		f.values[i].add(f.values[i].of(d))
	}
	var pair []string
	for _, term := range d.NewTerms {
		pair = append(pair, term.Value)
	}
	f.pairs.add(strings.Join(pair, ", "))
}

// MostTop is how many values a Report lists.
const MostTop = 10

func (f *findings) report(r rule.Rule, w job.Window) *Report {
	report := &Report{
		Rule: r.Name, RuleID: r.ID, From: w.From, To: w.To, Counts: f.counts(), AlreadyAlerted: f.alerted, LackingTerms: f.lacking,
		Days: f.byDay(), Top: map[string][]ValueCount{}, ComeBack: f.pairs.Top(MostTop, 2), Values: f.values, Pairs: f.pairs,
	}
	for _, d := range f.values {
		report.Top[strings.ReplaceAll(strings.ToLower(d.Name), " ", "_")] = d.Top(MostTop, 1)
	}
	return report
}

func (f *findings) counts() Counts {
	c := Counts{History: History(f.history), FirstOccurrences: f.total}
	var counts []int64
	for _, d := range f.byDay() {
		counts = append(counts, d.Count)
		if c.WorstDay.Day == "" || d.Count > c.WorstDay.Count {
			c.WorstDay = d
		}
	}
	slices.Sort(counts)
	if n := len(counts); n > 0 {
		c.MedianDay = float64(counts[(n-1)/2]+counts[n/2]) / 2
	}
	return c
}

// secondsOfDay are the seconds of a UTC day.
const secondsOfDay = 24 * 60 * 60

// dayOf counts the days since 1970, UTC.
func dayOf(t time.Time) int64 {
	seconds := t.Unix()
	day := seconds / secondsOfDay
	if seconds%secondsOfDay < 0 {
		day--
	}
	return day
}

// mostEmptyDays may lie in the window before the first day that has something. If
// there are more the window is everything, as of --from 2000-01-01, and the days
// begin with that one.
const mostEmptyDays = 366

func (f *findings) byDay() []Day {
	begin, end := dayOf(f.window.From), dayOf(f.window.To.Add(-time.Millisecond))
	first := end
	for day := range f.days {
		first = min(first, day)
	}
	if first-begin > mostEmptyDays {
		begin = first
	}
	var days []Day
	for day := begin; day <= end; day++ {
		days = append(days, Day{time.Unix(day*secondsOfDay, 0).UTC().Format(time.DateOnly), f.days[day]})
	}
	return days
}
