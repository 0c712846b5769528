package query

import (
	"maps"
	"slices"
)

// Values are the wanted values of fields, by field name. They are a candidate's terms,
// or texts as people write them; nil means the absence of the field.
type Values map[string][]any

// Narrow returns the search for only those events of o that have, in each of the
// fields, one of its values.
func (o *Opened) Narrow(values Values) *Opened {
	var filters []DSL
	for _, field := range slices.Sorted(maps.Keys(values)) {
		filters = append(filters, o.HasOneOf(field, values[field]))
	}
	return o.And(filters...)
}

// And returns the search for only those events of o that match all the clauses too.
func (o *Opened) And(clauses ...DSL) *Opened {
	narrow := *o
	narrow.Query = DSL{"bool": DSL{"filter": append([]DSL{o.Query}, clauses...)}}
	return &narrow
}
