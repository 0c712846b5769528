package esquery

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/query"
)

// A contextBody makes the request of Contexts. Subjects of about the same time share
// most of their H, and many of their values. So a value is counted once for what its
// subjects share, and for each subject besides. Filters make no buckets; a filter for
// each subject over all of its H would read a frequent value once for each.
type contextBody struct {
	bodies
	history  time.Duration
	subjects []Subject
	groups   []contextGroup
}

// A contextGroup is consecutive subjects with their common time, empty if they share
// none. Values are about matching events, the terms alone, or about any events.
type contextGroup struct {
	first, end    int // of the subjects
	common        query.Range
	matching, any []contextValue
}

// A contextValue is the value of a field, and the fields whose other values are counted.
type contextValue struct {
	field  string
	value  any
	others []string
}

func (v contextValue) is(other contextValue) bool {
	return v.field == other.field && v.value == other.value
}

// groupsPerHistory is how many groups cover H.
const groupsPerHistory = 8

func newContextBody(b bodies, history time.Duration, subjects []Subject) contextBody {
	c := contextBody{bodies: b, history: history, subjects: subjects}
	for first := 0; first < len(subjects); {
		g := contextGroup{first: first, end: first + 1}
		earliest, latest := subjects[first].At, subjects[first].At
		for g.end < len(subjects) {
			at := subjects[g.end].At
			from, to := earliest, latest
			if at.Before(from) {
				from = at
			}
			if at.After(to) {
				to = at
			}
			if to.Sub(from) > history/groupsPerHistory {
				break
			}
			earliest, latest = from, to
			g.end++
		}
		g.common = query.Range{From: latest.Add(-history), To: earliest}
		for _, s := range subjects[first:g.end] {
			for _, v := range c.termsOf(s) {
				g.matching = addValue(g.matching, v)
			}
			for _, v := range c.attributesOf(s) {
				g.any = addValue(g.any, v)
			}
		}
		c.groups, first = append(c.groups, g), g.end
	}
	return c
}

func addValue(all []contextValue, v contextValue) []contextValue {
	if slices.ContainsFunc(all, v.is) {
		return all
	}
	return append(all, v)
}

func (c contextBody) termsOf(s Subject) []contextValue {
	var all []contextValue
	for n, field := range c.search.Fields {
		all = append(all, contextValue{field, s.Terms[n], slices.Delete(slices.Clone(c.search.Fields), n, n+1)})
	}
	return all
}

func (c contextBody) attributesOf(s Subject) []contextValue {
	var all []contextValue
	for _, a := range s.Attributes {
		all = append(all, contextValue{a.Field, a.Value, c.search.Fields[:1]})
	}
	return all
}

// own is the H before a subject.
func (c contextBody) own(s Subject) query.Range {
	return query.Range{From: s.At.Add(-c.history), To: s.At}
}

// body selects the events that some subject needs, and counts them.
func (c contextBody) body() dsl {
	groups, subjects := [2]dsl{{}, {}}, [2]dsl{{}, {}} // of matching events, and of any
	terms, values := make([][]any, len(c.search.Fields)), map[string][]any{}
	span := query.Range{From: c.subjects[0].At, To: c.subjects[0].At}
	for i, g := range c.groups {
		within := c.match.Within(g.common)
		groups[0][strconv.Itoa(i)], groups[1][strconv.Itoa(i)] = all(c.counts(g.matching, within)), all(c.counts(g.any, within))
		for n := g.first; n < g.end; n++ {
			s := c.subjects[n]
			subjects[0][strconv.Itoa(n)], subjects[1][strconv.Itoa(n)] = c.matchingContext(g, s), c.anyContext(g, s)
			for i, term := range s.Terms {
				terms[i] = append(terms[i], term)
			}
			for _, a := range s.Attributes {
				values[a.Field] = append(values[a.Field], a.Value)
			}
			if s.At.Before(span.From) {
				span.From = s.At
			}
			if s.At.After(span.To) {
				span.To = s.At
			}
		}
	}
	span.From = span.From.Add(-2 * c.history)
	var alone []dsl
	for n, field := range c.search.Fields {
		alone = append(alone, c.match.HasOneOf(field, onceEach(terms[n])))
	}
	wanted := []dsl{{"bool": dsl{"filter": []dsl{c.match.Query, query.AnyOf(alone)}}}, alone[0]}
	for _, field := range slices.Sorted(maps.Keys(values)) {
		wanted = append(wanted, c.match.HasOneOf(field, onceEach(values[field])))
	}
	return query.Aggregate(dsl{
		"matching": filtered(dsl{"groups": all(groups[0]), "subjects": all(subjects[0])}, c.match.Query),
		"any":      all(dsl{"groups": all(groups[1]), "subjects": all(subjects[1])}),
	}, c.match.Within(span), query.AnyOf(wanted))
}

// onceEach returns the different values, in the order in which they first come.
func onceEach(values []any) []any {
	seen, once := map[any]bool{}, []any{}
	for _, v := range values {
		if !seen[v] {
			seen[v], once = true, append(once, v)
		}
	}
	return once
}

// all aggregates all events of its parent.
func all(aggs dsl) dsl { return filtered(aggs, dsl{"match_all": dsl{}}) }

// filtered aggregates the events that match all the filters.
func filtered(aggs dsl, filters ...dsl) dsl {
	filter := dsl{"bool": dsl{"filter": filters}}
	if len(filters) == 1 {
		filter = filters[0]
	}
	if len(aggs) == 0 {
		return dsl{"filter": filter}
	}
	return dsl{"filter": filter, "aggs": aggs}
}

// counts counts the events with each value, by its position.
func (c contextBody) counts(values []contextValue, within dsl) dsl {
	aggs := dsl{}
	for i, v := range values {
		seen := c.match.Times("max", c.fallback)
		for n, other := range v.others {
			seen["others"+strconv.Itoa(n)] = distinct(other)
		}
		aggs[strconv.Itoa(i)] = filtered(seen, c.match.HasOneOf(v.field, []any{v.value}), within)
	}
	return aggs
}

// rest selects the events of a subject's H that are not in its group's common time.
func (c contextBody) rest(g contextGroup, s Subject) dsl {
	return dsl{"bool": dsl{"filter": []dsl{c.match.Within(c.own(s))}, "must_not": []dsl{c.match.Within(g.common)}}}
}

// matchingContext counts the matching events of a subject alone.
func (c contextBody) matchingContext(g contextGroup, s Subject) dsl {
	var pair []dsl
	for n, field := range c.search.Fields {
		pair = append(pair, c.match.HasOneOf(field, []any{s.Terms[n]}))
	}
	pair = append(pair, c.match.Within(query.Range{From: s.At.Add(-2 * c.history), To: s.At}))
	return all(dsl{
		"pair": filtered(c.match.Times("max", c.fallback), pair...),
		"rest": filtered(c.counts(c.termsOf(s), dsl{"match_all": dsl{}}), c.rest(g, s)),
	})
}

// anyContext counts any events of a subject alone.
func (c contextBody) anyContext(g contextGroup, s Subject) dsl {
	seen, own := c.match.Times("max", c.fallback), dsl{}
	seen["first"] = all(c.match.Times("min", c.fallback))
	for i, a := range s.Attributes {
		own[strconv.Itoa(i)] = filtered(c.match.Times("max", c.fallback), c.match.HasOneOf(a.Field, []any{a.Value}), c.match.Within(c.own(s)))
	}
	seen["own"] = all(own)
	user := c.match.HasOneOf(c.search.Fields[0], []any{s.Terms[0]})
	return all(dsl{
		"user": filtered(seen, user, c.match.Within(query.Range{From: s.At.Add(-2 * c.history), To: s.At})),
		"rest": filtered(c.counts(c.attributesOf(s), dsl{"match_all": dsl{}}), c.rest(g, s)),
	})
}

// distinct lists the smallest values, up to one more than MaxOthers. Unlike a terms
// aggregation, it holds no more than these.
func distinct(field string) dsl {
	return dsl{"composite": dsl{"size": MaxOthers + 1, "sources": []dsl{{"value": dsl{"terms": dsl{"field": field}}}}}}
}

// oldestOfAll has no query for events with the primary timestamp, so that Elasticsearch
// reads the answer from its index.
func (b bodies) oldestOfAll(fallback bool) dsl {
	field := b.search.Timestamp
	body := dsl{"size": 0, "track_total_hits": false}
	if fallback {
		field, body["query"] = b.search.Fallback, query.Lacks(field)
	}
	body["aggs"] = dsl{"time": dsl{"min": dsl{"field": field}}}
	return body
}
