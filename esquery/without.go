package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// Subsets are the search's events without those that sets of exclusions remove. All
// sets are asked in the same requests.
type Subsets struct {
	source *Source
	sets   []*Source // one for each set
	left   []dsl     // matches the events that a set leaves
	// affected has only the events that some exclusion removes.
	affected *Source
}

// Subsets returns the events without each of some sets of exclusions. A set lists
// positions in exclude; an empty one removes nothing. Its error is about an exclusion
// that does not fit the mapping. It sends nothing.
func (s *Source) Subsets(exclude []kql.Query, sets [][]int) (*Subsets, error) {
	queries := make([]dsl, len(exclude))
	for i, q := range exclude {
		var err error
		if queries[i], err = query.CompileExclusion(q, s.Mapping.Fields); err != nil {
			return nil, err
		}
	}
	with := func(clause dsl) *Source {
		one := *s
		one.fallback = s.search.Fallback != ""
		one.Opened = s.Opened.And(clause)
		one.match = one.Opened.Compiled
		return &one
	}
	all := &Subsets{source: with(dsl{"match_all": dsl{}}), affected: with(query.AnyOf(slices.Clone(queries)))}
	for _, set := range sets {
		removed := []dsl{}
		for _, i := range set {
			removed = append(removed, queries[i])
		}
		left := dsl{"bool": dsl{"must_not": removed}}
		all.left, all.sets = append(all.left, left), append(all.sets, with(left))
	}
	// An answer holds about as much as one of defaultPageSize candidates.
	all.affected.pageSize = max(1, min(s.pageSize, 2*defaultPageSize/max(1, len(sets))))
	all.source.pageSize = all.affected.pageSize
	return all, nil
}

// Affected lists, by pages, the pairs in a range with events that some exclusion
// removes. To all other pairs the sets make no difference. It ends after the first
// error.
func (s *Subsets) Affected(ctx context.Context, r query.Range) iter.Seq2[[]Candidate, error] {
	return func(yield func([]Candidate, error) bool) {
		for page, err := range s.affected.Candidates(ctx, r) {
			if !yield(page.Candidates, err) || err != nil {
				return
			}
		}
	}
}

// A Remainder is what a set leaves of a pair's events. The zero time means none.
type Remainder struct {
	First    time.Time // the earliest event in the window
	LastSeen time.Time // the latest event in the history
}

// Remainders returns for each candidate, in their order, the Remainder of each set. The
// history ends where the window begins.
func (s *Subsets) Remainders(ctx context.Context, history, window query.Range, candidates []Candidate) ([][]Remainder, error) {
	left, err := elastic.InHalves(candidates, func(some []Candidate) ([][]Remainder, error) {
		return s.remainders(ctx, history, window, some)
	})
	if err != nil {
		return nil, fmt.Errorf("measure exclusions: %w", err)
	}
	return left, nil
}

// subsetAnswer is the answer about a pair, with a member for each set.
type subsetAnswer struct {
	In     query.TimesAnswer `json:"in"`
	Before query.TimesAnswer `json:"before"`
}

type subsetBucket struct {
	Key  bucketKey                        `json:"key"`
	Sets elastic.ByPosition[subsetAnswer] `json:"sets"`
}

func (s *Subsets) remainders(ctx context.Context, history, window query.Range, candidates []Candidate) ([][]Remainder, error) {
	positions := make(map[string]int, len(candidates))
	all := make([][]Remainder, len(candidates))
	for i, c := range candidates {
		positions[c.Terms.Key()], all[i] = i, make([]Remainder, len(s.sets))
	}
	body := func(size int, after json.RawMessage) any { return s.body(history, window, candidates, size, after) }
	pager := elastic.Pager{Client: s.source.Client, Search: s.source.Request(nil), Body: body, Size: s.source.pageSize}
	for {
		var answer struct {
			Pairs elastic.Composite[subsetBucket] `json:"pairs"`
		}
		ok, err := pager.Next(ctx, &answer, &answer.Pairs)
		if s.source.pageSize = pager.Size; err != nil {
			return nil, s.source.Diagnose(ctx, err)
		}
		if !ok {
			return all, s.correct(ctx, history, window, candidates, all)
		}
		for _, b := range answer.Pairs.Buckets {
			terms, err := s.source.terms(bucket{Key: b.Key})
			if err != nil {
				return nil, err
			}
			i, wanted := positions[Pair(terms).Key()]
			for set := range b.Sets {
				if wanted && set < len(s.sets) {
					all[i][set].First, _ = b.Sets[set].In.Earliest()
					all[i][set].LastSeen, _ = b.Sets[set].Before.Latest()
				}
			}
		}
	}
}

func (s *Subsets) body(history, window query.Range, candidates []Candidate, size int, after json.RawMessage) dsl {
	b, each := s.source.bodies, dsl{}
	for i, left := range s.left {
		each[strconv.Itoa(i)] = dsl{"filter": left, "aggs": dsl{
			"in":     dsl{"filter": b.match.Within(window), "aggs": b.match.Times("min", b.fallback)},
			"before": dsl{"filter": b.match.Within(history), "aggs": b.match.Times("max", b.fallback)},
		}}
	}
	sets := dsl{"sets": dsl{"filter": dsl{"match_all": dsl{}}, "aggs": each}}
	filters := append(b.withValuesOf(candidates), b.match.Within(query.Range{From: history.From, To: window.To}))
	return b.withQuery(dsl{"pairs": b.pairs(size, after, sets)}, filters...)
}

// correct replaces times outside of their range, which events with several times have.
func (s *Subsets) correct(ctx context.Context, history, window query.Range, candidates []Candidate, all [][]Remainder) error {
	for set, source := range s.sets {
		var first, last []int
		for i := range all {
			if at := all[i][set].First; !at.IsZero() && at.Before(window.From) {
				first = append(first, i)
			}
			if at := all[i][set].LastSeen; !at.Before(history.To) { // zero is before
				last = append(last, i)
			}
		}
		spans, err := source.spans(ctx, window, candidates, first)
		if err != nil {
			return err
		}
		for i, span := range spans {
			all[first[i]][set].First = span.From
		}
		if spans, err = source.spans(ctx, history, candidates, last); err != nil {
			return err
		}
		for i, span := range spans {
			all[last[i]][set].LastSeen = span.To
		}
	}
	return nil
}
