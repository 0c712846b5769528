package query

import (
	"newterms/esquery/access"
	"newterms/esquery/kql"
)

// DSL is a query, aggregation or body in Elasticsearch's JSON.
type DSL = map[string]any

// A Compiled search makes clauses for the bodies of requests. It sends nothing.
type Compiled struct {
	Search Search
	Query  DSL                   // matches the search's events, at any time
	ranges map[string]valueRange // of fields that have a narrower type in some index
}

// Compile compiles a search for a mapping.
func Compile(s Search, m access.Mapping) (Compiled, error) {
	query, err := s.Compile(m.Fields)
	if err != nil {
		return Compiled{}, err
	}
	dated := []string{s.Timestamp, s.Fallback}
	return Compiled{s, query, mapping{m}.ranges(append(dated, s.Fields...))}, nil
}

// Compile returns the query that events must match at any time.
func (s Search) Compile(fields kql.Fields) (DSL, error) {
	query, err := s.Query.Compile(fields, keysOf(s.Filters)...)
	if err != nil {
		return nil, err
	}
	filter, mustNot := []DSL{query}, []DSL{}
	known := s.known(fields)
	for _, f := range s.Filters {
		if f.Negate {
			mustNot = append(mustNot, f.compile(known))
		} else {
			filter = append(filter, f.compile(known))
		}
	}
	excluding, err := s.excluding(fields)
	if err != nil {
		return nil, err
	}
	mustNot = append(mustNot, excluding...)
	if len(mustNot) == 0 {
		return failIfForbidden(DSL{"bool": DSL{"filter": filter}}), nil
	}
	return failIfForbidden(DSL{"bool": DSL{"filter": filter, "must_not": mustNot}}), nil
}
