package compare

import (
	"context"
	"slices"
	"time"

	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job/rule"
)

// openSource opens the events with the types of all fields that some clause needs.
func (s *sides) openSource(ctx context.Context) error {
	search := s.Rule.Search
	search.Typed = append(slices.Clone(search.Typed), arrival)
	for _, e := range s.editions {
		if q, ok := e.parsed(); ok {
			search.Typed = append(search.Typed, q.Names()...)
		}
	}
	all := search // with the expired exceptions, for their fields
	all.Exceptions = nil
	for _, item := range s.Rule.Exceptions {
		all.Exceptions = append(all.Exceptions, item.Exception)
	}
	search.Typed = append(search.Typed, all.FieldNames()...)
	source, err := s.Open(ctx, search)
	if err != nil {
		return err
	}
	s.source = source
	fields := s.source.Mapping.Fields
	_, mapped := fields[arrival]
	s.hasArrival = mapped && search.Timestamp != arrival
	bare := search
	bare.Exclude, bare.Exceptions = nil, nil
	if s.bare, err = bare.Compile(fields); err != nil {
		return err
	}
	if err := s.openTimeless(search, fields); err != nil {
		return err
	}
	for _, item := range s.Rule.Exceptions {
		s.exceptions = append(s.exceptions, item.Compile(fields))
	}
	if len(search.Exclude) > 0 {
		var any []query.DSL
		for _, q := range search.Exclude {
			clause, err := query.CompileExclusion(q, fields)
			if err != nil {
				return err
			}
			any = append(any, clause)
		}
		s.exclude = query.AnyOf(any)
	}
	for _, e := range s.editions {
		if q, ok := e.parsed(); ok {
			if clause, err := q.Compile(fields); err == nil { // else it does not fit, and is not used
				e.matches = clause
			}
		}
	}
	return nil
}

// openTimeless compiles the query without its clauses that are relative to now.
func (s *sides) openTimeless(search query.Search, fields kql.Fields) error {
	var others []query.DSL
	for _, part := range search.Query.Conjuncts() {
		clauses := query.Search{Query: part, Timestamp: search.Timestamp, Fallback: search.Fallback}.TimeClauses()
		if i := slices.IndexFunc(clauses, func(c query.TimeClause) bool { return c.Relative }); i >= 0 {
			s.timeClause = clauses[i].Text
			continue
		}
		clause, err := part.Compile(fields)
		if err != nil {
			return err
		}
		others = append(others, clause)
	}
	if s.timeClause != "" && len(others) > 0 {
		s.timeless = query.DSL{"bool": query.DSL{"filter": others}}
	}
	return nil
}

// searchAt returns the hash of our rule's search with the exceptions that it had at a
// time.
func (s *sides) searchAt(t time.Time) string {
	search := s.Rule.Search
	search.Exceptions = nil
	inForce, _ := s.Rule.ExceptionsAt(t)
	for _, e := range inForce {
		if i := slices.IndexFunc(s.Rule.Exceptions, func(item rule.Exception) bool { return item.Name == e.Name }); !s.Rule.Exceptions[i].Created.After(t) {
			search.Exceptions = append(search.Exceptions, e)
		}
	}
	hash, err := search.Hash()
	if err != nil { // it was encoded before
		return ""
	}
	return hash
}
