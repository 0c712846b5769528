package esquery

import (
	"maps"
	"slices"
	"time"

	"newterms/esquery/query"
)

// The bodies of searches for events, except locate.

// find fetches events with one of the candidates' values in each field. They lie at the
// candidates' times or, if not exactly, anywhere between the first and the last. The
// answer includes other events. Hits have the given content and fields, and report
// which of the optional fields they have.
func (b bodies) find(page []Candidate, exactly bool, size int, what content, fields []dsl, optional []string) dsl {
	named := []dsl{}
	for _, name := range optional {
		named = append(named, dsl{"exists": dsl{"field": name, "_name": name}})
	}
	body := b.hits(size, what, fields)
	body["query"] = dsl{"bool": dsl{"filter": []dsl{b.match.Query, b.around(page, exactly)}, "should": named}}
	return body
}

// read fetches the contents of events with known places.
func (b bodies) read(events []*Event, what content, fields []dsl) dsl {
	ids := map[string][]string{}
	for _, e := range events {
		ids[e.Index] = append(ids[e.Index], e.ID)
	}
	var of []dsl
	for _, index := range slices.Sorted(maps.Keys(ids)) {
		of = append(of, dsl{"bool": dsl{"filter": []dsl{{"term": dsl{"_index": index}}, {"terms": dsl{"_id": ids[index]}}}}})
	}
	body := b.hits(len(events), what, fields)
	body["query"] = query.AnyOf(of)
	return body
}

// hits requests events with the values that identify them and, unless only places are
// wanted, with more fields.
func (b bodies) hits(size int, what content, fields []dsl) dsl {
	if what == place {
		fields = []dsl{}
	}
	body := b.foundByAnd(fields)
	body["size"], body["track_total_hits"], body["sort"], body["_source"] = size, false, []string{"_doc"}, what.source()
	return body
}

// foundByAnd requests the values that identify events, and more fields.
func (b bodies) foundByAnd(fields []dsl) dsl {
	if b.fromSource {
		return dsl{"fields": slices.Concat(b.foundBy(), fields)}
	}
	return dsl{"docvalue_fields": b.foundBy(), "fields": fields}
}

// maxFound is how many events find fetches for a number of candidates, some more than
// there are.
func maxFound(candidates int) int { return 2*candidates + 20 }

// around selects events at the times of candidates or, if not exactly, around them. A
// date field makes a query of each time: 484 took five times as long as one range, even
// with the additional events of the same pairs. So only pairs with more than fewOfPair
// events use exact times.
func (b bodies) around(page []Candidate, exactly bool) dsl {
	var few, many []Candidate
	for _, c := range page {
		if exactly || c.Events > fewOfPair {
			many = append(many, c)
		} else {
			few = append(few, c)
		}
	}
	var groups []dsl
	if len(few) > 0 {
		byFirst := func(a, b Candidate) int { return a.First.Compare(b.First) }
		span := query.Range{From: slices.MinFunc(few, byFirst).First, To: slices.MaxFunc(few, byFirst).First.Add(time.Millisecond)}
		groups = append(groups, dsl{"bool": dsl{"filter": append(b.withValuesOf(few), b.match.Within(span))}})
	}
	if len(many) > 0 {
		times := make([]int64, len(many))
		for i, c := range many {
			times[i] = c.First.UnixMilli()
		}
		slices.Sort(times)
		times = slices.Compact(times)
		at := b.match.Dated(func(field string) dsl { return dsl{"terms": dsl{field: times}} })
		groups = append(groups, dsl{"bool": dsl{"filter": append(b.withValuesOf(many), at)}})
	}
	if len(groups) == 1 {
		return groups[0]
	}
	return query.AnyOf(groups)
}

// foundBy requests the values that identify a candidate's event: dates in milliseconds,
// as in candidates.
func (b bodies) foundBy() []dsl {
	names := []string{b.search.Timestamp}
	if b.search.Fallback != "" {
		names = append(names, b.search.Fallback)
	}
	fields := query.DocValues(names)
	for _, name := range b.search.Fields {
		switch {
		case slices.Contains(names, name):
		case slices.Contains(b.foundByDates, name):
			fields = append(fields, query.DocValues([]string{name})...)
		default:
			fields = append(fields, dsl{"field": name})
		}
	}
	return fields
}
