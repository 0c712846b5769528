package esquery

import (
	"maps"
	"slices"
)

// Values are wanted of fields, by their names. They are a candidate's terms, or
// texts as people write them; nil stands for the absence of the field.
type Values map[string][]any

// Narrow returns a source of those events that have, in each of the fields, one
// of its values. It asks the same questions as s, of fewer events.
func (s *Source) Narrow(values Values) *Source {
	narrow := *s
	filters := []dsl{s.query}
	for _, field := range slices.Sorted(maps.Keys(values)) {
		filters = append(filters, s.hasOneOf(field, values[field]))
	}
	narrow.query = dsl{"bool": dsl{"filter": filters}}
	return &narrow
}
