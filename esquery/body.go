package esquery

import (
	"encoding/json"
	"slices"
)

// The request bodies. All are searches without hits, over the rule's query
// narrowed to a time; none holds a script or a runtime field, which are slow
// and which some clusters forbid.

type dsl = map[string]any

func fieldTypesBody(names []string) dsl { return dsl{"fields": names} }

// candidatesBody lists the pairs of a window, each with its earliest time. The
// first page also counts the events that lack a new-terms field.
func (s *Source) candidatesBody(window Range, after json.RawMessage) dsl {
	aggs := dsl{"pairs": s.pairs(s.pageSize, after, s.times("min"))}
	if after == nil && !s.search.MissingTerms {
		aggs["lacking"] = s.lacking()
	}
	return s.body(aggs, s.within(window))
}

// historyBody lists the pairs of a page with the time they were last seen in a
// range. Plain terms filters, one a field, narrow it: they let through more
// pairs than the page has, and are fast where a clause a pair is not.
func (s *Source) historyBody(history Range, page []Candidate, after json.RawMessage) dsl {
	aggs := dsl{"pairs": s.pairs(s.pageSize, after, s.times("max"))}
	return s.body(aggs, append(s.having(page), s.within(history))...)
}

// eventsBody fetches an event for each candidate that has the candidate's time.
func (s *Source) eventsBody(page []Candidate, after json.RawMessage) dsl {
	var at []Range
	for _, c := range page {
		at = append(at, Range{c.First, c.First.Add(1e6)})
	}
	slices.SortFunc(at, func(a, b Range) int { return a.From.Compare(b.From) })
	at = slices.CompactFunc(at, func(a, b Range) bool { return a.From.Equal(b.From) })
	first := dsl{"first": topHit(s.search.Timestamp)}
	if s.fallback {
		first["fallback"] = s.amongFallback(dsl{"first": topHit(s.search.Fallback)})
	}
	return s.body(dsl{"pairs": s.pairs(s.eventsPageSize, after, first)}, append(s.having(page), s.within(at...))...)
}

// oldestBody finds the time of the earliest matching event.
func (s *Source) oldestBody(r Range) dsl { return s.body(s.times("min"), s.within(r)) }

// healthBody describes the events of a range, whatever the rule's query is, and
// those that match it. It asks for now as the server sees it, as the edge of a
// range.
func (s *Source) healthBody(r Range) dsl {
	times := []string{s.search.Timestamp}
	if s.search.Fallback != "" {
		times = append(times, s.search.Fallback)
	}
	newest := dsl{"top_hits": dsl{
		"size": maxLags, "_source": false, "docvalue_fields": docValues(times),
		"sort": []dsl{{s.search.Timestamp: dsl{"order": "desc", "unmapped_type": "date", "numeric_type": "date"}}},
	}}
	aggs := s.times("max")
	aggs["newest"] = newest
	aggs["now"] = dsl{"date_range": dsl{"field": s.search.Timestamp, "ranges": []dsl{{"from": "now"}}}}
	aggs["matching"] = dsl{"filter": s.query, "aggs": dsl{"lacking": s.lacking()}}
	return dsl{"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": s.within(r)}}, "aggs": aggs}
}

// docValues asks for dates in milliseconds.
func docValues(dates []string) []dsl {
	fields := make([]dsl, len(dates))
	for i, name := range dates {
		fields[i] = dsl{"field": name, "format": "epoch_millis"}
	}
	return fields
}

// privilegesBody asks for index privileges, an entry for each index.
func privilegesBody(wanted []Privilege) dsl {
	var asked []dsl
	for _, p := range wanted {
		asked = append(asked, dsl{"names": []string{p.Index}, "privileges": []string{p.Name}})
	}
	return dsl{"index": asked}
}

func (s *Source) body(aggs dsl, filters ...dsl) dsl {
	if s.search.Fallback != "" && !s.fallback {
		aggs["without_timestamp"] = dsl{"filter": lacks(s.search.Timestamp)}
	}
	filters = append([]dsl{s.query}, filters...)
	return dsl{"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": filters}}, "aggs": aggs}
}

// pairs groups by the new-terms fields. after is the last page's after_key.
func (s *Source) pairs(size int, after json.RawMessage, aggs dsl) dsl {
	sources := make([]dsl, len(s.search.Fields))
	for i, field := range s.search.Fields {
		terms := dsl{"field": field}
		if s.search.MissingTerms {
			terms["missing_bucket"] = true
		}
		sources[i] = dsl{field: dsl{"terms": terms}}
	}
	composite := dsl{"size": size, "sources": sources}
	if after != nil {
		composite["after"] = after
	}
	return dsl{"composite": composite, "aggs": aggs}
}

// times aggregates the primary timestamp, and the fallback over the events
// that lack it, once such an event was seen.
func (s *Source) times(metric string) dsl {
	aggs := dsl{"time": dsl{metric: dsl{"field": s.search.Timestamp}}}
	if s.fallback {
		aggs["fallback"] = s.amongFallback(dsl{"time": dsl{metric: dsl{"field": s.search.Fallback}}})
	}
	return aggs
}

func (s *Source) amongFallback(aggs dsl) dsl {
	return dsl{"filter": lacks(s.search.Timestamp), "aggs": aggs}
}

// lacking counts the events that lack a new-terms field, each and any.
func (s *Source) lacking() dsl {
	filters, any := dsl{}, []dsl{}
	for _, field := range s.search.Fields {
		filters[field] = lacks(field)
		any = append(any, lacks(field))
	}
	filters[anyField] = anyOf(any)
	return dsl{"filters": dsl{"filters": filters}}
}

// anyField names the count of events that lack one field or more; no field has
// this name.
const anyField = "*"

// within is the time filter: the primary timestamp lies in one of the ranges,
// or it is missing and the fallback does.
func (s *Source) within(ranges ...Range) dsl {
	in := func(field string) dsl {
		clauses := make([]dsl, len(ranges))
		for i, r := range ranges {
			clauses[i] = dsl{"range": dsl{field: dsl{
				"gte": r.From.UnixMilli(), "lt": r.To.UnixMilli(), "format": "epoch_millis",
			}}}
		}
		if len(clauses) == 1 {
			return clauses[0]
		}
		return anyOf(clauses)
	}
	if s.search.Fallback == "" {
		return in(s.search.Timestamp)
	}
	undated := dsl{"bool": dsl{"filter": []dsl{in(s.search.Fallback)}, "must_not": []dsl{exists(s.search.Timestamp)}}}
	return anyOf([]dsl{in(s.search.Timestamp), undated})
}

// having narrows to events that have some page's value in each field.
func (s *Source) having(page []Candidate) []dsl {
	filters := make([]dsl, len(s.search.Fields))
	for i, field := range s.search.Fields {
		seen := map[any]bool{}
		values := []any{}
		for _, c := range page {
			if v := c.Terms[i]; v != nil && !seen[v] {
				seen[v] = true
				values = append(values, v)
			}
		}
		filters[i] = dsl{"terms": dsl{field: values}}
		if slices.ContainsFunc(page, func(c Candidate) bool { return c.Terms[i] == nil }) {
			filters[i] = anyOf([]dsl{filters[i], lacks(field)})
		}
	}
	return filters
}

// topHit is the earliest document by a timestamp. Its sort value is in
// milliseconds whatever the mapping is, and it tells the time in full where
// _source and fields may lack the milliseconds.
func topHit(timestamp string) dsl {
	return dsl{"top_hits": dsl{
		"size": 1, "_source": true, "fields": []string{"*"},
		"sort": []dsl{{timestamp: dsl{"order": "asc", "unmapped_type": "date", "numeric_type": "date"}}},
	}}
}

func exists(field string) dsl { return dsl{"exists": dsl{"field": field}} }

func lacks(field string) dsl { return dsl{"bool": dsl{"must_not": []dsl{exists(field)}}} }

func anyOf(queries []dsl) dsl {
	return dsl{"bool": dsl{"should": queries, "minimum_should_match": 1}}
}
