package inspect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// Mismatches says why events with some values do not match.
type Mismatches struct {
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
	query.Condition
	// Fail is the number of events in the range that do not fulfil it, and Only those
	// of them that fulfil all others.
	Fail int64 `json:"fail"`
	Only int64 `json:"fail_nothing_else"`
}

// FindMismatches counts events with some values, in a range and outside of it, and the
// conditions that they fail. values holds one value for each field.
func FindMismatches(ctx context.Context, o *query.Opened, r query.Range, values query.Values) (Mismatches, error) {
	conditions, err := o.Conditions()
	if err != nil {
		return Mismatches{}, err
	}
	var answer struct {
		Each    numbers `json:"each"`
		Ignored numbers `json:"ignored"`
		All     struct {
			elastic.DocCount
			Before  elastic.DocCount `json:"before"`
			After   elastic.DocCount `json:"after"`
			Undated elastic.DocCount `json:"undated"`
			In      struct {
				elastic.DocCount
				Matching elastic.DocCount `json:"matching"`
				Fail     numbers          `json:"fail"`
				Once     struct {
					Only numbers `json:"only"`
				} `json:"once"`
			} `json:"in"`
		} `json:"all"`
	}
	names := slices.Sorted(maps.Keys(values))
	if err := o.Ask(ctx, mismatchesBody(o, r, names, values, conditions), &answer); err != nil {
		return Mismatches{}, fmt.Errorf("look for what does not match: %w", err)
	}
	all := answer.All
	found := Mismatches{
		Events: all.Count, InRange: all.In.Count, Before: all.Before.Count, After: all.After.Count, Undated: all.Undated.Count,
		Matching: all.In.Matching.Count,
	}
	for i, name := range names {
		found.ByValue = append(found.ByValue, ValueCount{name, values[name][0], answer.Each.at(i), answer.Ignored.at(i)})
	}
	for i, c := range conditions {
		found.Conditions = append(found.Conditions, Condition{c, all.In.Fail.at(i), all.In.Once.Only.at(i)})
	}
	return found, nil
}

// numbers is the answer to a filters aggregation with numbered filters.
type numbers struct {
	Buckets map[string]elastic.DocCount `json:"buckets"`
}

func (c numbers) at(i int) int64 { return c.Buckets[strconv.Itoa(i)].Count }

// mismatchesBody counts events with all the values, by time and by the conditions that they
// fail. Those that fail just one are in "once".
func mismatchesBody(o *query.Opened, r query.Range, names []string, values query.Values, conditions []query.Condition) dsl {
	var has, ignored, fulfil, fail []dsl
	for _, name := range names {
		has = append(has, o.HasOneOf(name, values[name]))
		ignored = append(ignored, dsl{"bool": dsl{"filter": []dsl{{"term": dsl{"_ignored": name}}, o.Within(r)}}})
	}
	for _, c := range conditions {
		fulfil, fail = append(fulfil, c.Query), append(fail, query.Not(c.Query))
	}
	in := dsl{"matching": dsl{"filter": dsl{"bool": dsl{"filter": fulfil}}}}
	if len(conditions) > 0 {
		once := dsl{"bool": dsl{"filter": []dsl{query.AnyOf(fail)}, "must_not": []dsl{
			{"bool": dsl{"should": fail, "minimum_should_match": 2}},
		}}}
		in["fail"] = numbered(fail)
		in["once"] = dsl{"filter": once, "aggs": dsl{"only": numbered(fail)}}
	}
	undated := query.Lacks(o.Search.Timestamp)
	if o.Search.Fallback != "" {
		undated = dsl{"bool": dsl{"must_not": []dsl{query.Exists(o.Search.Timestamp), query.Exists(o.Search.Fallback)}}}
	}
	outside := func(bound string, ms int64) dsl {
		return dsl{"filter": dsl{"bool": dsl{"filter": []dsl{o.Bounded(map[string]int64{bound: ms})}, "must_not": []dsl{o.Within(r)}}}}
	}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": query.AnyOf(append(slices.Clone(has), ignored...)),
		"aggs": dsl{
			"each": numbered(has), "ignored": numbered(ignored),
			"all": dsl{"filter": dsl{"bool": dsl{"filter": has}}, "aggs": dsl{
				"before": outside("lt", r.From.UnixMilli()), "after": outside("gte", r.To.UnixMilli()),
				"undated": dsl{"filter": undated},
				"in":      dsl{"filter": o.Within(r), "aggs": in},
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
