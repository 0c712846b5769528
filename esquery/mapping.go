package esquery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"newterms/esquery/kql"
)

// A MappingError says that a search does not fit the mapping of its indices, so
// that no retry helps: a new-terms field that cannot be grouped by, or a value
// or wildcard that fields of its type do not take.
type MappingError struct{ err error }

func (e *MappingError) Error() string { return e.err.Error() }
func (e *MappingError) Unwrap() error { return e.err }

// orMapping makes a *MappingError of an error that says that no query could be
// made for an index, or that a date in it is none.
func orMapping(err error) error {
	var refused *ResponseError
	if errors.As(err, &refused) && refused.has("query_shard_exception", "parse_exception") && !tooMuchToAsk(err) {
		return &MappingError{err}
	}
	return err
}

// misfit returns a *MappingError if a field is mapped, be it in one index only,
// as the search cannot use it: that index would fail the whole search.
func (s Search) misfit(name string, fields kql.Fields) error {
	types := fields[name].Types
	kinds := strings.Join(types, ", ")
	isUnfit := func(fits func(string) bool) bool {
		return slices.ContainsFunc(types, func(kind string) bool { return !fits(kind) })
	}
	switch {
	case slices.Contains(s.Fields, name) && isUnfit(isGroupable):
		return &MappingError{fmt.Errorf("the new-terms field %s is of type %s, which cannot be grouped by", name, kinds)}
	case name == s.Timestamp && isUnfit(isDate):
		return &MappingError{fmt.Errorf("%s, which dates the events, is of type %s", name, kinds)}
	}
	return nil
}

func isDate(kind string) bool { return kind == "date" || kind == "date_nanos" }

// isGroupable reports whether a composite aggregation can have a field as its
// source.
func isGroupable(kind string) bool {
	return isDate(kind) || slices.Contains([]string{
		"keyword", "constant_keyword", "wildcard", "flattened", "ip", "boolean", "version",
		"long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long",
	}, kind)
}
