package backtest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
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
	// Novelty counts the first occurrences by their novelty, and those of which it is not
	// known as "unknown"; empty with OnlyCounts. Cause is what most of them share; nil if
	// they share nothing.
	Novelty map[string]int64 `json:"novelty,omitempty"`
	Cause   *runs.Cause      `json:"cause,omitempty"`
	*ExclusionEffects
	Suggestions *Suggestions `json:"suggestions,omitempty"` // nil with OnlyCounts
	Histories   []Counts     `json:"histories,omitempty"`
}

// Counts are the numbers of first occurrences with one length of the history.
type Counts struct {
	History          History `json:"history"`
	FirstOccurrences int64   `json:"first_occurrences"`
	// CountedDays is the number of whole days with data after the warm-up. MedianDay
	// and WorstDay, the first of equal ones, are of these days; nil without any.
	CountedDays int      `json:"counted_days"`
	MedianDay   *float64 `json:"median_day"`
	WorstDay    *Day     `json:"worst_day"`
	// WarmUp lists when the history was not complete, so that everything looked new.
	WarmUp []Period `json:"warm_up"`
}

// A History is the length of a history window. Its JSON is a words.Span: "7 days".
type History time.Duration

// MarshalText returns the String of the duration; it never fails.
func (h History) MarshalText() ([]byte, error) { return []byte(words.Span(time.Duration(h))), nil }

// A Day is a UTC day of the window.
type Day struct {
	Day     string `json:"day"` // 2006-01-02
	Count   int64  `json:"first_occurrences"`
	Partial bool   `json:"partial,omitempty"` // the window has only a part of it
	NoData  bool   `json:"no_data,omitempty"` // the indices have no event of it, matching or not
	WarmUp  bool   `json:"warm_up,omitempty"` // the history was not complete
}

// A Dimension is a property of alerts that analysts look at, and its values.
type Dimension struct {
	Name string // for people
	Tally
}

// totals counts first occurrences without keeping them.
type totals struct {
	history        time.Duration
	total, alerted int64
	lacking        int64
	days           map[time.Time]int64 // by midnight, UTC
	values         []Dimension
	pairs          Tally
	novelty        map[string]int64
	sharing        job.Sharing
	cause          *runs.Cause
}

func newTotals(history time.Duration) *totals {
	return &totals{history: history, days: map[time.Time]int64{}, novelty: map[string]int64{}}
}

func (f *totals) add(o job.Occurrence) {
	f.total++
	if o.Alerted {
		f.alerted++
	}
	f.days[o.First.UTC().Truncate(day)]++
}

func (f *totals) describe(a alert.Alert, isMapped func(field string) bool) {
	novelty := "unknown"
	if n, ok := a.Novelty(); ok {
		novelty = strconv.Itoa(n)
	}
	f.novelty[novelty]++
	f.sharing.Add(a, isMapped)
	for _, facet := range a.Facets(isMapped) {
		for i := range f.values {
			if d := &f.values[i]; d.Name == facet.Kind {
				d.add(facet.Field, facet.Value, facet.Name, facet.Source)
			}
		}
	}
	var pair []string
	for _, term := range a.Describe().NewTerms {
		pair = append(pair, term.Value)
	}
	f.pairs.add("", strings.Join(pair, ", "), "", false)
}

// MaxTop is the number of values that a Report lists.
const MaxTop = 10

func (f *totals) report(r rule.Rule, c calendar) *Report {
	w := c.window
	report := &Report{
		Rule: r.Name, RuleID: r.ID, From: w.From, To: w.To, Counts: f.counts(c), AlreadyAlerted: f.alerted, LackingTerms: f.lacking,
		Days: c.list(f.days, f.history), Top: map[string][]ValueCount{}, ComeBack: f.pairs.Top(MaxTop, 2), Values: f.values, Pairs: f.pairs,
		Novelty: f.novelty, Cause: f.cause,
	}
	for _, d := range f.values {
		report.Top[strings.ReplaceAll(strings.ToLower(d.Name), " ", "_")] = d.Top(MaxTop, 1)
	}
	return report
}

func (f *totals) counts(c calendar) Counts {
	counts := Counts{History: History(f.history), FirstOccurrences: f.total, WarmUp: append([]Period{}, c.warmUps(f.history)...)}
	var counted []int64
	for _, d := range c.list(f.days, f.history) {
		if d.Partial || d.NoData || d.WarmUp {
			continue
		}
		counted = append(counted, d.Count)
		if counts.WorstDay == nil || d.Count > counts.WorstDay.Count {
			counts.WorstDay = &d
		}
	}
	slices.Sort(counted)
	if n := len(counted); n > 0 {
		median := float64(counted[(n-1)/2]+counted[n/2]) / 2
		counts.CountedDays, counts.MedianDay = n, &median
	}
	return counts
}
