package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A RejectedError names documents that Elasticsearch refused.
type RejectedError struct {
	Target string
	Count  int // of refused documents
	// ID, Status and Cause are of the first one.
	ID     string
	Status int
	Cause  elastic.Cause
}

func (e *RejectedError) Error() string {
	which := "document " + e.ID
	if e.Count > 1 {
		which = fmt.Sprintf("%d documents, the first %s", e.Count, e.ID)
	}
	return fmt.Sprintf("%s rejected %s: %d %s", e.Target, which, e.Status, e.Cause)
}

// StatusCode is the HTTP status of the first refused document.
func (e *RejectedError) StatusCode() int { return e.Status }

type item struct {
	id       string
	document map[string]any
}

// outcome is what became of one document.
type outcome struct {
	ID     string        `json:"_id"`
	Status int           `json:"status"`
	Error  elastic.Cause `json:"error"`
}

func (o outcome) mayBeRetried() bool {
	return o.Status == http.StatusTooManyRequests || o.Status == http.StatusServiceUnavailable
}

// create writes documents and returns an outcome for each, in order. Documents
// that failed because the cluster is busy are sent again, and no others.
func (s *Store) create(ctx context.Context, target string, items []item) ([]outcome, error) {
	outcomes := make([]outcome, len(items))
	left := make([]int, len(items)) // positions still to be written
	for i := range left {
		left[i] = i
	}
	err := s.client.Again(ctx, func() error {
		batch := make([]item, len(left))
		for i, position := range left {
			batch[i] = items[position]
		}
		answer, err := elastic.InHalves(batch, func(batch []item) ([]outcome, error) { return s.bulk(ctx, target, batch) })
		if err != nil {
			return backoff.Permanent(err) // the client has tried again
		}
		var busy []int
		for i, position := range left {
			outcomes[position] = answer[i]
			if answer[i].mayBeRetried() {
				busy = append(busy, position)
			}
		}
		if left = busy; len(left) > 0 {
			return errBusy
		}
		return nil
	})
	if errors.Is(err, errBusy) {
		err = nil // the outcomes tell of it
	}
	return outcomes, err
}

var errBusy = errors.New("documents were turned away")

// bulk sends one request. refresh makes what it writes visible to the next
// search for alerts that exist, of this run or of a retry.
func (s *Store) bulk(ctx context.Context, target string, items []item) ([]outcome, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for _, it := range items {
		action := map[string]any{"create": map[string]any{"_id": it.id}}
		if err := errors.Join(encoder.Encode(action), encoder.Encode(it.document)); err != nil {
			return nil, err
		}
	}
	yes := true
	var answer struct {
		elastic.Timed
		Items []struct {
			Create outcome `json:"create"`
		} `json:"items"`
	}
	err := s.client.Do(ctx, esapi.BulkRequest{Index: target, Body: &body, RequireDataStream: &yes, Refresh: "true"}, &answer)
	if err == nil && len(answer.Items) != len(items) {
		err = fmt.Errorf("%w: it tells of %d documents, %d were sent", elastic.ErrIncomplete, len(answer.Items), len(items))
	}
	if err != nil {
		return nil, fmt.Errorf("bulk %s: %w", target, err)
	}
	outcomes := make([]outcome, len(items))
	for i, item := range answer.Items {
		outcomes[i] = item.Create
	}
	return outcomes, nil
}

// rejection is nil if every document was created or existed.
func rejection(target string, outcomes []outcome) error {
	var first *RejectedError
	for _, o := range outcomes {
		if o.Status == http.StatusCreated || o.Status == http.StatusConflict {
			continue
		}
		if first == nil {
			first = &RejectedError{Target: target, ID: o.ID, Status: o.Status, Cause: o.Error}
		}
		first.Count++
	}
	if first == nil {
		return nil
	}
	return first
}
