package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A mapping describes a search's fields in its indices.
type mapping struct {
	fields     kql.Fields
	types      kql.Capabilities
	indices    []string // those that match, sorted
	passedOver []Unavailable
}

// A NotFoundError reports that no index can be searched.
type NotFoundError struct {
	Indices []string // names and patterns of the search
	Why     []Unavailable
}

func (e *NotFoundError) Error() string {
	text := "no index matches " + strings.Join(e.Indices, ", ")
	for _, u := range e.Why {
		if u.Why != isMissing { // the text says so already
			text += "; " + u.String()
		}
	}
	return text
}

// readMapping returns the types of the named fields in all matching indices, and these
// indices. Its error is a *NotFoundError if there are none.
//
// The first request refuses missing names and closed indices, which Elasticsearch would
// otherwise ignore silently. Only if there are any, more requests follow.
func readMapping(ctx context.Context, c *elastic.Client, indices, names []string) (mapping, error) {
	m, err := askMapping(ctx, c, indices, names, false)
	var passedOver []Unavailable
	if unavailable(err) {
		passedOver = explainUnavailable(ctx, c, indices)
		m, err = askMapping(ctx, c, indices, names, true)
	}
	m.passedOver = passedOver
	if err != nil {
		return m, fmt.Errorf("field_caps %s: %w", strings.Join(indices, ","), asNameError(err))
	}
	if len(m.indices) == 0 {
		return m, forbiddenOr(ctx, c, indices, &NotFoundError{indices, passedOver})
	}
	return m, nil
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
		failure := failureError{answer.Failures[0].Indices, answer.Failures[0].Failure.Error}
		if failure.Has("security_exception") {
			return mapping{}, &forbiddenError{failure}
		}
		return mapping{}, &failure
	case answer.Fields == nil:
		return mapping{}, fmt.Errorf("%w: it holds no fields", elastic.ErrIncomplete)
	}
	slices.Sort(answer.Indices)
	return mapping{fields: kql.FieldsOf(answer.Fields), types: answer.Fields, indices: answer.Indices}, nil
}
