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
		filters[i] = b.match.HasOneOf(field, valuesOf(page, i))
	}
	return filters
}

// valuesOf lists the different terms of a page in the field at a position.
func valuesOf(page []Candidate, position int) []any {
	seen, values := map[any]bool{}, []any{}
	for _, c := range page {
		if v := c.Terms[position]; !seen[v] {
			seen[v] = true
			values = append(values, v)
		}
	}
	return values
}

// withPairsOf has at most maxGroups clauses, for at most maxByPair pairs. In an index of
// 235 segments each clause costs more: there 13 pairs took 78 ms instead of 122, 135 in 20
// groups 165 instead of 134, and each in a clause of its own 292.
const (
	maxGroups = 50
	maxByPair = 200
)

// withPairsOf selects events that have a pair of the page: for all pairs with the same
// terms but one, the one term is in a list. Where that is too much it is withValuesOf,
// which also selects other pairs of the same values.
func (b bodies) withPairsOf(page []Candidate) []dsl {
	if len(page) > maxByPair {
		return b.withValuesOf(page)
	}
	listed, most := 0, 0
	for i := range b.search.Fields {
		if n := len(valuesOf(page, i)); n > most {
			listed, most = i, n
		}
	}
	groups := map[string][]Candidate{}
	for _, c := range page {
		others := slices.Delete(slices.Clone(c.Terms), listed, listed+1)
		groups[others.Key()] = append(groups[others.Key()], c)
	}
	if len(groups) == 1 || len(groups) > maxGroups {
		return b.withValuesOf(page)
	}
	var clauses []dsl
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		clauses = append(clauses, dsl{"bool": dsl{"filter": b.withValuesOf(groups[key])}})
	}
	return []dsl{query.AnyOf(clauses)}
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
