package backtest

import (
	"slices"
	"strings"
	"time"

	"newterms/alerts/alert"
	"newterms/job"
	"newterms/job/rule"
)

// A Report is the result of a backtest of a rule.
type Report struct {
	Rule   string    `json:"rule"`
	RuleID string    `json:"rule_id"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"` // exclusive
	Counts
	AlreadyAlerted int64 `json:"already_alerted"` // first occurrences that have an alert
	LackingTerms   int64 `json:"lacking_terms"`   // matching events without a pair
	Days           []Day `json:"days"`            // each day of the window, in order
	// Top lists the most frequent values by dimension, and ComeBack the pairs with more
	// than one first occurrence. OnlyCounts leaves both empty, and Values and Pairs
	// too.
	Top      map[string][]ValueCount `json:"top"`
	ComeBack []ValueCount            `json:"pairs_that_come_back"`
	Values   []Dimension             `json:"-"`
	Pairs    Tally                   `json:"-"`
	*ExclusionEffects
	Histories []Counts `json:"histories,omitempty"`
}

// Counts are the numbers of first occurrences with one length of the history.
type Counts struct {
	History          History `json:"history"`
	FirstOccurrences int64   `json:"first_occurrences"`
	MedianDay        float64 `json:"median_day"`
	WorstDay         Day     `json:"worst_day"` // the first of equal ones
}

// A History is the length of a history window. Its JSON is the String of a
// time.Duration.
type History time.Duration

// MarshalText returns the String of the duration; it never fails.
func (h History) MarshalText() ([]byte, error) { return []byte(time.Duration(h).String()), nil }

// A Day is a UTC day of the window, which may cover only a part of it.
type Day struct {
	Day   string `json:"day"` // 2006-01-02
	Count int64  `json:"first_occurrences"`
}

// A Dimension is a property of alerts that analysts look at, and its values. Name is
// for people.
type Dimension struct {
	Name string
	Tally
	of func(alert.Description) string
}

func dimensions() []Dimension {
	return []Dimension{
		{Name: "actor", of: func(d alert.Description) string { return nameAndID(d.Actor, d.ActorID) }},
		{Name: "account", of: func(d alert.Description) string { return d.Account }},
		{Name: "network", of: func(d alert.Description) string { return d.Network }},
		{Name: "country", of: func(d alert.Description) string { return d.Country }},
		{Name: "user agent", of: func(d alert.Description) string { return strings.TrimSpace(d.Browser + " " + d.OS) }},
		{Name: "client IP", of: func(d alert.Description) string { return d.IP }},
		{Name: "event type", of: func(d alert.Description) string { return d.Action }},
		{Name: "outcome", of: func(d alert.Description) string { return d.Outcome }},
	}
}

func nameAndID(name, id string) string {
	if name == "" || id == "" || name == id {
		return name + strings.TrimPrefix(id, name)
	}
	return name + " (" + id + ")"
}

// totals counts first occurrences without keeping them.
type totals struct {
	window         job.Window
	history        time.Duration
	total, alerted int64
	lacking        int64
	days           map[int64]int64 // by days since 1970, UTC
	values         []Dimension
	pairs          Tally
}

func newTotals(w job.Window, history time.Duration) *totals {
	return &totals{window: w, history: history, days: map[int64]int64{}, values: dimensions()}
}

func (f *totals) add(o job.Occurrence) {
	f.total++
	if o.Alerted {
		f.alerted++
	}
	f.days[dayOf(o.First)]++
}

func (f *totals) describe(d alert.Description) {
	for i := range f.values {
		f.values[i].add(f.values[i].of(d))
	}
	var pair []string
	for _, term := range d.NewTerms {
		pair = append(pair, term.Value)
	}
	f.pairs.add(strings.Join(pair, ", "))
}

// MaxTop is the number of values that a Report lists.
const MaxTop = 10

func (f *totals) report(r rule.Rule, w job.Window) *Report {
	report := &Report{
		Rule: r.Name, RuleID: r.ID, From: w.From, To: w.To, Counts: f.counts(), AlreadyAlerted: f.alerted, LackingTerms: f.lacking,
		Days: f.byDay(), Top: map[string][]ValueCount{}, ComeBack: f.pairs.Top(MaxTop, 2), Values: f.values, Pairs: f.pairs,
	}
	for _, d := range f.values {
		report.Top[strings.ReplaceAll(strings.ToLower(d.Name), " ", "_")] = d.Top(MaxTop, 1)
	}
	return report
}

func (f *totals) counts() Counts {
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

const secondsOfDay = 24 * 60 * 60

// dayOf returns the number of days since 1970, UTC.
func dayOf(t time.Time) int64 {
	seconds := t.Unix()
	day := seconds / secondsOfDay
	if seconds%secondsOfDay < 0 {
		day--
	}
	return day
}

// maxEmptyDays is how many days without first occurrences a report begins with. If
// there are more, as with --from 2000-01-01, it begins at the first day that has one.
const maxEmptyDays = 366

func (f *totals) byDay() []Day {
	begin, end := dayOf(f.window.From), dayOf(f.window.To.Add(-time.Millisecond))
	first := end
	for day := range f.days {
		first = min(first, day)
	}
	if first-begin > maxEmptyDays {
		begin = first
	}
	var days []Day
	for day := begin; day <= end; day++ {
		days = append(days, Day{time.Unix(day*secondsOfDay, 0).UTC().Format(time.DateOnly), f.days[day]})
	}
	return days
}
