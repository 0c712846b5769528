package esquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// A reach is the range of values of a field that has a narrower type in some indices.
// Elasticsearch refuses a search for values outside of it.
type reach struct {
	least, most int64    // dates in milliseconds
	indices     []string // those with the narrower types; nil if all types are equal
	isDate      bool
}

// latestNanos is the last whole millisecond of date_nanos, in 2262; the first is 0.
const latestNanos = math.MaxInt64 / 1_000_000

// reachOf returns the reach of a field; ok is false if its values are not limited.
func (m mapping) reachOf(name string) (r reach, ok bool) {
	for _, kind := range []string{"integer", "short", "byte"} { // a search of each of these accepts any integer
		if capability, mapped := m.Types[name][kind]; mapped {
			r.least, r.most, ok = math.MinInt32, math.MaxInt32, true
			r.indices = append(r.indices, capability.Indices...)
		}
	}
	if capability, mapped := m.Types[name]["date_nanos"]; mapped {
		r, ok = reach{0, latestNanos, capability.Indices, true}, true
	}
	return r, ok
}

func (m mapping) reaches(names []string) map[string]reach {
	reaches := map[string]reach{}
	for _, name := range names {
		if r, ok := m.reachOf(name); ok {
			reaches[name] = r
		}
	}
	return reaches
}

// holds reports whether a search may have the value. Values that are no numbers pass:
// the server judges them.
func (r reach) holds(value any) bool {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	if isText && !r.isDate {
		number, isNumber = json.Number(text), true
	}
	if !isNumber {
		return true
	}
	if n, err := number.Int64(); err == nil {
		return n >= r.least && n <= r.most
	}
	f, err := number.Float64()
	if err != nil && !math.IsInf(f, 0) { // it is no number
		return true
	}
	return f >= float64(r.least) && f <= float64(r.most)
}

// hasOneOf selects events with one of the values; nil means the absence of the field.
// It excludes indices whose type cannot hold a value from the search for it.
func (b bodies) hasOneOf(field string, values []any) dsl {
	var held, beyond []any
	limit, narrow := b.reaches[field]
	var clauses []dsl
	for _, v := range values {
		switch {
		case v == nil:
			clauses = []dsl{lacks(field)}
		case narrow && !limit.holds(v):
			beyond = append(beyond, v)
		default:
			held = append(held, v)
		}
	}
	if len(beyond) > 0 && limit.indices != nil {
		clauses = append(clauses, dsl{"bool": dsl{"filter": []dsl{{"terms": dsl{field: beyond}}}, "must_not": []dsl{{"terms": dsl{"_index": limit.indices}}}}})
	}
	if len(held) > 0 || len(clauses) == 0 { // no value at all matches nothing
		clauses = append([]dsl{{"terms": dsl{field: append([]any{}, held...)}}}, clauses...)
	}
	if len(clauses) == 1 {
		return clauses[0]
	}
	return anyOf(clauses)
}

// bounded returns a filter for dated, with bounds "gte" and "lt" in milliseconds. If
// all indices have date_nanos, it cuts the bounds to their range, beyond which there
// are no events.
func (b bodies) bounded(bounds map[string]int64) func(field string) dsl {
	return func(field string) dsl {
		within := dsl{"format": "epoch_millis"}
		for name, ms := range bounds {
			within[name] = ms
		}
		if limit, ok := b.reaches[field]; ok && limit.isDate && limit.indices == nil {
			from, hasFrom := bounds["gte"]
			to, hasTo := bounds["lt"]
			if hasFrom && from > limit.most || hasTo && to <= limit.least {
				return dsl{"match_none": dsl{}}
			}
			if from <= limit.least {
				delete(within, "gte")
			}
			if to > limit.most {
				delete(within, "lt")
			}
			if len(within) == 1 {
				return exists(field)
			}
		}
		return dsl{"range": dsl{field: within}}
	}
}

// isBeyondNanos reports whether the error is about a range beyond that of date_nanos.
func isBeyondNanos(err error) bool {
	var refused *elastic.ResponseError
	return errors.As(err, &refused) && refused.Says("cannot be stored in nanosecond resolution")
}

// beyondNanos returns the error about a range beyond date_nanos in which other indices
// may have events.
func (s *Source) beyondNanos(err error) error {
	for _, name := range slices.Sorted(maps.Keys(s.reaches)) {
		if limit := s.reaches[name]; limit.isDate && limit.indices != nil {
			return &TypeError{name, fmt.Sprintf("%s is of type date_nanos in %s, and of type date in others: a range over both must lie between 1970-01-01 and 2262-04-11: %v",
				name, access.FirstNames(limit.indices), err)}
		}
	}
	return &MappingError{err: err}
}

// needed lists the fields whose reach requests must respect.
func (s Search) needed() []string {
	return append([]string{s.Timestamp, s.Fallback}, s.Fields...)
}
