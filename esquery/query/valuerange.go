package query

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"newterms/esquery/access"
)

// A valueRange holds the values that a search for a field may have, if the field has a
// narrower type in some indices.
// Elasticsearch refuses a search for values outside of it.
type valueRange struct {
	least, most int64    // dates in milliseconds
	indices     []string // those with the narrower types; nil if all types are equal
	isDate      bool
}

// latestNanos is the last whole millisecond of date_nanos, in 2262; the first is 0.
const latestNanos = math.MaxInt64 / 1_000_000

// rangeOf returns the valueRange of a field; ok is false if its values are not limited.
func (m mapping) rangeOf(name string) (r valueRange, ok bool) {
	for _, kind := range []string{"integer", "short", "byte"} { // a search of each of these accepts any integer
		if capability, mapped := m.Types[name][kind]; mapped {
			r.least, r.most, ok = math.MinInt32, math.MaxInt32, true
			r.indices = append(r.indices, capability.Indices...)
		}
	}
	if capability, mapped := m.Types[name]["date_nanos"]; mapped {
		r, ok = valueRange{0, latestNanos, capability.Indices, true}, true
	}
	return r, ok
}

func (m mapping) ranges(names []string) map[string]valueRange {
	ranges := map[string]valueRange{}
	for _, name := range names {
		if r, ok := m.rangeOf(name); ok {
			ranges[name] = r
		}
	}
	return ranges
}

// allows reports whether a search may have the value. Values that are no numbers pass:
// the server judges them.
func (r valueRange) allows(value any) bool {
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

// HasOneOf selects events with one of the values; nil means the absence of the field.
// It excludes indices whose type cannot hold a value from the search for it.
func (c Compiled) HasOneOf(field string, values []any) DSL {
	var held, beyond []any
	limit, narrow := c.ranges[field]
	var clauses []DSL
	for _, v := range values {
		switch {
		case v == nil:
			clauses = []DSL{Lacks(field)}
		case narrow && !limit.allows(v):
			beyond = append(beyond, v)
		default:
			held = append(held, v)
		}
	}
	if len(beyond) > 0 && limit.indices != nil {
		clauses = append(clauses, DSL{"bool": DSL{"filter": []DSL{{"terms": DSL{field: beyond}}}, "must_not": []DSL{{"terms": DSL{"_index": limit.indices}}}}})
	}
	if len(held) > 0 || len(clauses) == 0 { // no value at all matches nothing
		clauses = append([]DSL{{"terms": DSL{field: append([]any{}, held...)}}}, clauses...)
	}
	if len(clauses) == 1 {
		return clauses[0]
	}
	return AnyOf(clauses)
}

// bounded returns a filter for Dated, with bounds "gte" and "lt" in milliseconds. If
// all indices have date_nanos, it cuts the bounds to their range, beyond which there
// are no events.
func (c Compiled) bounded(bounds map[string]int64) func(field string) DSL {
	return func(field string) DSL {
		within := DSL{"format": "epoch_millis"}
		for name, ms := range bounds {
			within[name] = ms
		}
		if limit, ok := c.ranges[field]; ok && limit.isDate && limit.indices == nil {
			from, hasFrom := bounds["gte"]
			to, hasTo := bounds["lt"]
			if hasFrom && from > limit.most || hasTo && to <= limit.least {
				return DSL{"match_none": DSL{}}
			}
			if from <= limit.least {
				delete(within, "gte")
			}
			if to > limit.most {
				delete(within, "lt")
			}
			if len(within) == 1 {
				return Exists(field)
			}
		}
		return DSL{"range": DSL{field: within}}
	}
}

// beyondNanos returns the error about a range beyond date_nanos in which other indices
// may have events.
func (o *Opened) beyondNanos(err error) error {
	for _, name := range slices.Sorted(maps.Keys(o.ranges)) {
		if limit := o.ranges[name]; limit.isDate && limit.indices != nil {
			return &TypeError{name, fmt.Sprintf("%s is of type date_nanos in %s, and of type date in others: a range over both must lie between 1970-01-01 and 2262-04-11: %v",
				name, access.FirstNames(limit.indices), err)}
		}
	}
	return &MappingError{err: err}
}
