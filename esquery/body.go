package esquery

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/query"
	"newterms/esquery/wanted"
)

// The request bodies. All are searches without hits, over the rule's query
// narrowed to a time. None has a script or a runtime field: these are slow, and
// some clusters forbid them.

type dsl = query.DSL

// bodies makes the request bodies of a search. It sends nothing.
type bodies struct {
	search query.Search
	match  query.Compiled // selects its events
	// fallback makes bodies request the fallback's times too. It is set when an event
	// without the primary timestamp was seen, and stays set.
	fallback bool
	// wanted are the fields that an event is fetched with besides its _source.
	// foundByDates are the dates among the fields that identify it.
	wanted       []wanted.Field
	foundByDates []string
	// fromSource reads the values that identify events from their sources. It is set
	// when an index refuses so many doc values, and stays set.
	fromSource bool
}

// candidates lists the pairs of a window, each with its earliest time. The first page
// also counts the events that lack a new-terms field.
func (b bodies) candidates(window query.Range, size int, after json.RawMessage) dsl {
	aggs := dsl{"pairs": b.pairs(size, after, b.match.Times("min", b.fallback))}
	if after == nil {
		aggs["all"] = dsl{"filter": dsl{"match_all": dsl{}}}
	}
	if after == nil && !b.search.MissingTerms {
		aggs["lacking"] = b.match.LackingFields()
	}
	return b.withQuery(aggs, b.match.Within(window))
}

// history lists the pairs of a page of candidates with their latest time in a range.
// Terms filters, one for each field, narrow it to the page's values. They also match
// other pairs of the same values, which the reader of the answer drops. Where most pairs
// are new, byPair is faster: it does not read what else their actors did. Of 10⁷ events
// in 90 days and 32 segments it took 8 ms instead of 38 for 11 pairs, and 37 instead of
// 55 for 133.
func (b bodies) history(history query.Range, page []Candidate, byPair bool, size int, after json.RawMessage) dsl {
	filters := b.withValuesOf(page)
	if byPair {
		filters = b.withPairsOf(page)
	}
	aggs := dsl{"pairs": b.pairs(size, after, b.match.Times("max", b.fallback))}
	return b.withQuery(aggs, append(filters, b.match.Within(history))...)
}

// locate fetches an event for each candidate that has the candidate's time.
func (b bodies) locate(page []Candidate, what content, size int, after json.RawMessage) dsl {
	first := dsl{"first": b.topHit(b.search.Timestamp, what)}
	if b.fallback {
		first["by_fallback"] = b.match.AmongFallback(dsl{"first": b.topHit(b.search.Fallback, what)})
	}
	return b.withQuery(dsl{"pairs": b.pairs(size, after, first)}, append(b.withValuesOf(page), b.at(page))...)
}

// at selects events that have the time of a candidate. Each hit names, in milliseconds,
// which of these times it has: an event may have several.
func (b bodies) at(page []Candidate) dsl {
	var times []int64
	for _, c := range page {
		times = append(times, c.First.UnixMilli())
	}
	slices.Sort(times)
	var clauses []dsl
	for _, ms := range slices.Compact(times) {
		at := query.Range{From: time.UnixMilli(ms), To: time.UnixMilli(ms + 1)}
		clauses = append(clauses, dsl{"bool": dsl{"filter": []dsl{b.match.Within(at)}, "_name": strconv.FormatInt(ms, 10)}})
	}
	return query.AnyOf(clauses)
}

// exactTimes lists the pairs of some candidates with each time of their events in a
// range, by a timestamp.
func (b bodies) exactTimes(r query.Range, page []Candidate, timestamp string, size int, after json.RawMessage) dsl {
	pairs := b.pairs(size, after, nil)
	composite := pairs["composite"].(dsl)
	composite["sources"] = append(composite["sources"].([]dsl), dsl{exactTime: dsl{"date_histogram": dsl{"field": timestamp, "fixed_interval": "1ms"}}})
	filters := append(b.withValuesOf(page), b.match.Within(r))
	if timestamp != b.search.Timestamp {
		filters = append(filters, query.Lacks(b.search.Timestamp))
	}
	return b.withQuery(dsl{"pairs": pairs}, filters...)
}

// summaries counts, for each pair of some candidates, the values of some fields in a
// window. A shard returns a number of values for each field.
func (b bodies) summaries(window query.Range, page []Candidate, fields []string, perShard int64, size int, after json.RawMessage) dsl {
	values := dsl{}
	for i, field := range fields { // a name of an aggregation has no brackets, a field's may
		values[strconv.Itoa(i)] = dsl{"terms": dsl{"field": field, "size": MaxSummarized, "shard_size": perShard}}
	}
	all := func(aggs dsl) dsl { return dsl{"filter": dsl{"match_all": dsl{}}, "aggs": aggs} }
	summary := dsl{"earliest": all(b.match.Times("min", b.fallback)), "latest": all(b.match.Times("max", b.fallback))}
	if len(fields) > 0 {
		summary["values"] = all(values)
	}
	return b.withQuery(dsl{"pairs": b.pairs(size, after, summary)}, append(b.withValuesOf(page), b.match.Within(window))...)
}

// exactTime is the name of the composite source for an event's times; no field has this
// name.
const exactTime = "*"

// oldest requests the time of the earliest matching event.
func (b bodies) oldest(r query.Range) dsl {
	return b.withQuery(b.match.Times("min", b.fallback), b.match.Within(r))
}
