package esquery

import "slices"

// IsMapped reports whether some index maps a field of the search or of Search.Wanted.
func (s *Source) IsMapped(field string) bool { return len(s.fields[field].Types) > 0 }

// Unmapped lists the fields of the search's timestamp, pair, query and filters that no
// index maps. To the search, no event has them.
func (s *Source) Unmapped() []string {
	names := append(s.search.Query.Unmatched(s.fields), s.search.Timestamp)
	if !s.search.MissingTerms {
		names = append(names, s.search.Fields...)
	}
	for _, f := range s.search.Filters {
		if !f.Negate {
			names = append(names, f.names()...)
		}
	}
	return sortedOnce(slices.DeleteFunc(names, func(name string) bool {
		_, mapped := s.fields[name]
		return mapped
	}))
}
