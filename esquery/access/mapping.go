// Package access finds out what a user may read of a cluster: who the user is, which
// privileges it lacks, which documents, fields and indices are hidden from it, and how
// the fields of the others are mapped.
package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Mapping describes some fields in the indices that names and patterns match.
type Mapping struct {
	Fields  kql.Fields
	Types   kql.Capabilities
	Indices []string // those that match, sorted
	// Unavailable are the indices, names and patterns whose events cannot be seen.
	Unavailable []Unavailable
}

// A NotFoundError reports that no index can be searched.
type NotFoundError struct {
	Indices []string // names and patterns of the search
	Why     []Unavailable
}

func (e *NotFoundError) Error() string {
	var text strings.Builder
	text.WriteString("no index matches " + strings.Join(e.Indices, ", "))
	for _, u := range e.Why {
		if u.Why != isMissing { // the text says so already
			text.WriteString("; " + u.String())
		}
	}
	return text.String()
}

// ReadMapping returns the types of the named fields in all matching indices, and these
// indices. Its error is a *NotFoundError if there are none, and a *PrivilegeError if
// the user may read none.
//
// The first request refuses missing names and closed indices, which Elasticsearch would
// otherwise ignore silently. Only if there are any, more requests follow.
func ReadMapping(ctx context.Context, c *elastic.Client, indices, names []string) (Mapping, error) {
	m, err := FieldTypes(ctx, c, indices, names, false)
	var found []Unavailable
	if IsUnavailable(err) {
		found = FindUnavailable(ctx, c, indices)
		m, err = FieldTypes(ctx, c, indices, names, true)
	}
	m.Unavailable = found
	if err != nil {
		return m, err
	}
	if len(m.Indices) == 0 {
		return m, ForbiddenOr(ctx, c, indices, &NotFoundError{indices, found})
	}
	return m, nil
}

// FieldTypes is ReadMapping in one request, where no matching index is no error. Unless
// ignoreUnavailable is set, an index that cannot be searched is an error, which
// IsUnavailable reports.
func FieldTypes(ctx context.Context, c *elastic.Client, indices, names []string, ignoreUnavailable bool) (Mapping, error) {
	m, err := fieldCaps(ctx, c, indices, names, ignoreUnavailable)
	if err != nil {
		return Mapping{}, fmt.Errorf("field_caps %s: %w", strings.Join(indices, ","), asNameError(err))
	}
	return m, nil
}

// FieldTypesBody is the body of the request for the types of fields.
func FieldTypesBody(names []string) map[string]any { return map[string]any{"fields": names} }

func fieldCaps(ctx context.Context, c *elastic.Client, indices, names []string, ignoreUnavailable bool) (Mapping, error) {
	yes, expand := true, "open"
	if !ignoreUnavailable {
		expand = "open,closed"
	}
	var answer struct {
		Indices  []string         `json:"indices"`
		Fields   kql.Capabilities `json:"fields"`
		Failures []struct {
			Indices []string `json:"indices"`
			Failure struct {
				Error elastic.Cause `json:"error"`
			} `json:"failure"`
		} `json:"failures"`
	}
	err := c.Do(ctx, esapi.FieldCapsRequest{
		Index: elastic.InPath(indices), Body: elastic.JSON(FieldTypesBody(names)),
		AllowNoIndices: &yes, IgnoreUnavailable: &ignoreUnavailable, ExpandWildcards: expand,
	}, &answer)
	switch {
	case err != nil:
		return Mapping{}, err
	case len(answer.Failures) > 0:
		failure := failureError{answer.Failures[0].Indices, answer.Failures[0].Failure.Error}
		if failure.Has("security_exception") {
			return Mapping{}, &forbiddenError{failure}
		}
		return Mapping{}, &failure
	case answer.Fields == nil:
		return Mapping{}, fmt.Errorf("%w: it holds no fields", elastic.ErrIncomplete)
	}
	slices.Sort(answer.Indices)
	return Mapping{Fields: kql.FieldsOf(answer.Fields), Types: answer.Fields, Indices: answer.Indices}, nil
}

// FirstNames lists at most three names, and how many more there are.
func FirstNames(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}
