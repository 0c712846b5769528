package alerts

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
)

// ErrIncomplete is wrapped by every error about an answer that arrived and
// cannot be trusted.
var ErrIncomplete = errors.New("incomplete answer")

// A ResponseError is an answer with an HTTP error status.
type ResponseError struct {
	Status int
	Type   string // Elasticsearch's name for the error, "" if it gave none
	Reason string
}

func (e *ResponseError) Error() string {
	return strings.TrimRight(fmt.Sprintf("%d %s: %s", e.Status, e.Type, e.Reason), ": ")
}

// StatusCode is the HTTP status.
func (e *ResponseError) StatusCode() int { return e.Status }

type errorReason struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

// search decodes the aggregations of a complete answer into aggs. Unlike a
// source a target is one name: if it may not be read Elasticsearch says so, and
// if it is missing, found is false.
func (s *Store) search(ctx context.Context, target string, body map[string]any, aggs any) (found bool, err error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return false, err
	}
	var answer struct {
		Took     int64 `json:"took"`
		TimedOut bool  `json:"timed_out"`
		Shards   *struct {
			Total  int `json:"total"`
			Failed int `json:"failed"`
		} `json:"_shards"`
		Clusters struct {
			Skipped int `json:"skipped"`
		} `json:"_clusters"`
		Aggregations json.RawMessage `json:"aggregations"`
	}
	no := false
	err = s.do(ctx, esapi.SearchRequest{Index: []string{target}, Body: bytes.NewReader(payload), AllowPartialSearchResults: &no}, &answer)
	s.Took += time.Duration(answer.Took) * time.Millisecond
	var refused *ResponseError
	switch {
	case errors.As(err, &refused) && refused.Type == "index_not_found_exception":
		return false, nil
	case err != nil:
	case answer.TimedOut:
		err = fmt.Errorf("%w: the search timed out", ErrIncomplete)
	case answer.Shards == nil || answer.Shards.Total == 0:
		err = fmt.Errorf("%w: no shard was searched", ErrIncomplete)
	case answer.Shards.Failed > 0:
		err = fmt.Errorf("%w: %d of %d shards failed", ErrIncomplete, answer.Shards.Failed, answer.Shards.Total)
	case answer.Clusters.Skipped > 0:
		err = fmt.Errorf("%w: %d clusters were skipped", ErrIncomplete, answer.Clusters.Skipped)
	case len(answer.Aggregations) == 0:
		err = fmt.Errorf("%w: it holds no aggregations", ErrIncomplete)
	default:
		err = json.Unmarshal(answer.Aggregations, aggs)
	}
	if err != nil {
		return false, fmt.Errorf("search %s: %w", target, err)
	}
	return true, nil
}

// do sends one request and decodes its answer.
func (s *Store) do(ctx context.Context, request esapi.Request, answer any) error {
	res, err := request.Do(ctx, s.transport)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return responseError(res.StatusCode, body)
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

func responseError(status int, body []byte) error {
	var answer struct {
		Error struct {
			errorReason
			RootCause []errorReason `json:"root_cause"`
		} `json:"error"`
	}
	e := &ResponseError{Status: status}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Type == "" {
		e.Type = http.StatusText(status)
		e.Reason = strings.Join(strings.Fields(string(body[:min(len(body), 200)])), " ")
		return e
	}
	cause := answer.Error.errorReason
	if len(answer.Error.RootCause) > 0 {
		cause = answer.Error.RootCause[0] // the outer one says only "all shards failed"
	}
	e.Type, e.Reason = cause.Type, cause.Reason
	return e
}
