package backtest

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
)

// MaxMeasuredExclusions is how many exclusions are measured one by one. All of them are
// measured in the same pass over the range.
const MaxMeasuredExclusions = 20

// ExclusionEffects are the effects of the additional exclusions.
type ExclusionEffects struct {
	Number     int         `json:"-"`          // of exclusions
	Exclusions []Exclusion `json:"exclusions"` // in their order; empty if there are more than MaxMeasuredExclusions
	// Without is the number of first occurrences without any of the exclusions.
	Without int64 `json:"without_exclusions"`
}

// An Exclusion is one exclusion and its effect, alone and in addition to the others. It
// removes events from candidates and history alike. So it creates first occurrences
// too: without a pair's earlier events, a later one is the first.
type Exclusion struct {
	Query          string `json:"query"`
	Alerts         int64  `json:"alerts"`  // first occurrences that it takes
	Creates        int64  `json:"creates"` // first occurrences that there are only with it
	Events         int64  `json:"events"`  // that it removes
	AlertsBesides  int64  `json:"alerts_besides_others"`
	CreatesBesides int64  `json:"creates_besides_others"`
	EventsBesides  int64  `json:"events_besides_others"`
}

// A change counts how the first occurrences of two sets of events differ.
type change struct{ taken, created int64 }

// add compares the first occurrences of a pair in a part; the zero time means none.
func (c *change) add(before, after time.Time) {
	if before.Equal(after) {
		return
	}
	if !before.IsZero() {
		c.taken++
	}
	if !after.IsZero() {
		c.created++
	}
}

// measure walks once through the parts of the range. It calls see with the first
// occurrence of each set of exclusions, for each pair of a part to which they make a
// difference; the zero time means none.
func (b *Backtest) measure(ctx context.Context, source *esquery.Source, c calendar, exclude []kql.Query, sets [][]int, see func(first []time.Time)) error {
	subsets, err := source.Subsets(exclude, sets)
	if err != nil {
		return err
	}
	finder := job.Finder{History: b.Rule.History}
	for part := range c.parts(b.Rule.History) {
		history := query.Range{From: part.From.Add(-b.Rule.History), To: part.From}
		for page, err := range subsets.Affected(ctx, query.Range{From: history.From, To: part.To}) {
			var left [][]esquery.Remainder
			if err == nil {
				left, err = subsets.Remainders(ctx, history, query.Range(part), page)
			}
			if err != nil {
				return fmt.Errorf("window %s: %w", part, err)
			}
			for _, pair := range left {
				first := make([]time.Time, len(sets))
				for set, r := range pair {
					if !r.First.IsZero() && finder.IsFirstOccurrence(r.First, r.LastSeen) {
						first[set] = r.First
					}
				}
				see(first)
			}
		}
	}
	return nil
}

// others lists the numbers below n without one, or all of them if that is none of them.
func others(n, without int) []int {
	var list []int
	for i := range n {
		if i != without {
			list = append(list, i)
		}
	}
	return list
}

// measureExclusions compares the first occurrences without the exclusions, with each
// alone, and with all but each. total is the number with all of them.
func (b *Backtest) measureExclusions(ctx context.Context, c calendar, total int64) (*ExclusionEffects, error) {
	n := len(b.Exclude)
	m := &ExclusionEffects{Number: n, Exclusions: []Exclusion{}}
	if n > MaxMeasuredExclusions { // thousands of clauses are more than a cluster accepts
		return m, b.count(ctx, c.window, nil, b.Rule.History, func(job.Occurrence) { m.Without++ })
	}
	m.Exclusions = make([]Exclusion, n)
	sets := [][]int{nil, others(n, -1)} // then each alone, and all but each
	for i := range n {
		sets = append(sets, []int{i}, others(n, i))
	}
	source, err := b.Open(ctx, b.Rule.Search)
	if err != nil {
		return nil, err
	}
	var all change
	alone, besides := make([]change, n), make([]change, n)
	err = b.measure(ctx, source, c, b.Exclude, sets, func(first []time.Time) {
		all.add(first[0], first[1])
		for i := range n {
			alone[i].add(first[0], first[2+2*i])
			besides[i].add(first[3+2*i], first[1])
		}
	})
	if err != nil {
		return nil, err
	}
	m.Without = total + all.taken - all.created
	counts, _, err := b.events(ctx, c, b.Rule.Search.Exclude, b.Exclude)
	for i := range counts {
		m.Exclusions[i] = exclusionOf(b.Exclude[i], alone[i], besides[i], counts[i])
	}
	return m, err
}

// events counts the events that each of some exclusions removes, of those that match
// with none of them but the others.
func (b *Backtest) events(ctx context.Context, c calendar, besides, exclude []kql.Query) ([]inspect.ExclusionEffect, int64, error) {
	search := b.Rule.Search
	search.Exclude = append(append([]kql.Query{}, besides...), exclude...)
	source, err := b.Open(ctx, search)
	if err != nil {
		return nil, 0, err
	}
	return inspect.ExclusionEffects(ctx, source.Opened, query.Range(c.window), len(exclude))
}

func exclusionOf(q kql.Query, alone, besides change, events inspect.ExclusionEffect) Exclusion {
	return Exclusion{
		Query: q.String(), Alerts: alone.taken, Creates: alone.created, Events: events.Alone,
		AlertsBesides: besides.taken, CreatesBesides: besides.created, EventsBesides: events.Only,
	}
}
