package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/kql"
)

// MaxAnswer bounds what one answer may take in memory, in bytes. A page of
// 10,000 pairs is about 2.5 MB, a batch of 200 events about 2 MB.
const MaxAnswer = 64 << 20

// A Client sends the requests. It is not safe for concurrent use.
type Client struct {
	transport esapi.Transport
	// Took sums the time that Elasticsearch says it needed for the searches.
	Took time.Duration
}

// NewClient returns a client that sends through transport.
func NewClient(transport esapi.Transport) *Client { return &Client{transport: transport} }

type searchResponse struct {
	Took     int64 `json:"took"`
	TimedOut bool  `json:"timed_out"`
	Shards   *struct {
		Total    int `json:"total"`
		Failed   int `json:"failed"`
		Failures []struct {
			Index  string      `json:"index"`
			Reason errorReason `json:"reason"`
		} `json:"failures"`
	} `json:"_shards"`
	Clusters struct {
		Total   int `json:"total"`
		Skipped int `json:"skipped"`
		Partial int `json:"partial"`
		Failed  int `json:"failed"`
	} `json:"_clusters"`
	Aggregations json.RawMessage `json:"aggregations"`
}

// search decodes the aggregations of a complete answer into aggs.
func (c *Client) search(ctx context.Context, indices []string, body dsl, aggs any) error {
	payload, err := json.Marshal(body)
	if err != nil {
		return err
	}
	yes, no := true, false
	var answer searchResponse
	err = c.do(ctx, esapi.SearchRequest{
		Index: indices, Body: bytes.NewReader(payload),
		AllowNoIndices: &yes, IgnoreUnavailable: &yes, AllowPartialSearchResults: &no,
	}, &answer)
	if err == nil {
		c.Took += time.Duration(answer.Took) * time.Millisecond
		err = answer.check()
	}
	if errors.Is(err, errNoShards) {
		err = c.orForbidden(ctx, indices, err)
	}
	if err == nil {
		err = json.Unmarshal(answer.Aggregations, aggs)
	}
	if err != nil {
		return fmt.Errorf("search %s: %w", strings.Join(indices, ","), orMapping(err))
	}
	return nil
}

func (r *searchResponse) check() error {
	switch {
	case r.TimedOut:
		return fmt.Errorf("%w: the search timed out", ErrIncomplete)
	case r.Shards == nil:
		return fmt.Errorf("%w: it does not say how many shards it comes from", ErrIncomplete)
	case r.Shards.Failed > 0:
		err := fmt.Errorf("%w: %d of %d shards failed", ErrIncomplete, r.Shards.Failed, r.Shards.Total)
		if len(r.Shards.Failures) > 0 {
			f := r.Shards.Failures[0]
			err = fmt.Errorf("%w: %s: %s: %s", err, f.Index, f.Reason.Type, f.Reason.Reason)
		}
		return err
	case r.Clusters.Skipped+r.Clusters.Partial+r.Clusters.Failed > 0:
		return fmt.Errorf("%w: %d of %d clusters were skipped or failed", ErrIncomplete,
			r.Clusters.Skipped+r.Clusters.Partial+r.Clusters.Failed, r.Clusters.Total)
	case r.Shards.Total == 0:
		return errNoShards
	case len(r.Aggregations) == 0:
		return fmt.Errorf("%w: it holds no aggregations", ErrIncomplete)
	}
	return nil
}

// fieldTypes asks which types the named fields have, over all indices that
// match, and which these are.
func (c *Client) fieldTypes(ctx context.Context, indices, names []string) (kql.Fields, []string, error) {
	payload, err := json.Marshal(fieldTypesBody(names))
	if err != nil {
		return nil, nil, err
	}
	yes := true
	var answer struct {
		Indices  []string                       `json:"indices"`
		Fields   map[string]map[string]struct{} `json:"fields"`
		Failures []struct {
			Indices []string    `json:"indices"`
			Failure errorReason `json:"failure"`
		} `json:"failures"`
	}
	err = c.do(ctx, esapi.FieldCapsRequest{
		Index: indices, Body: bytes.NewReader(payload), AllowNoIndices: &yes, IgnoreUnavailable: &yes,
	}, &answer)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("field_caps %s: %w", strings.Join(indices, ","), err)
	case len(answer.Failures) > 0:
		f := answer.Failures[0]
		return nil, nil, fmt.Errorf("field_caps: %w: %s: %s: %s", ErrIncomplete, strings.Join(f.Indices, ","), f.Failure.Type, f.Failure.Reason)
	case answer.Fields == nil:
		return nil, nil, fmt.Errorf("field_caps %s: %w: it holds no fields", strings.Join(indices, ","), ErrIncomplete)
	case len(answer.Indices) == 0:
		return nil, nil, c.orForbidden(ctx, indices, &NotFoundError{indices})
	}
	fields := kql.Fields{}
	for name, types := range answer.Fields {
		if field, ok := fieldOf(name, types); ok {
			fields[name] = field
		}
	}
	for name, field := range fields {
		field.NestedPath = nestedPath(name, answer.Fields)
		fields[name] = field
	}
	return fields, answer.Indices, nil
}

// do sends one request and decodes its answer.
func (c *Client) do(ctx context.Context, request esapi.Request, answer any) error {
	res, err := request.Do(ctx, c.transport)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return responseError(res.StatusCode, body)
	}
	if len(body) > MaxAnswer {
		return errTooLarge
	}
	// A proxy's or another product's 200 has no such header.
	if product := res.Header.Get("X-Elastic-Product"); product != "Elasticsearch" {
		return fmt.Errorf("%w: it does not come from Elasticsearch (header X-Elastic-Product is %q): check ELASTICSEARCH_URL", ErrIncomplete, product)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("%w: it is not the JSON that was expected: %w", ErrIncomplete, err)
	}
	return nil
}
