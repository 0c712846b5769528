// Package query decides which events a rule's search matches. It compiles the rule's
// KQL, filters, exclusions and exceptions for the mapping of the indices, to clauses
// for the bodies of requests.
package query

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Search selects the events of a rule, and the fields of its pairs.
type Search struct {
	Indices []string    // names and patterns; those without a match are ignored
	Query   kql.Query   // an event must match it
	Filters []Filter    // an event must match these too
	Exclude []kql.Query // events that match one are ignored
	// Exceptions exclude events too; they come from the rule's exception lists.
	Exceptions []Exception
	Fields     []string // the new-terms fields, one to three
	// Timestamp is the field that dates an event, and Fallback the one that dates
	// events without it; "" if there is none.
	Timestamp, Fallback string
	// MissingTerms makes an absent value a term, nil. Otherwise an event that lacks a
	// new-terms field has no pair.
	MissingTerms bool
	// Wanted lists more fields for Event.Fields.
	Wanted []string
	// Typed lists more fields whose types are needed, such as those of Opened.Narrow.
	Typed []string
	// PageSize is the number of pairs in a request; 0 means 10,000.
	PageSize int
}

// A Range of time is half-open: From is inside, To is not. Both count in whole
// milliseconds.
type Range struct{ From, To time.Time }

// Hash identifies the search, in hex: the indices, the query with its filters and
// exclusions, the fields, the timestamps, and MissingTerms. The order of indices and
// exclusions does not matter.
func (s Search) Hash() (string, error) {
	exclude := make([]string, len(s.Exclude))
	for i, q := range s.Exclude {
		exclude[i] = q.String()
	}
	read := []any{
		sortedOnce(slices.Clone(s.Indices)), s.Query.String(), s.Filters, sortedOnce(exclude), s.Fields, s.Timestamp, s.Fallback, s.MissingTerms,
	}
	if len(s.Exceptions) > 0 {
		read = append(read, s.Exceptions)
	}
	text, err := json.Marshal(read)
	if err != nil {
		return "", fmt.Errorf("identify the search: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Scope is the Hash without exclusions and exceptions. It identifies scheduled runs
// that continue one another: a window counts as covered for events that were excluded
// at the time.
func (s Search) Scope() (string, error) {
	s.Exclude, s.Exceptions = nil, nil
	return s.Hash()
}

// FieldNames lists the fields that a search needs of its mapping, sorted, each once.
func (s Search) FieldNames() []string {
	names := append(s.Query.Names(), s.Fields...)
	for _, q := range s.Exclude {
		names = append(names, q.Names()...)
	}
	for _, f := range s.Filters {
		names = append(names, f.names()...)
	}
	for _, e := range s.Exceptions {
		names = append(names, e.names()...)
	}
	names = append(names, s.Timestamp)
	if s.Fallback != "" {
		names = append(names, s.Fallback)
	}
	return sortedOnce(names)
}

// PlainNames lists the fields that a search needs of its mapping, sorted, without
// patterns and paths of nested groups.
func (s Search) PlainNames() []string {
	names := s.FieldNames()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.Contains(name, "*") || slices.Contains(names, name+".*")
	})
}

// known returns the fields that Kibana knows when it compiles the query and the
// filters.
func (s Search) known(fields kql.Fields) kql.Fields {
	return s.Query.Known(fields, keysOf(s.Filters)...)
}

func sortedOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Request returns a search of these indices.
func (s Search) Request(body any) elastic.Search {
	return elastic.Search{Indices: s.Indices, IgnoreUnavailable: true, Body: body}
}
