package esquery

import (
	"encoding/json"
	"maps"
	"slices"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/esquery/wanted"
)

// The common clauses of request bodies.

func (b bodies) withQuery(aggs dsl, filters ...dsl) dsl {
	if b.search.Fallback != "" && !b.fallback {
		aggs["without_timestamp"] = dsl{"filter": query.Lacks(b.search.Timestamp)}
	}
	return elastic.Aggregate(aggs, append([]dsl{b.match.Query}, filters...)...)
}

// pairs groups by the new-terms fields. after is the last page's after_key.
func (b bodies) pairs(size int, after json.RawMessage, aggs dsl) dsl {
	sources := make([]dsl, len(b.search.Fields))
	for i, field := range b.search.Fields {
		terms := dsl{"field": field}
		if b.search.MissingTerms {
			terms["missing_bucket"] = true
		}
		sources[i] = dsl{field: dsl{"terms": terms}}
	}
	pairs := elastic.CompositeOf(sources, size, after)
	if aggs != nil {
		pairs["aggs"] = aggs
	}
	return pairs
}

// withValuesOf selects events that have one of the page's values in each field.
func (b bodies) withValuesOf(page []Candidate) []dsl {
	filters := make([]dsl, len(b.search.Fields))
	for i, field := range b.search.Fields {
		seen := map[any]bool{}
		values := []any{}
		for _, c := range page {
			if v := c.Terms[i]; !seen[v] {
				seen[v] = true
				values = append(values, v)
			}
		}
		filters[i] = b.match.HasOneOf(field, values)
	}
	return filters
}

// withPairsOf selects the events of the page's pairs alone, by groups of pairs that differ
// in one field. byValues is how many events withValuesOf is expected to select: it is used
// where that costs less.
func (b bodies) withPairsOf(page []Candidate, byValues float64) []dsl {
	most := int(byValues / groupCost)
	var fewest [][]Candidate
	for field := range b.search.Fields {
		if groups := groupedBut(field, page, most); groups != nil {
			fewest, most = groups, len(groups)-1
		}
	}
	if fewest == nil {
		return b.withValuesOf(page)
	}
	clauses := make([]dsl, len(fewest))
	for i, group := range fewest {
		clauses[i] = dsl{"bool": dsl{"filter": b.withValuesOf(group)}}
	}
	return []dsl{query.AnyOf(clauses)}
}

// A group costs as much as groupCost events, and maxGroups bounds the clauses. 20 groups
// took 23 ms where 290 pairs had 40,000 events of other pairs (66 ms), in 13 segments. They
// took 240 ms where 274 had few (130 ms), in 140 segments.
const (
	groupCost = 400
	maxGroups = 100
)

// groupedBut groups candidates with the same terms in all fields but one. It returns nil if
// there are more groups than most or maxGroups.
func groupedBut(field int, page []Candidate, most int) [][]Candidate {
	var groups [][]Candidate
	at := map[string]int{}
	for _, c := range page {
		key := slices.Concat(c.Terms[:field], c.Terms[field+1:]).Key()
		i, ok := at[key]
		if !ok {
			if len(groups) >= min(most, maxGroups) {
				return nil
			}
			i, at[key] = len(groups), len(groups)
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}

// topHit requests the earliest document by a timestamp.
func (b bodies) topHit(timestamp string, what content) dsl {
	top := dsl{
		"size": 1, "_source": what.source(),
		"sort": []dsl{{timestamp: dsl{"order": "asc", "unmapped_type": "date", "numeric_type": "date"}}},
	}
	if what != place {
		maps.Copy(top, b.foundByAnd(wanted.Options(b.wanted, wanted.All(b.wanted))))
	}
	return dsl{"top_hits": top}
}
