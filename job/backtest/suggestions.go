package backtest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"newterms/esquery"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/job/exclusion"
)

// Suggestions are exclusions that would take the most alerts, measured.
type Suggestions struct {
	Exclusions []Exclusion `json:"exclusions"` // the most useful first, at most MaxSuggestions
	// Left is the number of first occurrences with all of the Exclusions.
	Left int64 `json:"first_occurrences_left"`
	// Withheld lists exclusions that are not suggested, because they would take an alert
	// that was closed as a true positive.
	Withheld []string `json:"withheld,omitempty"`
}

// MaxSuggestions is how many exclusions are suggested.
const MaxSuggestions = 5

// maxCandidates is how many exclusions are tried in one pass over the range, and
// maxOfDimension how many values of a dimension. Each adds a filter for each pair.
const (
	maxCandidates  = 16
	maxOfDimension = 5
)

// fewestTaken is how many alerts an exclusion must take, and one in leastShare of all:
// two by the same network may as well be an attack.
const (
	fewestTaken = 3
	leastShare  = 100
)

// A suggestion is an exclusion that may be suggested.
type suggestion struct {
	ValueCount
	query  kql.Query
	alone  change
	events inspect.ExclusionEffect
	left   float64 // the share of the matching events that it leaves
}

// suggest measures exclusions of the most frequent values. It walks through the range
// once for all of them, and once more for the chosen ones together.
func (b *Backtest) suggest(ctx context.Context, source *esquery.Source, c calendar, f *totals) (*Suggestions, error) {
	s := &Suggestions{Exclusions: []Exclusion{}, Left: f.total}
	candidates := candidatesOf(f.values, source)
	candidates, withheld, err := b.withoutTrue(ctx, candidates)
	if err != nil || len(candidates)+len(withheld) == 0 {
		return s, err
	}
	s.Withheld = withheld
	if candidates, err = b.countEvents(ctx, c, candidates); err != nil || len(candidates) == 0 {
		return s, err
	}
	chosen, err := b.choose(ctx, source, c, candidates, f.total)
	if err != nil || len(chosen) == 0 {
		return s, err
	}
	all, besides, err := b.measureTogether(ctx, source, c, chosen)
	if err != nil {
		return s, err
	}
	if chosen, err = b.countEvents(ctx, c, chosen); err != nil {
		return s, err
	}
	s.Left += all.created - all.taken
	for i, one := range chosen {
		s.Exclusions = append(s.Exclusions, exclusionOf(one.query, one.alone, besides[i], one.events))
	}
	return s, nil
}

// candidatesOf returns exclusions of the most frequent values that say who or from
// where. A whole account, what happened and how it ended are no reason to look away.
func candidatesOf(values []Dimension, source *esquery.Source) []suggestion {
	var all []suggestion
	for _, d := range values {
		for _, v := range d.Top(maxOfDimension, fewestTaken) {
			if !v.isSource {
				continue
			}
			q, err := exclusion.Parse(kql.Equals(v.Field, v.Value))
			field, texts, ok := q.Values()
			if err == nil && ok && field == v.Field && texts[0] == v.Value && source.CanExclude(v.Field, v.Value) {
				all = append(all, suggestion{ValueCount: v, query: q})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b suggestion) int { return cmp.Compare(b.Count, a.Count) })
	return all[:min(len(all), maxCandidates)]
}

// withoutTrue removes the candidates that would take an alert closed as a true
// positive. It compares texts in any letter case, and parts of them: an exclusion that
// is not suggested does less harm than one that hides an attack.
func (b *Backtest) withoutTrue(ctx context.Context, candidates []suggestion) (kept []suggestion, withheld []string, err error) {
	var fields []string
	for _, one := range candidates {
		fields = append(fields, one.Field)
	}
	slices.Sort(fields)
	found, err := b.Store.TrueFindings(ctx, b.Rule.ID, slices.Compact(fields))
	for _, one := range candidates {
		value := strings.ToLower(one.Value)
		isTrue := slices.ContainsFunc(found, func(texts map[string][]string) bool {
			return slices.ContainsFunc(texts[one.Field], func(text string) bool { return strings.Contains(strings.ToLower(text), value) })
		})
		if isTrue {
			withheld = append(withheld, one.query.String())
		} else {
			kept = append(kept, one)
		}
	}
	return kept, withheld, err
}

// countEvents sets the events that each removes, and drops those that remove none or
// all that match.
func (b *Backtest) countEvents(ctx context.Context, c calendar, candidates []suggestion) ([]suggestion, error) {
	counts, of, err := b.events(ctx, c, b.ruleWith(b.Exclude).Search.Exclude, queriesOf(candidates))
	var kept []suggestion
	for i := range counts {
		candidates[i].events, candidates[i].left = counts[i], 1-float64(counts[i].Alone)/float64(max(1, of))
		if n := counts[i].Alone; n > 0 && n < of {
			kept = append(kept, candidates[i])
		}
	}
	return kept, err
}

func queriesOf(suggestions []suggestion) []kql.Query {
	queries := make([]kql.Query, len(suggestions))
	for i, one := range suggestions {
		queries[i] = one.query
	}
	return queries
}

// choose measures each candidate alone, and takes one after the other. Each time it
// takes the one that removes the most of the alerts that are left, less those that it
// creates, times the share of the events that it leaves: of two that take as many
// alerts, it takes the one that hides less. It never takes the last alert: a rule that
// finds nothing is turned off, not tuned.
func (b *Backtest) choose(ctx context.Context, source *esquery.Source, c calendar, candidates []suggestion, left int64) ([]suggestion, error) {
	sets := [][]int{nil}
	for i := range candidates {
		sets = append(sets, []int{i})
	}
	taken := map[uint32]int64{} // the number of alerts by the candidates that take them
	err := b.measure(ctx, source, c, queriesOf(candidates), sets, func(first []time.Time) {
		by := uint32(0)
		for i := range candidates {
			candidates[i].alone.add(first[0], first[1+i])
			if !first[0].IsZero() && !first[0].Equal(first[1+i]) {
				by |= 1 << i
			}
		}
		taken[by]++
	})
	if err != nil {
		return nil, err
	}
	var chosen []suggestion
	fewest := max(fewestTaken, left/leastShare)
	for by := uint32(0); len(chosen) < MaxSuggestions; {
		best, most, removed := -1, 0.0, int64(0)
		for i, one := range candidates {
			n := int64(0)
			for takers, alerts := range taken {
				if takers&(1<<i) != 0 && takers&by == 0 {
					n += alerts
				}
			}
			net := n - one.alone.created
			if score := float64(net) * one.left; n >= fewest && net < left && score > most {
				best, most, removed = i, score, net
			}
		}
		if best < 0 {
			break
		}
		by |= 1 << best
		left -= removed
		chosen = append(chosen, candidates[best])
	}
	return chosen, nil
}

// measureTogether compares the first occurrences with all suggestions, and with all but
// each.
func (b *Backtest) measureTogether(ctx context.Context, source *esquery.Source, c calendar, chosen []suggestion) (all change, besides []change, err error) {
	sets := [][]int{nil, others(len(chosen), -1)}
	for i := range chosen {
		sets = append(sets, others(len(chosen), i))
	}
	besides = make([]change, len(chosen))
	err = b.measure(ctx, source, c, queriesOf(chosen), sets, func(first []time.Time) {
		all.add(first[0], first[1])
		for i := range chosen {
			besides[i].add(first[2+i], first[1])
		}
	})
	return all, besides, err
}
