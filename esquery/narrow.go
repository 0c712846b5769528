package esquery

import (
	"maps"
	"slices"
)

// Values are the wanted values of fields, by field name. They are a candidate's terms,
// or texts as people write them; nil means the absence of the field.
type Values map[string][]any

// Narrow returns a Source for only those events of s that have, in each of the fields,
// one of its values.
func (s *Source) Narrow(values Values) *Source {
	narrow := *s
	filters := []dsl{s.query}
	for _, field := range slices.Sorted(maps.Keys(values)) {
		filters = append(filters, s.hasOneOf(field, values[field]))
	}
	narrow.query = dsl{"bool": dsl{"filter": filters}}
	return &narrow
}
