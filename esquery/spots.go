package esquery

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A Spot asks for the events of a pair in a time.
type Spot struct {
	Terms Pair
	In    query.Range
	// Also is a clause that the events match besides; nil if there is none. Instead is one
	// that they match instead of the search's query; nil is the query.
	Also, Instead query.DSL
}

// A Seen is when the first and the last event of a Spot were. Both are zero if there is
// none. An event with several times, of which one is in the spot, counts for the earliest
// or latest moment of the spot at most.
type Seen struct{ First, Last time.Time }

// Any reports whether there is an event.
func (s Seen) Any() bool { return !s.First.IsZero() }

// spotsAtOnce is how many spots a search has. Each takes up to 8 aggregations, for each of
// which Elasticsearch reserves 5 kB in each shard.
const spotsAtOnce = 200

// Spots returns what each spot has, in their order.
func (s *Source) Spots(ctx context.Context, spots []Spot) ([]Seen, error) {
	var all []Seen
	for chunk := range slices.Chunk(spots, spotsAtOnce) {
		seen, err := elastic.InHalves(chunk, func(spots []Spot) ([]Seen, error) { return s.spots(ctx, spots) })
		if err != nil {
			return nil, fmt.Errorf("look for the events of pairs: %w", err)
		}
		all = append(all, seen...)
	}
	return all, nil
}

func (s *Source) spots(ctx context.Context, spots []Spot) ([]Seen, error) {
	var answer struct {
		All struct {
			Spots elastic.ByPosition[struct {
				First query.TimesAnswer `json:"first"`
				Last  query.TimesAnswer `json:"last"`
			}] `json:"spots"`
		} `json:"all"`
	}
	if err := s.AllowFewerShards().Ask(ctx, s.spotsBody(spots), &answer); err != nil {
		return nil, err
	}
	seen := make([]Seen, len(spots))
	for i, found := range answer.All.Spots {
		first, ok := found.First.Earliest()
		if last, hasLast := found.Last.Latest(); ok && hasLast && i < len(spots) {
			in := spots[i].In
			seen[i] = Seen{laterOf(first, in.From), earlierOf(last, in.To.Add(-time.Millisecond))}
		}
	}
	return seen, nil
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// spotsBody narrows the search to the spots' time and first terms, and counts each spot by
// a filter. The fallback is always asked for: the spots are few.
func (s *Source) spotsBody(spots []Spot) dsl {
	fallback := s.search.Fallback != ""
	all := func(aggs dsl) dsl { return dsl{"filter": dsl{"match_all": dsl{}}, "aggs": aggs} }
	each, span := dsl{}, query.Range{From: spots[0].In.From, To: spots[0].In.To}
	var terms []any
	for i, spot := range spots {
		span = query.Range{From: earlierOf(span.From, spot.In.From), To: laterOf(span.To, spot.In.To)}
		if !slices.Contains(terms, spot.Terms[0]) {
			terms = append(terms, spot.Terms[0])
		}
		filters := []dsl{s.match.Within(spot.In)}
		for n, field := range s.search.Fields {
			filters = append(filters, s.match.HasOneOf(field, []any{spot.Terms[n]}))
		}
		switch {
		case spot.Instead != nil:
			filters = append(filters, spot.Instead)
		default:
			filters = append(filters, s.match.Query)
		}
		if spot.Also != nil {
			filters = append(filters, spot.Also)
		}
		each[strconv.Itoa(i)] = dsl{"filter": dsl{"bool": dsl{"filter": filters}}, "aggs": dsl{
			"first": all(s.match.Times("min", fallback)), "last": all(s.match.Times("max", fallback)),
		}}
	}
	return elastic.Aggregate(dsl{"all": all(dsl{"spots": all(each)})}, s.match.Within(span), s.match.HasOneOf(s.search.Fields[0], terms))
}
