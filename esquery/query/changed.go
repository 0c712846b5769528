package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// A ChangedError says how the indices have changed since they were opened. The answers
// since then do not fit together. It wraps elastic.ErrIncomplete.
type ChangedError struct{ What string }

func (e *ChangedError) Error() string { return "the indices changed in mid-run: " + e.What }

func (e *ChangedError) Unwrap() error { return elastic.ErrIncomplete }

// Unchanged returns an error unless the answers so far come from all indices that
// existed at first, with the same types of fields. Call it before you conclude anything
// from an empty answer. It sends nothing if no index was added since its last call; an
// index that goes fails the next search. It returns a *ChangedError or an error of
// Open.
func (o *Opened) Unchanged(ctx context.Context) error {
	shards := o.shards.Number()
	if o.confirmed == shards && shards > 0 {
		return nil
	}
	if err := o.compare(ctx); err != nil {
		return err
	}
	o.confirmed = shards
	return nil
}

// compare reads the types again, and compares them with the first ones.
func (o *Opened) compare(ctx context.Context) error {
	names := o.Search.MappedNames()
	now, err := access.FieldTypes(ctx, o.Client, o.Search.Indices, names, len(o.Mapping.Unavailable) > 0)
	if access.IsUnavailable(err) {
		var what []string
		for _, u := range access.FindUnavailable(ctx, o.Client, o.Search.Indices) {
			what = append(what, u.String())
		}
		if len(what) > 0 {
			return &ChangedError{strings.Join(what, ", ")}
		}
	}
	if err != nil {
		return fmt.Errorf("field types: %w", err)
	}
	if gone := slices.DeleteFunc(slices.Clone(o.Mapping.Indices), func(index string) bool { return slices.Contains(now.Indices, index) }); len(gone) > 0 {
		return &ChangedError{access.FirstNames(gone) + " cannot be searched any more: closed, deleted, or taken from this user's rights"}
	}
	if _, err := open(o.Client, o.Search, now); err != nil {
		return err
	}
	for _, name := range o.Search.FieldNames() {
		before := o.Mapping.Types[name]
		for kind := range now.Types[name] {
			if _, known := before[kind]; !known && len(before) > 0 {
				return &ChangedError{"now " + name + " " + mapping{now}.describe(name)}
			}
		}
	}
	return nil
}

// whatChanged returns the change of the indices as an error, or else err.
func (o *Opened) whatChanged(ctx context.Context, err error) error {
	changed := o.compare(ctx)
	if errors.As(changed, new(*ChangedError)) || errors.As(changed, new(*TypeError)) {
		return changed
	}
	return err
}
