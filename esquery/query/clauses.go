package query

// Within selects events that have a time in the range.
func (c Compiled) Within(r Range) DSL {
	return c.Bounded(map[string]int64{"gte": r.From.UnixMilli(), "lt": r.To.UnixMilli()})
}

// Bounded selects events that have a time within bounds "gte" and "lt", in
// milliseconds.
func (c Compiled) Bounded(bounds map[string]int64) DSL { return c.Dated(c.bounded(bounds)) }

// Dated selects events whose primary timestamp, or if they lack it the fallback,
// satisfies a filter. One of several times is enough.
func (c Compiled) Dated(in func(field string) DSL) DSL {
	if c.Search.Fallback == "" {
		return in(c.Search.Timestamp)
	}
	undated := DSL{"bool": DSL{"filter": []DSL{in(c.Search.Fallback)}, "must_not": []DSL{Exists(c.Search.Timestamp)}}}
	return AnyOf([]DSL{in(c.Search.Timestamp), undated})
}

// Exists selects events that have a field.
func Exists(field string) DSL { return DSL{"exists": DSL{"field": field}} }

// Lacks selects events without a field.
func Lacks(field string) DSL { return Not(Exists(field)) }

// Not selects events that do not match a query.
func Not(query DSL) DSL { return DSL{"bool": DSL{"must_not": []DSL{query}}} }

// AnyOf selects events that match one of some queries.
func AnyOf(queries []DSL) DSL {
	return DSL{"bool": DSL{"should": queries, "minimum_should_match": 1}}
}

// DocValues requests dates in milliseconds.
func DocValues(dates []string) []DSL {
	fields := make([]DSL, len(dates))
	for i, name := range dates {
		fields[i] = DSL{"field": name, "format": "epoch_millis"}
	}
	return fields
}
