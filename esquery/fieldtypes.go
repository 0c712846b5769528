package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A NotFoundError says that no index matches a search's names and patterns.
type NotFoundError struct{ Indices []string }

func (e *NotFoundError) Error() string {
	return "no index matches " + strings.Join(e.Indices, ", ")
}

// fieldTypes asks which types the named fields have, over all indices that
// match, and which these are. Its error is a *NotFoundError if there are none.
func fieldTypes(ctx context.Context, c *elastic.Client, indices, names []string) (kql.Fields, []string, error) {
	payload, err := json.Marshal(fieldTypesBody(names))
	if err != nil {
		return nil, nil, err
	}
	yes := true
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
		Index: indices, Body: bytes.NewReader(payload), AllowNoIndices: &yes, IgnoreUnavailable: &yes,
	}, &answer)
	switch {
	case err != nil:
	case len(answer.Failures) > 0:
		f := answer.Failures[0]
		err = fmt.Errorf("%w: %s: %s", elastic.ErrIncomplete, strings.Join(f.Indices, ","), f.Failure.Error)
	case answer.Fields == nil:
		err = fmt.Errorf("%w: it holds no fields", elastic.ErrIncomplete)
	case len(answer.Indices) == 0:
		return nil, nil, forbiddenOr(ctx, c, indices, &NotFoundError{indices})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("field_caps %s: %w", strings.Join(indices, ","), err)
	}
	return kql.FieldsOf(answer.Fields), answer.Indices, nil
}
