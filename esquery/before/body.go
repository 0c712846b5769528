package before

import (
	"maps"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

type dsl = query.DSL

// body selects the events that some subject needs, and counts them. An aggregation for
// each subject is below a filter for all of them, which passes few events.
func (q question) body() dsl {
	terms, values := make([][]any, len(q.match.Search.Fields)), map[string][]any{}
	for _, s := range q.subjects {
		for i, term := range s.Terms {
			terms[i] = append(terms[i], term)
		}
		for _, a := range s.Attributes {
			values[a.Field] = append(values[a.Field], a.Value)
		}
	}
	var alone []dsl
	for n, field := range q.match.Search.Fields {
		alone = append(alone, q.match.HasOneOf(field, onceEach(terms[n])))
	}
	wanted := []dsl{{"bool": dsl{"filter": []dsl{q.match.Query, query.AnyOf(alone)}}}, alone[0]}
	for _, field := range slices.Sorted(maps.Keys(values)) {
		wanted = append(wanted, q.match.HasOneOf(field, onceEach(values[field])))
	}
	span := spanOf(q.subjects)
	span.From = span.From.Add(-2 * q.history)
	pairs, users := dsl{}, dsl{}
	for n, s := range q.subjects {
		pairs[strconv.Itoa(n)], users[strconv.Itoa(n)] = q.pair(s), q.user(s)
	}
	aggs := dsl{
		"matching": filtered(q.withGroups(dsl{"subjects": filtered(pairs, alone[0])}, group.matchingValues, q.termsOf), q.match.Query),
		"any":      all(q.withGroups(dsl{"subjects": filtered(users, alone[0])}, group.anyValues, q.attributesOf)),
	}
	if q.all.Search.Fallback != "" && !q.fallback() {
		aggs["undated"] = dsl{"filter": query.Lacks(q.all.Search.Timestamp)}
	}
	return elastic.Aggregate(aggs, q.all.Within(span), query.AnyOf(wanted))
}

// withGroups adds the counts of all groups: in their common time, and for each subject
// in the rest of its H.
func (q question) withGroups(aggs dsl, ofGroup func(group) []value, ofSubject func(Subject) []value) dsl {
	common, rest := dsl{}, dsl{}
	for i, g := range q.groups {
		common[strconv.Itoa(i)] = all(q.counts(ofGroup(g), q.match.Within(g.common)))
		subjects := dsl{}
		for n := g.first; n < g.end; n++ {
			if own := q.rest(g, q.own(q.subjects[n])); own != nil {
				subjects[strconv.Itoa(n)] = filtered(q.counts(ofSubject(q.subjects[n]), nil), own)
			}
		}
		span := spanOf(q.subjects[g.first:g.end])
		if ofAll := q.rest(g, query.Range{From: span.From.Add(-q.history), To: span.To}); ofAll != nil {
			rest[strconv.Itoa(i)] = filtered(subjects, ofAll)
		}
	}
	aggs["groups"], aggs["rest"] = all(common), all(rest)
	return aggs
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

// counts counts the events with each value, by the position of its field among all and
// by its own.
func (q question) counts(values []value, within dsl) dsl {
	aggs := dsl{}
	for f, field := range fieldsOf(values) {
		ofField, held := dsl{}, []any{}
		for i, v := range values {
			if v.field != field {
				continue
			}
			seen := q.match.Times("max", q.fallback())
			for n, other := range v.others {
				seen["others"+strconv.Itoa(n)] = distinct(other)
			}
			has := []dsl{q.match.HasOneOf(v.field, []any{v.value})}
			if within != nil {
				has = append(has, within)
			}
			ofField[strconv.Itoa(i)], held = filtered(seen, has...), append(held, v.value)
		}
		aggs[strconv.Itoa(f)] = filtered(ofField, q.match.HasOneOf(field, held))
	}
	return aggs
}

// fieldsOf lists the fields of values, each once.
func fieldsOf(values []value) []string {
	var fields []string
	for _, v := range values {
		if !slices.Contains(fields, v.field) {
			fields = append(fields, v.field)
		}
	}
	return fields
}

// rest selects the events of a time that are not in a group's common time: nil if there
// is no such time. Narrow ranges let Elasticsearch skip all other events.
func (q question) rest(g group, of query.Range) dsl {
	var ranges []dsl
	if of.From.Before(g.common.From) {
		ranges = append(ranges, q.match.Within(query.Range{From: of.From, To: g.common.From}))
	}
	if g.common.To.Before(of.To) {
		ranges = append(ranges, q.match.Within(query.Range{From: g.common.To, To: of.To}))
	}
	if len(ranges) == 0 {
		return nil
	}
	return dsl{"bool": dsl{"filter": []dsl{query.AnyOf(ranges)}, "must_not": []dsl{q.match.Within(g.common)}}}
}

// pair finds when the pair of a subject was last seen.
func (q question) pair(s Subject) dsl {
	filters := []dsl{q.match.Within(query.Range{From: s.At.Add(-2 * q.history), To: s.At})}
	for n, field := range q.match.Search.Fields {
		filters = append(filters, q.match.HasOneOf(field, []any{s.Terms[n]}))
	}
	return filtered(q.match.Times("max", q.fallback()), filters...)
}

// user counts the events of a subject's user, and those with each attribute.
func (q question) user(s Subject) dsl {
	seen, own := q.match.Times("max", q.fallback()), dsl{}
	seen["first"] = all(q.match.Times("min", q.fallback()))
	for i, a := range s.Attributes {
		own[strconv.Itoa(i)] = filtered(q.match.Times("max", q.fallback()), q.match.HasOneOf(a.Field, []any{a.Value}), q.match.Within(q.own(s)))
	}
	seen["own"] = all(own)
	is := q.match.HasOneOf(q.match.Search.Fields[0], []any{s.Terms[0]})
	return filtered(seen, is, q.match.Within(query.Range{From: s.At.Add(-2 * q.history), To: s.At}))
}

// distinct lists the smallest values, up to one more than MaxOthers. Unlike a terms
// aggregation, it holds no more than these.
func distinct(field string) dsl {
	return dsl{"composite": dsl{"size": MaxOthers + 1, "sources": []dsl{{"value": dsl{"terms": dsl{"field": field}}}}}}
}

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
