package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A mapping is what the indices of a search say of the fields that it names.
type mapping struct {
	fields     kql.Fields
	types      kql.Capabilities
	indices    []string // that match, sorted
	passedOver []Unavailable
}

// An Unavailable is a name or pattern of a search, or an index that a pattern
// matches, whose events cannot be seen.
type Unavailable struct {
	Index string
	Why   string // "missing", "closed" or "not readable by this user"
}

func (u Unavailable) String() string { return u.Index + " is " + u.Why }

// A NotFoundError says that no index can be searched.
type NotFoundError struct {
	Indices []string // names and patterns, as they were asked for
	Why     []Unavailable
}

func (e *NotFoundError) Error() string {
	text := "no index matches " + strings.Join(e.Indices, ", ")
	for _, u := range e.Why {
		if u.Why != "missing" { // which has been said
			text += "; " + u.String()
		}
	}
	return text
}

// readMapping asks which types the named fields have, over all indices that
// match, and which these are. Its error is a *NotFoundError if there are none.
//
// The first question refuses names that are missing and indices that are closed,
// which Elasticsearch would pass over silently otherwise. Only if there are any
// does it take more.
func readMapping(ctx context.Context, c *elastic.Client, indices, names []string) (mapping, error) {
	m, err := askMapping(ctx, c, indices, names, false)
	var passedOver []Unavailable
	if unavailable(err) {
		passedOver = explainUnavailable(ctx, c, indices)
		m, err = askMapping(ctx, c, indices, names, true)
	}
	m.passedOver = passedOver
	if err != nil {
		return m, fmt.Errorf("field_caps %s: %w", strings.Join(indices, ","), err)
	}
	if len(m.indices) == 0 {
		return m, forbiddenOr(ctx, c, indices, &NotFoundError{indices, passedOver})
	}
	return m, nil
}

// unavailable reports whether an index was named that cannot be searched.
func unavailable(err error) bool {
	var refused interface{ Has(types ...string) bool }
	return errors.As(err, &refused) && refused.Has("index_not_found_exception", "index_closed_exception", "security_exception")
}

func askMapping(ctx context.Context, c *elastic.Client, indices, names []string, ignoreUnavailable bool) (mapping, error) {
	payload, err := json.Marshal(fieldTypesBody(names))
	if err != nil {
		return mapping{}, err
	}
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
	err = c.Do(ctx, esapi.FieldCapsRequest{
		Index: elastic.InPath(indices), Body: bytes.NewReader(payload),
		AllowNoIndices: &yes, IgnoreUnavailable: &ignoreUnavailable, ExpandWildcards: expand,
	}, &answer)
	switch {
	case err != nil:
		return mapping{}, err
	case len(answer.Failures) > 0:
		f := answer.Failures[0]
		return mapping{}, &failureError{f.Indices, f.Failure.Error}
	case answer.Fields == nil:
		return mapping{}, fmt.Errorf("%w: it holds no fields", elastic.ErrIncomplete)
	}
	slices.Sort(answer.Indices)
	return mapping{fields: kql.FieldsOf(answer.Fields), types: answer.Fields, indices: answer.Indices}, nil
}

// A failureError names indices, of another cluster mostly, that did not answer.
type failureError struct {
	indices []string
	elastic.Cause
}

func (e *failureError) Error() string {
	return fmt.Sprintf("%v: %s: %s", elastic.ErrIncomplete, strings.Join(e.indices, ","), e.Cause)
}

func (e *failureError) Unwrap() error { return elastic.ErrIncomplete }

// explainUnavailable finds out which names and indices cannot be searched. What
// cannot be found out is left out; those of other clusters are not asked for.
func explainUnavailable(ctx context.Context, c *elastic.Client, indices []string) []Unavailable {
	var found []Unavailable
	for _, index := range indices {
		if strings.Contains(index, ":") || strings.HasPrefix(index, "-") {
			continue
		}
		var answer struct {
			Indices []struct {
				Name       string   `json:"name"`
				Attributes []string `json:"attributes"`
			} `json:"indices"`
		}
		err := c.Do(ctx, esapi.IndicesResolveIndexRequest{Name: elastic.InPath([]string{index}), ExpandWildcards: "open,closed"}, &answer)
		var refused *elastic.ResponseError
		switch {
		case errors.As(err, &refused) && refused.Has("index_not_found_exception"):
			found = append(found, Unavailable{index, "missing"})
		case errors.As(err, &refused) && refused.Has("security_exception"):
			found = append(found, Unavailable{index, "not readable by this user"})
		}
		for _, i := range answer.Indices {
			if slices.Contains(i.Attributes, "closed") {
				found = append(found, Unavailable{i.Name, "closed"})
			}
		}
	}
	return found
}
