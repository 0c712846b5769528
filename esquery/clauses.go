package esquery

import (
	"encoding/json"
	"maps"

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
