package query

import "slices"

// Unmapped lists the fields of the search's timestamp, pair, query and filters that no
// index maps. To the search, no event has them.
func (o *Opened) Unmapped() []string {
	names := append(o.Search.Query.Unmatched(o.Mapping.Fields), o.Search.Timestamp)
	if !o.Search.MissingTerms {
		names = append(names, o.Search.Fields...)
	}
	for _, f := range o.Search.Filters {
		if !f.Negate {
			names = append(names, f.names()...)
		}
	}
	return sortedOnce(slices.DeleteFunc(names, func(name string) bool {
		_, mapped := o.Mapping.Fields[name]
		return mapped
	}))
}
