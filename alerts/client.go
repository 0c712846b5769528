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

type alertedAnswer struct {
	AfterKey json.RawMessage `json:"after_key"`
	Buckets  []struct {
		Key struct {
			Pair      string `json:"pair"`
			FirstSeen int64  `json:"first_seen"`
		} `json:"key"`
	} `json:"buckets"`
}

// alertedPage searches the alerts target. Unlike a source, the target is one
// name: if it is missing or may not be read, Elasticsearch says so.
func (s *Store) alertedPage(ctx context.Context, body map[string]any) (*alertedAnswer, error) {
	payload, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Took     int64 `json:"took"`
		TimedOut bool  `json:"timed_out"`
		Shards   *struct {
			Total  int `json:"total"`
			Failed int `json:"failed"`
		} `json:"_shards"`
		Aggregations struct {
			Alerts *alertedAnswer `json:"alerts"`
		} `json:"aggregations"`
	}
	no := false
	err = s.do(ctx, esapi.SearchRequest{
		Index: []string{s.alertsTarget}, Body: bytes.NewReader(payload), AllowPartialSearchResults: &no,
	}, &answer)
	s.Took += time.Duration(answer.Took) * time.Millisecond
	switch {
	case err != nil:
		return nil, err
	case answer.TimedOut:
		return nil, fmt.Errorf("%w: the search timed out", ErrIncomplete)
	case answer.Shards == nil || answer.Shards.Total == 0 || answer.Shards.Failed > 0:
		return nil, fmt.Errorf("%w: not every shard was searched: %+v", ErrIncomplete, answer.Shards)
	case answer.Aggregations.Alerts == nil:
		return nil, fmt.Errorf("%w: it holds no aggregations", ErrIncomplete)
	}
	return answer.Aggregations.Alerts, nil
}

// do sends one request and decodes its answer.
func (s *Store) do(ctx context.Context, request esapi.Request, answer any) error {
	s.Requests++
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
		Error errorReason `json:"error"`
	}
	e := &ResponseError{Status: status}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Type == "" {
		e.Type = http.StatusText(status)
		e.Reason = strings.Join(strings.Fields(string(body[:min(len(body), 200)])), " ")
		return e
	}
	e.Type, e.Reason = answer.Error.Type, answer.Error.Reason
	return e
}
