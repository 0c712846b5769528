package esquery

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// contexts asks what was known of subjects. The query selects the events that any of
// them needs, and a filter for each subject those that it needs. Single filters make no
// buckets.
func (b bodies) contexts(history time.Duration, subjects []Subject) dsl {
	ofSearch, ofAll := dsl{}, dsl{}
	terms, values := make([][]any, len(b.search.Fields)), map[string][]any{}
	for i, subject := range subjects {
		name := strconv.Itoa(i)
		ofSearch[name], ofAll[name] = b.matchingContext(history, subject), b.anyContext(history, subject)
		for n, term := range subject.Terms {
			terms[n] = append(terms[n], term)
		}
		for _, a := range subject.Attributes {
			values[a.Field] = append(values[a.Field], a.Value)
		}
	}
	var alone []dsl
	for n, field := range b.search.Fields {
		alone = append(alone, b.match.HasOneOf(field, onceEach(terms[n])))
	}
	wanted := []dsl{{"bool": dsl{"filter": []dsl{b.match.Query, query.AnyOf(alone)}}}, alone[0]}
	for _, field := range slices.Sorted(maps.Keys(values)) {
		wanted = append(wanted, b.match.HasOneOf(field, onceEach(values[field])))
	}
	byTime := func(a, b Subject) int { return a.At.Compare(b.At) }
	span := query.Range{From: slices.MinFunc(subjects, byTime).At.Add(-2 * history), To: slices.MaxFunc(subjects, byTime).At}
	return query.Aggregate(dsl{
		"matching": matching(ofSearch, b.match.Query), "any": all(ofAll),
	}, b.match.Within(span), query.AnyOf(wanted))
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

// all aggregates all events of its parent: it keeps names that are positions apart from
// others.
func all(aggs dsl) dsl { return matching(aggs, dsl{"match_all": dsl{}}) }

// matching aggregates the events that match all the filters.
func matching(aggs dsl, filters ...dsl) dsl {
	if len(filters) == 1 {
		return dsl{"filter": filters[0], "aggs": aggs}
	}
	return dsl{"filter": dsl{"bool": dsl{"filter": filters}}, "aggs": aggs}
}

// matchingContext aggregates matching events: those of the pair and of each term.
func (b bodies) matchingContext(history time.Duration, s Subject) dsl {
	before := func(length time.Duration) dsl { return b.match.Within(query.Range{From: s.At.Add(-length), To: s.At}) }
	pair, terms := []dsl{}, dsl{}
	for n, field := range b.search.Fields {
		has := b.match.HasOneOf(field, []any{s.Terms[n]})
		pair = append(pair, has)
		seen := b.match.Times("max", b.fallback)
		others := dsl{}
		for i, other := range b.search.Fields {
			if i != n {
				others[strconv.Itoa(i)] = distinct(other)
			}
		}
		if len(others) > 0 {
			seen["others"] = all(others)
		}
		terms[strconv.Itoa(n)] = matching(seen, has, before(history))
	}
	return matching(dsl{"pair": matching(b.match.Times("max", b.fallback), pair...), "terms": all(terms)}, before(2*history), query.AnyOf(pair))
}

// anyContext aggregates any events: those of the user and of each attribute.
func (b bodies) anyContext(history time.Duration, s Subject) dsl {
	user, attributes := b.search.Fields[0], dsl{}
	isUser := b.match.HasOneOf(user, []any{s.Terms[0]})
	needed := []dsl{isUser}
	within := b.match.Within(query.Range{From: s.At.Add(-history), To: s.At})
	for i, a := range s.Attributes {
		has := b.match.HasOneOf(a.Field, []any{a.Value})
		needed = append(needed, has)
		seen := b.match.Times("max", b.fallback)
		seen["user"] = matching(b.match.Times("max", b.fallback), isUser)
		seen["others"] = all(dsl{"0": distinct(user)})
		attributes[strconv.Itoa(i)] = matching(seen, has, within)
	}
	seen := b.match.Times("max", b.fallback)
	seen["first"] = all(b.match.Times("min", b.fallback))
	aggs := dsl{"user": matching(seen, isUser)}
	if len(attributes) > 0 {
		aggs["attributes"] = all(attributes)
	}
	return matching(aggs, b.match.Within(query.Range{From: s.At.Add(-2 * history), To: s.At}), query.AnyOf(needed))
}

// distinct lists values up to one more than MaxOthers. Without the hint each such
// aggregation would reserve memory for all values of the field.
func distinct(field string) dsl {
	return dsl{"terms": dsl{"field": field, "size": MaxOthers + 1, "execution_hint": "map"}}
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

// A contextAnswer is the answer to bodies.contexts.
type contextAnswer struct {
	Matching byPosition[struct {
		Pair  query.TimesAnswer      `json:"pair"`
		Terms byPosition[seenAnswer] `json:"terms"`
	}] `json:"matching"`
	Any byPosition[struct {
		User       seenAnswer             `json:"user"`
		Attributes byPosition[seenAnswer] `json:"attributes"`
	}] `json:"any"`
}

// A seenAnswer is about the events with a value.
type seenAnswer struct {
	elastic.DocCount
	query.TimesAnswer
	First query.TimesAnswer `json:"first"`
	User  struct {
		elastic.DocCount
		query.TimesAnswer
	} `json:"user"`
	Others byPosition[struct {
		Buckets []struct{} `json:"buckets"`
	}] `json:"others"`
}

// seen reads the answer. known is how many of the other values are the subject's own.
func (a seenAnswer) seen(before time.Time, known int) Seen {
	s := Seen{Events: a.Count, Last: latestBefore(before, a.TimesAnswer)}
	s.First, _ = a.First.Earliest()
	for _, values := range a.Others {
		s.Others += len(values.Buckets)
	}
	s.Others = min(s.Others-known, MaxOthers)
	return s
}

func latestBefore(before time.Time, a query.TimesAnswer) time.Time {
	last, ok := a.Latest()
	if !ok || !last.Before(before) {
		return time.Time{}
	}
	return last
}

func (a contextAnswer) read(subjects []Subject) ([]Context, error) {
	if len(a.Matching) != len(subjects) || len(a.Any) != len(subjects) {
		return nil, fmt.Errorf("%w: it is about %d and %d of %d alerts", elastic.ErrIncomplete, len(a.Matching), len(a.Any), len(subjects))
	}
	contexts := make([]Context, len(subjects))
	for i, s := range subjects {
		ofSearch, ofAll := a.Matching[i], a.Any[i]
		if len(ofSearch.Terms) != len(s.Terms) || len(ofAll.Attributes) != len(s.Attributes) {
			return nil, fmt.Errorf("%w: it lacks values of pair %v", elastic.ErrIncomplete, s.Terms)
		}
		c := Context{PairLast: latestBefore(s.At, ofSearch.Pair), User: ofAll.User.seen(s.At, 0)}
		for _, term := range ofSearch.Terms {
			c.Terms = append(c.Terms, term.seen(s.At, 0))
		}
		for _, attribute := range ofAll.Attributes {
			known := 0
			if attribute.User.Count > 0 && s.Terms[0] != nil {
				known = 1
			}
			c.Attributes = append(c.Attributes, AttributeSeen{
				Seen: attribute.seen(s.At, known), OfUser: attribute.User.Count, UserLast: latestBefore(s.At, attribute.User.TimesAnswer),
			})
		}
		contexts[i] = c
	}
	return contexts, nil
}
