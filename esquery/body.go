package esquery

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// The request bodies. All are searches without hits, over the rule's query
// narrowed to a time. None has a script or a runtime field: these are slow, and
// some clusters forbid them.

type dsl = map[string]any

// bodies makes the request bodies of a search. It sends nothing.
type bodies struct {
	search Search
	query  dsl // compiled from the search
	// fallback makes bodies request the fallback's times too. It is set when an event
	// without the primary timestamp was seen, and stays set.
	fallback bool
	// wanted are the fields that an event is fetched with besides its _source.
	// foundByDates are the dates among the fields that identify it.
	wanted       []wantedField
	foundByDates []string
	reaches      map[string]reach // of fields that have a narrower type in some index
	// fromSource reads the values that identify events from their sources. It is set
	// when an index refuses so many doc values, and stays set.
	fromSource bool
}

// candidates lists the pairs of a window, each with its earliest time. The first page
// also counts the events that lack a new-terms field.
func (b bodies) candidates(window Range, size int, after json.RawMessage) dsl {
	aggs := dsl{"pairs": b.pairs(size, after, b.times("min"))}
	if after == nil {
		aggs["all"] = dsl{"filter": dsl{"match_all": dsl{}}}
	}
	if after == nil && !b.search.MissingTerms {
		aggs["lacking"] = b.lacking()
	}
	return b.withQuery(aggs, b.within(window))
}

// history lists the pairs of a page of candidates with their latest time in a range.
// Plain terms filters, one for each field, narrow it to the page's values. They also
// match other pairs of the same values, which the reader of the answer drops. A clause
// for each pair would be much slower.
func (b bodies) history(history Range, page []Candidate, size int, after json.RawMessage) dsl {
	aggs := dsl{"pairs": b.pairs(size, after, b.times("max"))}
	return b.withQuery(aggs, append(b.withValuesOf(page), b.within(history))...)
}

// locate fetches an event for each candidate that has the candidate's time.
func (b bodies) locate(page []Candidate, what content, size int, after json.RawMessage) dsl {
	first := dsl{"first": b.topHit(b.search.Timestamp, what)}
	if b.fallback {
		first["fallback"] = b.amongFallback(dsl{"first": b.topHit(b.search.Fallback, what)})
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
		at := Range{time.UnixMilli(ms), time.UnixMilli(ms + 1)}
		clauses = append(clauses, dsl{"bool": dsl{"filter": []dsl{b.within(at)}, "_name": strconv.FormatInt(ms, 10)}})
	}
	return anyOf(clauses)
}

// exactTimes lists the pairs of some candidates with each time of their events in a
// range, by a timestamp.
func (b bodies) exactTimes(r Range, page []Candidate, timestamp string, size int, after json.RawMessage) dsl {
	pairs := b.pairs(size, after, nil)
	composite := pairs["composite"].(dsl)
	composite["sources"] = append(composite["sources"].([]dsl), dsl{exactTime: dsl{"date_histogram": dsl{"field": timestamp, "fixed_interval": "1ms"}}})
	filters := append(b.withValuesOf(page), b.within(r))
	if timestamp != b.search.Timestamp {
		filters = append(filters, lacks(b.search.Timestamp))
	}
	return b.withQuery(dsl{"pairs": pairs}, filters...)
}

// exactTime is the name of the composite source for an event's times; no field has this
// name.
const exactTime = "*"

// excludedBody counts how many of the matching events in a range each query matches.
func (b bodies) excludedBody(matching dsl, queries []dsl, r Range) dsl {
	aggs := dsl{"all": dsl{"filter": dsl{"match_all": dsl{}}}}
	for i, query := range queries {
		aggs[strconv.Itoa(i)] = dsl{"filter": query}
	}
	return dsl{"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": []dsl{matching, b.within(r)}}}, "aggs": aggs}
}

// oldest requests the time of the earliest matching event.
func (b bodies) oldest(r Range) dsl { return b.withQuery(b.times("min"), b.within(r)) }

// health describes all events in a range, and those that match the rule. It requests
// the server's time as the edge of a range.
func (b bodies) health(r Range, lags int, arrivals []string) dsl {
	times := []string{b.search.Timestamp}
	if b.search.Fallback != "" {
		times = append(times, b.search.Fallback)
	}
	values := map[bool]string{true: "fields", false: "docvalue_fields"}[b.fromSource]
	newest := dsl{"top_hits": dsl{"size": lags, "_source": false, values: docValues(times), "sort": b.newestFirst()}}
	aggs := b.times("max")
	aggs["newest"], aggs["arrival"] = newest, b.arrival(arrivals, lags)
	aggs["clock"] = now(b.search.Timestamp)
	aggs["matching"] = dsl{"filter": b.query, "aggs": dsl{"lacking": b.lacking()}}
	return dsl{"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": b.within(r)}}, "aggs": aggs}
}

// newestSources fetches the newest matching event in each of some indices.
func (b bodies) newestSources(r Range, of dsl, source any) dsl {
	newest := dsl{"top_hits": dsl{"size": 1, "_source": source, "sort": b.newestFirst()}}
	indices := dsl{"terms": dsl{"field": "_index", "size": maxIndices}, "aggs": dsl{"newest": newest}}
	query := dsl{"bool": dsl{"filter": []dsl{b.query, b.within(r), of}}}
	return dsl{"size": 0, "track_total_hits": false, "query": query, "aggs": dsl{"indices": indices}}
}

func (b bodies) newestFirst() []dsl {
	return []dsl{{b.search.Timestamp: dsl{"order": "desc", "unmapped_type": "date", "numeric_type": "date"}}}
}

// nowBody requests only the server's time.
func nowBody(timestamp string) dsl {
	return dsl{"size": 0, "track_total_hits": false, "query": dsl{"match_none": dsl{}}, "aggs": dsl{"clock": now(timestamp)}}
}

// now requests the server's time, as the edge of a range.
func now(timestamp string) dsl {
	return dsl{"date_range": dsl{"field": timestamp, "ranges": []dsl{{"from": "now"}}}}
}

// docValues requests dates in milliseconds.
func docValues(dates []string) []dsl {
	fields := make([]dsl, len(dates))
	for i, name := range dates {
		fields[i] = dsl{"field": name, "format": "epoch_millis"}
	}
	return fields
}
