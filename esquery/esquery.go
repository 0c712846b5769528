// Package esquery reads what others own: the events of a rule's indices.
//
// A Source answers the questions of the new-terms algorithm: which pairs have
// events in a window (Candidates), when they were last seen before it
// (LastSeen), and which event was the first (FirstEvents). Every answer is
// complete or an error: a failed shard, a timeout or a skipped cluster is
// never read as "nothing found".
package esquery

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Search says which events a rule matches, and what makes a pair of them.
type Search struct {
	Indices []string    // names and patterns; those that match nothing are ignored
	Query   kql.Query   // what an event must match
	Filters []Filter    // besides Query
	Exclude []kql.Query // events that match one are as if they were not there
	Fields  []string    // the new-terms fields, one to three
	// Timestamp is the field that dates an event, and Fallback the one that
	// dates those that lack it; "" if there is none.
	Timestamp, Fallback string
	// MissingTerms makes an absent value a term of its own, nil. Otherwise an
	// event that lacks a new-terms field has no pair.
	MissingTerms bool
	// PageSize is the number of pairs asked for at once; 0 is defaultPageSize.
	PageSize int
}

// defaultPageSize bounds the memory of a run: a page takes about 2.5 MB on the
// wire. It is also Kibana's, well below Elasticsearch's limits of 65,536
// buckets in an answer and 65,536 values in a terms filter.
const defaultPageSize = 10_000

// A Filter is one of a rule's filters, already in Query DSL.
type Filter struct {
	Query  map[string]any
	Negate bool
}

// A Range of time is half-open: From is inside, To is not. Both are read in
// whole milliseconds.
type Range struct{ From, To time.Time }

// A Candidate is a pair with matching events in a window.
type Candidate struct {
	// Terms are the pair, a value for each new-terms field in order: a string,
	// a json.Number, a bool, or nil for an absent value.
	Terms  []any
	First  time.Time // of its earliest event in the window, UTC
	Events int64     // number of its events in the window
}

// An Event is a source document.
type Event struct {
	Index, ID string
	Source    map[string]any // nil if the index keeps no _source
	// Fields holds the mapped fields as the fields API gives them; it has what
	// _source lacks: alias and constant_keyword fields.
	Fields map[string][]any
}

// A Source is a Search against a cluster whose field types are known.
// It is not safe for concurrent use.
type Source struct {
	client *elastic.Client
	bodies
	// The sizes of a page of pairs and of events, which shrink where one was
	// too much.
	pageSize, eventsPageSize int
}

func newSource(c *elastic.Client, b bodies) *Source {
	size := cmp.Or(b.search.PageSize, defaultPageSize)
	return &Source{client: c, bodies: b, pageSize: size, eventsPageSize: min(size, MaxEvents)}
}

// Open asks for the types of the fields that the search names, in one request,
// and compiles the query with them. Its errors are a *NotFoundError if there
// is nothing to search, a *kql.FieldError or *MappingError if the search does
// not fit the mapping, or what a request returns.
func Open(ctx context.Context, c *elastic.Client, s Search) (*Source, error) {
	fields, _, err := fieldTypes(ctx, c, s.Indices, s.fieldNames())
	if err != nil {
		return nil, fmt.Errorf("field types: %w", err)
	}
	query, err := s.compile(fields)
	if err != nil {
		return nil, err
	}
	for _, name := range append([]string{s.Timestamp}, s.Fields...) {
		if err := s.fitsMapping(name, fields); err != nil {
			return nil, err
		}
	}
	_, mapped := fields[s.Timestamp]
	return newSource(c, bodies{search: s, query: query, fallback: s.Fallback != "" && !mapped}), nil
}

func (s Search) fieldNames() []string {
	names := append(s.Query.Names(), s.Fields...)
	for _, q := range s.Exclude {
		names = append(names, q.Names()...)
	}
	names = append(names, s.Timestamp)
	if s.Fallback != "" {
		names = append(names, s.Fallback)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// request is a search of these indices.
func (s Search) request(body any) elastic.Search {
	return elastic.Search{Indices: s.Indices, IgnoreUnavailable: true, Body: body}
}

// compile gives the query that events must match at any time.
func (s Search) compile(fields kql.Fields) (dsl, error) {
	query, err := s.Query.Compile(fields)
	if err != nil {
		return nil, err
	}
	filter, mustNot := []dsl{query}, []dsl{}
	for _, f := range s.Filters {
		if f.Negate {
			mustNot = append(mustNot, f.Query)
		} else {
			filter = append(filter, f.Query)
		}
	}
	for _, q := range s.Exclude {
		query, err := q.Compile(fields)
		if err != nil {
			return nil, fmt.Errorf("exclude: %w", err)
		}
		mustNot = append(mustNot, query)
	}
	if len(mustNot) == 0 {
		return dsl{"bool": dsl{"filter": filter}}, nil
	}
	return dsl{"bool": dsl{"filter": filter, "must_not": mustNot}}, nil
}

// key joins candidates, history and events: JSON keeps "1" and 1 apart.
func key(terms []any) (string, error) {
	k, err := json.Marshal(terms)
	return string(k), err
}
