// Package where compiles KQL that selects alerts.
package where

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"newterms/alerts"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
)

// An Error reports a --where that cannot select alerts.
type Error struct{ err error }

func (e *Error) Error() string { return "--where: " + e.err.Error() }
func (e *Error) Unwrap() error { return e.err }

func errorf(format string, args ...any) error { return &Error{fmt.Errorf(format, args...)} }

// Refused returns an *Error if the cluster refused a value that does not fit its field,
// and other errors as they are.
func Refused(err error) error {
	if elastic.HasCause(err, "query_shard_exception", "parse_exception") {
		return &Error{err}
	}
	return err
}

// Compile compiles KQL that selects alerts; "" is nil, for all alerts. It returns a *Error for a clause
// that can match no alert, because after a NOT it would match them all. Such are names
// and patterns of fields that alerts do not have, and negated free text, as in a query
// without its colon.
func Compile(ctx context.Context, store *alerts.Store, where string) (map[string]any, error) {
	if where == "" {
		return nil, nil
	}
	parsed, err := kql.Parse(where)
	if err != nil {
		return nil, errorf("%w", err)
	}
	types, err := store.Fields(ctx)
	if err != nil {
		return nil, fmt.Errorf("--where: %w", err)
	}
	fields := kql.Fields{}
	for name, kind := range types {
		switch kind {
		case "object", "nested":
		case "": // of several types
			fields[name] = kql.Field{NestedPath: nestedPath(types, name)}
		default:
			fields[name] = kql.Field{Types: []string{kind}, NestedPath: nestedPath(types, name)}
		}
	}
	for _, name := range parsed.Unmatched(fields) {
		isPattern := strings.Contains(name, "*")
		switch {
		case types[name] == "object", types[name] == "nested":
			return nil, errorf("%s is an object in alerts: name one of its fields, or all with %[1]s.*", name)
		case types[name] != "":
			return nil, errorf("%s is not nested in alerts: write %[1]s: VALUE", name)
		case isPattern:
			return nil, errorf("alerts have no field like %s", name)
		case !isBelowFlattened(types, name):
			return nil, errorf("alerts have no field %s%s", name, meant(name, fields))
		}
	}
	if texts := parsed.NegatedFreeText(); len(texts) > 0 {
		return nil, errorf("%q after not has no field: write FIELD: VALUE", texts[0])
	}
	query, err := parsed.Compile(fields)
	if err != nil {
		return nil, errorf("%w", err)
	}
	return query, nil
}

// meant asks for a field with a similar name.
func meant(name string, fields kql.Fields) string {
	if similar := words.Closest(name, slices.Sorted(maps.Keys(fields))); similar != "" {
		return " (did you mean " + similar + "?)"
	}
	return ""
}

// nestedPath returns the innermost nested parent of a field, "" if there is none.
func nestedPath(types map[string]string, name string) string {
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return ""
		}
		if name = name[:dot]; types[name] == "nested" {
			return name
		}
	}
}

// isBelowFlattened reports whether a name is a key of a flattened field, which
// no mapping lists.
func isBelowFlattened(types map[string]string, name string) bool {
	for i, r := range name {
		if r == '.' && types[name[:i]] == "flattened" {
			return true
		}
	}
	return false
}
