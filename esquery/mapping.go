package esquery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A MappingError says that a search does not fit the mapping of its indices, so
// that no retry helps: a new-terms field that cannot be grouped by, or a value
// or wildcard that fields of its type do not take.
type MappingError struct{ err error }

func (e *MappingError) Error() string { return e.err.Error() }
func (e *MappingError) Unwrap() error { return e.err }

// explain finds the reason behind two kinds of error of a search: that the user
// may not read what it could not find, and that no query could be made for an
// index, because of a value or a wildcard that does not fit its mapping.
func (s *Source) explain(ctx context.Context, err error) error {
	if errors.Is(err, elastic.ErrNoShards) {
		return forbiddenOr(ctx, s.client, s.search.Indices, err)
	}
	var refused *elastic.ResponseError
	if errors.As(err, &refused) && refused.Is("query_shard_exception", "parse_exception") && !elastic.TooMuchToAsk(err) {
		return &MappingError{err}
	}
	return err
}

// fitsMapping returns a *MappingError if a field that is grouped by, or that
// dates the events, has an unfit type, be it in one index only: that index would
// fail the whole search.
func (s Search) fitsMapping(name string, fields kql.Fields) error {
	types := fields[name].Types
	kinds := strings.Join(types, ", ")
	has := func(unfit func(kind string) bool) bool { return slices.ContainsFunc(types, unfit) }
	switch {
	case slices.Contains(s.Fields, name) && has(isNotGroupable):
		return &MappingError{fmt.Errorf("the new-terms field %s is of type %s, which cannot be grouped by", name, kinds)}
	case name == s.Timestamp && has(isNotDate):
		return &MappingError{fmt.Errorf("%s, which dates the events, is of type %s", name, kinds)}
	}
	return nil
}

func isNotDate(kind string) bool { return kind != "date" && kind != "date_nanos" }

// isNotGroupable reports whether a composite aggregation cannot have a field of
// this type as its source.
func isNotGroupable(kind string) bool {
	return isNotDate(kind) && !slices.Contains([]string{
		"keyword", "constant_keyword", "wildcard", "flattened", "ip", "boolean", "version",
		"long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long",
	}, kind)
}
