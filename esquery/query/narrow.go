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

// HasOneOf is Compiled.HasOneOf for any mapped field, also one that is analyzed or nested.
// Of the former it selects events with the words of a value.
func (o *Opened) HasOneOf(field string, values []any) DSL {
	f := o.Mapping.Fields[field]
	clause := o.Compiled.HasOneOf(field, values)
	if slices.Contains(f.Types, "text") || slices.Contains(f.Types, "match_only_text") {
		var phrases []DSL
		for _, value := range values {
			if value == nil {
				phrases = append(phrases, Lacks(field))
			} else {
				phrases = append(phrases, DSL{"match_phrase": DSL{field: value}})
			}
		}
		clause = AnyOf(phrases)
	}
	if f.NestedPath != "" {
		clause = DSL{"nested": DSL{"path": f.NestedPath, "query": clause, "ignore_unmapped": true}}
	}
	return clause
}
