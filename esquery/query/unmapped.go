package query

import (
	"slices"
	"strings"
)

// IsMapped reports whether some index maps a field of the search or of Search.Typed, or
// a flattened field of which it is a key.
func (o *Opened) IsMapped(field string) bool {
	_, mapped := o.Mapping.Fields[field]
	return mapped || mapping{o.Mapping}.flattenedAbove(field) != ""
}

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
	return sortedOnce(slices.DeleteFunc(names, o.IsMapped))
}

// UnmappedExclusions lists the fields of the search's exclusions and exceptions that no
// index maps, sorted. Such an exclusion excludes nothing, or after a "not" everything.
func (o *Opened) UnmappedExclusions() []string {
	var names []string
	for _, q := range o.Search.Exclude {
		names = append(names, q.Unmatched(o.Mapping.Fields)...)
	}
	for _, e := range o.Search.Exceptions {
		names = append(names, e.names()...)
	}
	return sortedOnce(slices.DeleteFunc(names, func(name string) bool {
		return o.IsMapped(name) || strings.HasSuffix(name, ".*")
	}))
}
