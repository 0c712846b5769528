package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Obstacles say why events with some values do not match.
type Obstacles struct {
	ByValue []ValueCount `json:"-"` // one for each given value
	// Events is the number of events with all the values, at any time, matching or not.
	// They lie in the given range, before it, after it, or have no time.
	Events     int64       `json:"-"`
	InRange    int64       `json:"in_window"`
	Matching   int64       `json:"matching"` // those of InRange that match and have a pair
	Before     int64       `json:"before"`
	After      int64       `json:"after"`
	Undated    int64       `json:"without_time"`
	Conditions []Condition `json:"conditions"` // of the rule, in its order
}

// A ValueCount is the number of events with one value.
type ValueCount struct {
	Field  string `json:"field"`
	Value  any    `json:"value"`
	Events int64  `json:"events"` // at any time, matching or not
	// Ignored is the number of events in the range whose value of the field is not
	// indexed, because it is too long or malformed. Nothing finds such a value.
	Ignored int64 `json:"not_indexed"`
}

// A Condition is one that an event must fulfil to have a pair.
type Condition struct {
	Kind ConditionKind `json:"kind"`
	Text string        `json:"text"` // KQL, a filter in Query DSL, or the name of the field
	// Fail is the number of events in the range that do not fulfil it, and Only those
	// of them that fulfil all others.
	Fail int64 `json:"fail"`
	Only int64 `json:"fail_nothing_else"`
}

// A ConditionKind is the origin of a Condition.
type ConditionKind string

// The kinds of conditions.
const (
	OfQuery   ConditionKind = "query"     // a clause of the rule's query, which must match
	OfFilter  ConditionKind = "filter"    // of the rule, which must match
	Exclusion ConditionKind = "exclusion" // must not match
	TermField ConditionKind = "term"      // a new-terms field that must be present
)

// A condition is a Condition with its query.
type condition struct {
	Condition
	query dsl
}

func (s *Source) conditions() ([]condition, error) {
	var all []condition
	add := func(kind ConditionKind, text string, query dsl) {
		all = append(all, condition{Condition{Kind: kind, Text: text}, query})
	}
	err := s.queryAndFilters(func(kind ConditionKind, text string, query dsl, negate bool) {
		if negate {
			text, query = "not "+text, not(query)
		}
		add(kind, text, query)
	})
	if err != nil {
		return nil, err
	}
	if err := s.addExclusions(add); err != nil {
		return nil, err
	}
	if !s.search.MissingTerms {
		for _, field := range s.search.Fields {
			add(TermField, field, exists(field))
		}
	}
	return all, nil
}

// queryAndFilters adds the clauses that the query joins with "and", and the filters.
func (s *Source) queryAndFilters(add func(kind ConditionKind, text string, query dsl, negate bool)) error {
	known := s.search.known(s.fields)
	loaded := slices.Collect(maps.Keys(known))
	for _, clause := range s.search.Query.Conjuncts() {
		query, err := clause.Compile(s.fields, loaded...)
		if err != nil {
			return err
		}
		add(OfQuery, clause.String(), query, false)
	}
	for _, f := range s.search.Filters {
		query := f.compile(known)
		text, err := json.Marshal(query)
		if err != nil {
			return fmt.Errorf("filter: %w", err)
		}
		add(OfFilter, string(text), query, f.Negate)
	}
	return nil
}

// maxConditions is how many exclusions are counted one by one.
const maxConditions = 100

func (s *Source) addExclusions(add func(ConditionKind, string, dsl)) error {
	if n := len(s.search.Exclude) + len(s.search.Exceptions); n > maxConditions {
		all, err := s.search.excluding(s.fields)
		if err != nil {
			return err
		}
		add(Exclusion, fmt.Sprintf("one of the %d exclusions", n), not(anyOf(all)))
		return nil
	}
	for _, q := range s.search.Exclude {
		query, err := q.Compile(s.fields)
		if err != nil {
			return excludeError(err)
		}
		add(Exclusion, q.String(), not(query))
	}
	for _, e := range s.search.Exceptions {
		add(Exclusion, e.Name, not(e.compile(s.fields)))
	}
	return nil
}

// Obstacles counts events with some values, in a range and outside of it, and the
// conditions that they fail. values holds one value for each field.
func (s *Source) Obstacles(ctx context.Context, r Range, values Values) (Obstacles, error) {
	conditions, err := s.conditions()
	if err != nil {
		return Obstacles{}, err
	}
	var answer struct {
		Each    numbers `json:"each"`
		Ignored numbers `json:"ignored"`
		All     struct {
			docCount
			Before  docCount `json:"before"`
			After   docCount `json:"after"`
			Undated docCount `json:"undated"`
			In      struct {
				docCount
				Matching docCount `json:"matching"`
				Fail     numbers  `json:"fail"`
				Once     struct {
					Only numbers `json:"only"`
				} `json:"once"`
			} `json:"in"`
		} `json:"all"`
	}
	names := slices.Sorted(maps.Keys(values))
	if err := s.client.Search(ctx, s.request(s.obstacles(r, names, values, conditions)), &answer); err != nil {
		return Obstacles{}, fmt.Errorf("look for what does not match: %w", s.explain(ctx, err))
	}
	all := answer.All
	o := Obstacles{
		Events: all.Count, InRange: all.In.Count, Before: all.Before.Count, After: all.After.Count, Undated: all.Undated.Count,
		Matching: all.In.Matching.Count,
	}
	for i, name := range names {
		o.ByValue = append(o.ByValue, ValueCount{name, values[name][0], answer.Each.at(i), answer.Ignored.at(i)})
	}
	for i, c := range conditions {
		c.Fail, c.Only = all.In.Fail.at(i), all.In.Once.Only.at(i)
		o.Conditions = append(o.Conditions, c.Condition)
	}
	return o, nil
}

// numbers is the answer to a filters aggregation with numbered filters.
type numbers struct {
	Buckets map[string]docCount `json:"buckets"`
}

func (c numbers) at(i int) int64 { return c.Buckets[strconv.Itoa(i)].Count }

// obstacles counts events with all the values, by time and by the conditions that they
// fail. Those that fail just one are in "once".
func (s *Source) obstacles(r Range, names []string, values Values, conditions []condition) dsl {
	var has, ignored, fulfil, fail []dsl
	for _, name := range names {
		has = append(has, s.hasOneOf(name, values[name]))
		ignored = append(ignored, dsl{"bool": dsl{"filter": []dsl{{"term": dsl{"_ignored": name}}, s.within(r)}}})
	}
	for _, c := range conditions {
		fulfil, fail = append(fulfil, c.query), append(fail, not(c.query))
	}
	in := dsl{"matching": dsl{"filter": dsl{"bool": dsl{"filter": fulfil}}}}
	if len(conditions) > 0 {
		once := dsl{"bool": dsl{"filter": []dsl{anyOf(fail)}, "must_not": []dsl{
			{"bool": dsl{"should": fail, "minimum_should_match": 2}},
		}}}
		in["fail"] = numbered(fail)
		in["once"] = dsl{"filter": once, "aggs": dsl{"only": numbered(fail)}}
	}
	undated := lacks(s.search.Timestamp)
	if s.search.Fallback != "" {
		undated = dsl{"bool": dsl{"must_not": []dsl{exists(s.search.Timestamp), exists(s.search.Fallback)}}}
	}
	outside := func(bound string, ms int64) dsl {
		return dsl{"filter": dsl{"bool": dsl{"filter": []dsl{s.dated(s.bounded(map[string]int64{bound: ms}))}, "must_not": []dsl{s.within(r)}}}}
	}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": anyOf(append(slices.Clone(has), ignored...)),
		"aggs": dsl{
			"each": numbered(has), "ignored": numbered(ignored),
			"all": dsl{"filter": dsl{"bool": dsl{"filter": has}}, "aggs": dsl{
				"before": outside("lt", r.From.UnixMilli()), "after": outside("gte", r.To.UnixMilli()),
				"undated": dsl{"filter": undated},
				"in":      dsl{"filter": s.within(r), "aggs": in},
			}},
		},
	}
}

// numbered counts the events of each query.
func numbered(queries []dsl) dsl {
	filters := dsl{}
	for i, query := range queries {
		filters[strconv.Itoa(i)] = query
	}
	return dsl{"filters": dsl{"filters": filters}}
}
