package esquery

import (
	"encoding/json"
	"maps"
	"strconv"
)

// The common clauses of request bodies.

func (b bodies) withQuery(aggs dsl, filters ...dsl) dsl {
	if b.search.Fallback != "" && !b.fallback {
		aggs["without_timestamp"] = dsl{"filter": lacks(b.search.Timestamp)}
	}
	filters = append([]dsl{b.query}, filters...)
	return dsl{"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": filters}}, "aggs": aggs}
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
	composite := dsl{"size": size, "sources": sources}
	if after != nil {
		composite["after"] = after
	}
	pairs := dsl{"composite": composite}
	if aggs != nil {
		pairs["aggs"] = aggs
	}
	return pairs
}

// times aggregates the primary timestamp and, once an event without it was seen, the
// fallback over such events.
func (b bodies) times(metric string) dsl {
	aggs := dsl{"time": dsl{metric: dsl{"field": b.search.Timestamp}}}
	if b.fallback {
		aggs["fallback"] = b.amongFallback(dsl{"time": dsl{metric: dsl{"field": b.search.Fallback}}})
	}
	return aggs
}

func (b bodies) amongFallback(aggs dsl) dsl {
	return dsl{"filter": lacks(b.search.Timestamp), "aggs": aggs}
}

// lacking counts the events that lack any new-terms field. By the field's position it
// also counts those that lack it, and those whose value is not indexed because it is
// malformed or longer than ignore_above. It uses single filters, not a filters
// aggregation, whose buckets count towards search.max_buckets.
func (b bodies) lacking() dsl {
	any, each := []dsl{}, dsl{}
	for i, field := range b.search.Fields {
		any = append(any, lacks(field))
		ignored := dsl{"filter": dsl{"term": dsl{"_ignored": field}}}
		each[strconv.Itoa(i)] = dsl{"filter": lacks(field), "aggs": dsl{"ignored": ignored}}
	}
	return dsl{"filter": anyOf(any), "aggs": each}
}

// within selects events that have a time in the range.
func (b bodies) within(r Range) dsl {
	return b.dated(b.bounded(map[string]int64{"gte": r.From.UnixMilli(), "lt": r.To.UnixMilli()}))
}

// dated selects events whose primary timestamp, or if they lack it the fallback,
// satisfies a filter. One of several times is enough.
func (b bodies) dated(in func(field string) dsl) dsl {
	if b.search.Fallback == "" {
		return in(b.search.Timestamp)
	}
	undated := dsl{"bool": dsl{"filter": []dsl{in(b.search.Fallback)}, "must_not": []dsl{exists(b.search.Timestamp)}}}
	return anyOf([]dsl{in(b.search.Timestamp), undated})
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
		filters[i] = b.hasOneOf(field, values)
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
		maps.Copy(top, b.foundByAnd(fetchFields(b.wanted, allWanted(b.wanted))))
	}
	return dsl{"top_hits": top}
}

func exists(field string) dsl { return dsl{"exists": dsl{"field": field}} }

func lacks(field string) dsl { return not(exists(field)) }

func not(query dsl) dsl { return dsl{"bool": dsl{"must_not": []dsl{query}}} }

func anyOf(queries []dsl) dsl {
	return dsl{"bool": dsl{"should": queries, "minimum_should_match": 1}}
}
