package before

import (
	"slices"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

type dsl = query.DSL

// body selects the events that some subject needs, and counts them.
func (q question) body() dsl {
	all := q.opened.Compiled
	alone, attributes := q.haveOne(q.terms), q.haveOne(q.attributes)
	span := func(histories int) dsl {
		cuts := q.cuts(histories)
		return all.Bounded(map[string]int64{"gte": cuts[0], "lt": cuts[len(cuts)-1]})
	}
	wanted := []dsl{alone[0], both(span(1), all.Query, query.AnyOf(alone))} // the pair's events are the user's
	user := column{field: q.terms[0].field, values: q.terms[0].values, first: true}
	var pair *column
	for _, t := range slices.Backward(q.terms) {
		pair = &column{field: t.field, values: t.values, below: pair}
	}
	aggs := dsl{
		"pairs": filtered(q.sliced(2, []column{*pair}), both(append(alone, all.Query)...)),
		"users": filtered(q.sliced(2, []column{user}), alone[0]),
		"terms": filtered(q.sliced(1, q.terms), all.Query),
		"dated": filtered(dsl{"times": metric("value_count", all.Search.Timestamp)}, query.Exists(all.Search.Timestamp)),
	}
	if len(attributes) > 0 {
		aggs["attributes"] = filtered(q.sliced(1, q.attributes), query.AnyOf(attributes))
		wanted = append(wanted, both(span(1), query.AnyOf(attributes)))
	}
	if all.Search.Fallback != "" {
		aggs["undated"] = all.AmongFallback(dsl{"times": metric("value_count", all.Search.Fallback)})
	}
	return elastic.Aggregate(aggs, span(2), query.AnyOf(wanted))
}

// haveOne selects, for each column, the events with one of its values.
func (q question) haveOne(columns []column) []dsl {
	var all []dsl
	for _, c := range columns {
		all = append(all, q.match.HasOneOf(c.field, c.values))
	}
	return all
}

// sliced aggregates the events of each section, by the timestamp that dates them.
func (q question) sliced(histories int, columns []column) dsl {
	by := func(dated query.Compiled) dsl {
		all := dsl{}
		for section, cuts := range q.sections(histories) {
			if len(cuts) > 1 {
				aggs := sectionOf(section, cuts, columns, dated.Search.Timestamp)
				all[strconv.Itoa(section)] = filtered(aggs, dated.Bounded(map[string]int64{"gte": cuts[0], "lt": cuts[len(cuts)-1]}))
			}
		}
		return all
	}
	dated, undated := q.match, q.match
	dated.Search.Fallback, undated.Search.Fallback = "", ""
	all := dsl{"dated": filtered(by(dated), dsl{"match_all": dsl{}})}
	if q.asksFallback() {
		undated.Search.Timestamp = q.match.Search.Fallback
		all["undated"] = q.match.AmongFallback(by(undated))
	}
	return all
}

// sectionOf counts the values of columns in each slice of a section, and lists the others
// of all of them.
func sectionOf(section int, cuts []int64, columns []column, timestamp string) dsl {
	ranges, counts, others := make([]dsl, len(cuts)-1), dsl{}, dsl{}
	for i := range ranges {
		ranges[i] = dsl{"from": cuts[i], "to": cuts[i+1]}
	}
	for n, c := range columns {
		lists := dsl{}
		for i, other := range c.others {
			lists["others"+strconv.Itoa(i)] = distinct(other, section, timestamp)
		}
		counts[strconv.Itoa(n)], others[strconv.Itoa(n)] = c.count(timestamp), c.each(lists)
	}
	aggs := dsl{"slices": dsl{"date_range": dsl{"field": timestamp, "format": "epoch_millis", "ranges": ranges}, "aggs": counts}}
	if len(columns[0].others) > 0 {
		aggs["others"] = filtered(others, dsl{"match_all": dsl{}})
	}
	return aggs
}

// count counts the events with each value, and those that have a value below it too.
func (c column) count(timestamp string) dsl {
	seen := dsl{"last": metric("max", timestamp)}
	if c.first {
		seen["first"] = metric("min", timestamp)
	}
	if c.below != nil {
		seen["by"] = c.below.count(timestamp)
	}
	return c.each(seen)
}

func metric(name, field string) dsl { return dsl{name: dsl{"field": field}} }

// each aggregates the events with each value. One aggregation for all values took a tenth
// of the time of a filter for each.
func (c column) each(aggs dsl) dsl {
	all, held := dsl{}, []any{}
	for _, v := range c.values {
		if v == nil {
			all["absent"] = filtered(aggs, query.Lacks(c.field))
		} else {
			held = append(held, v)
		}
	}
	if len(held) > 0 {
		all["values"] = dsl{"terms": dsl{"field": c.field, "include": held, "size": len(held), "collect_mode": "depth_first"}, "aggs": aggs}
	}
	return filtered(all, dsl{"match_all": dsl{}})
}

// distinct lists values by their time next to the common section, the nearest first, up
// to one more than MaxOthers. Those until some time are exact, however many shards there
// are: a shard leaves out a value only for MaxOthers + 1 nearer ones.
func distinct(field string, section int, timestamp string) dsl {
	terms := dsl{"field": field, "size": MaxOthers + 1, "shard_size": MaxOthers + 1}
	switch section {
	case early:
		terms["order"] = dsl{"at": "desc"}
		return dsl{"terms": terms, "aggs": dsl{"at": metric("max", timestamp)}}
	case late:
		terms["order"] = dsl{"at": "asc"}
		return dsl{"terms": terms, "aggs": dsl{"at": metric("min", timestamp)}}
	}
	terms["order"] = dsl{"_key": "asc"}
	return dsl{"terms": terms}
}

func filtered(aggs, filter dsl) dsl { return dsl{"filter": filter, "aggs": aggs} }

// both selects the events that match all the filters.
func both(filters ...dsl) dsl { return dsl{"bool": dsl{"filter": filters}} }

// oldestBody has no query for events with the primary timestamp, so that Elasticsearch
// reads the answer from its index.
func oldestBody(s query.Search, fallback bool) dsl {
	field := s.Timestamp
	body := dsl{"size": 0, "track_total_hits": false}
	if fallback {
		field, body["query"] = s.Fallback, query.Lacks(field)
	}
	body["aggs"] = dsl{"time": dsl{"min": dsl{"field": field}}}
	return body
}
