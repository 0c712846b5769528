package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// A Store writes to the two targets, both hidden data streams. It is not safe
// for concurrent use.
type Store struct {
	transport                esapi.Transport
	alertsTarget, runsTarget string
	retry                    []backoff.RetryOption
	// Took sums the time that Elasticsearch says it needed for the searches.
	Took time.Duration
}

// NewStore returns a store that sends through transport. retry says how often
// and when to send documents again that the cluster was too busy for.
func NewStore(transport esapi.Transport, alertsTarget, runsTarget string, retry ...backoff.RetryOption) *Store {
	return &Store{transport: transport, alertsTarget: alertsTarget, runsTarget: runsTarget, retry: retry}
}

// A Result says what became of the alerts of a Write.
type Result struct {
	Written []Alert
	// Existing counts those that another run wrote in the meantime.
	Existing int
}

// Write creates the alerts. It judges each by itself: if some are rejected the
// result still holds the others, and the error is a *RejectedError.
func (s *Store) Write(ctx context.Context, batch []Alert) (Result, error) {
	items := make([]item, len(batch))
	for i, a := range batch {
		items[i] = item{id: a.ID, document: a.document}
	}
	outcomes, err := s.create(ctx, s.alertsTarget, items)
	if err != nil {
		return Result{}, fmt.Errorf("write alerts: %w", err)
	}
	var existing []string
	for i, o := range outcomes {
		if o.Status == http.StatusConflict {
			existing = append(existing, batch[i].ID)
		}
	}
	var own map[string]bool
	if len(existing) > 0 {
		if own, err = s.ownAlerts(ctx, batch[0].runID, existing); err != nil {
			return Result{}, fmt.Errorf("write alerts: %w", err)
		}
	}
	var result Result
	for i, o := range outcomes {
		switch {
		case o.Status == http.StatusCreated || own[batch[i].ID]:
			result.Written = append(result.Written, batch[i])
		case o.Status == http.StatusConflict:
			result.Existing++
		}
	}
	if err := rejection(s.alertsTarget, outcomes); err != nil {
		return result, fmt.Errorf("write alerts: %w", err)
	}
	return result, nil
}

// A RejectedError names documents that Elasticsearch refused.
type RejectedError struct {
	Target string
	Count  int // of refused documents
	ID     string
	Status int // of the first one, like ID, Type and Reason
	Type   string
	Reason string
}

func (e *RejectedError) Error() string {
	which := "document " + e.ID
	if e.Count > 1 {
		which = fmt.Sprintf("%d documents, the first %s", e.Count, e.ID)
	}
	text := fmt.Sprintf("%s rejected %s: %d %s: %s", e.Target, which, e.Status, e.Type, e.Reason)
	if e.Status == http.StatusNotFound {
		text += ": run newterms setup to install the index templates"
	}
	return text
}

// StatusCode is the HTTP status of the first refused document.
func (e *RejectedError) StatusCode() int { return e.Status }

type item struct {
	id       string
	document map[string]any
}

// outcome is what became of one document.
type outcome struct {
	ID     string      `json:"_id"`
	Status int         `json:"status"`
	Error  errorReason `json:"error"`
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
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		batch := make([]item, len(left))
		for i, position := range left {
			batch[i] = items[position]
		}
		answer, err := s.bulk(ctx, target, batch)
		if err != nil {
			return struct{}{}, backoff.Permanent(err) // the transport has retried it
		}
		var busy []int
		for i, position := range left {
			outcomes[position] = answer[i]
			if answer[i].mayBeRetried() {
				busy = append(busy, position)
			}
		}
		if left = busy; len(left) > 0 {
			return struct{}{}, errBusy
		}
		return struct{}{}, nil
	}, s.retry...)
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
		Items []struct {
			Create outcome `json:"create"`
		} `json:"items"`
	}
	err := s.do(ctx, esapi.BulkRequest{Index: target, Body: &body, RequireDataStream: &yes, Refresh: "true"}, &answer)
	if err == nil && len(answer.Items) != len(items) {
		err = fmt.Errorf("%w: it tells of %d documents, %d were sent", ErrIncomplete, len(answer.Items), len(items))
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
			first = &RejectedError{Target: target, ID: o.ID, Status: o.Status, Type: o.Error.Type, Reason: o.Error.Reason}
		}
		first.Count++
	}
	if first == nil {
		return nil
	}
	return first
}
