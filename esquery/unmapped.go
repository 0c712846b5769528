package esquery

import "slices"

// Unmapped names what no index maps, so that to the search it is as if no event had
// it: of its timestamp, the fields of its pair and those of its query and filters.
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
