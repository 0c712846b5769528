package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// A Store writes to the two targets, both hidden data streams. It is not safe
// for concurrent use.
type Store struct {
	transport                esapi.Transport
	alertsTarget, runsTarget string
	// Requests counts those sent; Took sums the time of the searches.
	Requests int
	Took     time.Duration
}

// NewStore returns a store that sends through transport.
func NewStore(transport esapi.Transport, alertsTarget, runsTarget string) *Store {
	return &Store{transport: transport, alertsTarget: alertsTarget, runsTarget: runsTarget}
}

// MaxBatch is how many keys AlreadyAlerted takes at once: no more than the
// 65,536 values of a terms filter, and a page of candidates.
const MaxBatch = 10_000

// AlreadyAlerted reports for each of at most MaxBatch keys, in order, whether
// the alerts target holds an alert of its pair first seen at most history
// before or after it. This sees what an _id cannot: an event that arrived late
// and moved a first occurrence, and an alert in an older backing index.
func (s *Store) AlreadyAlerted(ctx context.Context, keys []Key, history time.Duration) ([]bool, error) {
	alerted := make([]bool, len(keys))
	positions := map[string]int{}
	for i, k := range keys {
		positions[k.Pair] = i
	}
	var after json.RawMessage
	for {
		answer, err := s.alertedPage(ctx, alreadyAlertedBody(keys, history, after))
		var missing *ResponseError
		if errors.As(err, &missing) && missing.Status == http.StatusNotFound {
			return alerted, nil // no alert was ever written
		}
		if err != nil {
			return nil, fmt.Errorf("look for alerts that exist: search %s: %w", s.alertsTarget, err)
		}
		for _, b := range answer.Buckets {
			i, ok := positions[b.Key.Pair]
			if ok && keys[i].FirstSeen.Sub(time.UnixMilli(b.Key.FirstSeen)).Abs() <= history {
				alerted[i] = true
			}
		}
		if len(answer.Buckets) < MaxBatch {
			return alerted, nil
		}
		if bytes.Equal(after, answer.AfterKey) {
			return nil, fmt.Errorf("look for alerts that exist: search %s: %w: a page ends where it began", s.alertsTarget, ErrIncomplete)
		}
		after = answer.AfterKey
	}
}

// alreadyAlertedBody lists the alerts of the pairs around their times.
func alreadyAlertedBody(keys []Key, history time.Duration, after json.RawMessage) map[string]any {
	pairs := make([]string, len(keys))
	earliest, latest := keys[0].FirstSeen, keys[0].FirstSeen
	for i, k := range keys {
		pairs[i] = k.Pair
		if k.FirstSeen.Before(earliest) {
			earliest = k.FirstSeen
		}
		if k.FirstSeen.After(latest) {
			latest = k.FirstSeen
		}
	}
	composite := map[string]any{"size": MaxBatch, "sources": []any{
		map[string]any{"pair": map[string]any{"terms": map[string]any{"field": "newterms.pair"}}},
		map[string]any{"first_seen": map[string]any{"terms": map[string]any{"field": "newterms.first_seen"}}},
	}}
	if after != nil {
		composite["after"] = after
	}
	return map[string]any{
		"size": 0, "track_total_hits": false,
		"query": map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"terms": map[string]any{"newterms.pair": pairs}},
			map[string]any{"range": map[string]any{"newterms.first_seen": map[string]any{
				"gte": earliest.Add(-history).UnixMilli(), "lte": latest.Add(history).UnixMilli(), "format": "epoch_millis",
			}}},
		}}},
		"aggs": map[string]any{"alerts": map[string]any{"composite": composite}},
	}
}

// A Result says what became of the alerts of a Write.
type Result struct {
	Written []Alert
	// Existing counts those that another run wrote in the meantime.
	Existing int
}

// Write creates the alerts, in one request. It judges each by itself: if some
// are rejected the result still holds the others, and the error is a
// *RejectedError.
func (s *Store) Write(ctx context.Context, batch []Alert) (Result, error) {
	items := make([]item, len(batch))
	for i, a := range batch {
		items[i] = item{id: a.ID, document: a.document}
	}
	answer, err := s.create(ctx, s.alertsTarget, items)
	if err != nil {
		return Result{}, fmt.Errorf("write alerts: %w", err)
	}
	var result Result
	for i, outcome := range answer.Items {
		switch outcome.Create.Status {
		case http.StatusCreated:
			result.Written = append(result.Written, batch[i])
		case http.StatusConflict:
			result.Existing++
		}
	}
	if err := answer.failure(); err != nil {
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

// create sends one bulk request. refresh makes what it wrote visible to the
// next search for alerts that exist, of this run or of a retry.
func (s *Store) create(ctx context.Context, target string, items []item) (bulkAnswer, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	for _, it := range items {
		action := map[string]any{"create": map[string]any{"_id": it.id}}
		if err := errors.Join(encoder.Encode(action), encoder.Encode(it.document)); err != nil {
			return bulkAnswer{}, err
		}
	}
	yes := true
	answer := bulkAnswer{target: target}
	err := s.do(ctx, esapi.BulkRequest{Index: target, Body: &body, RequireDataStream: &yes, Refresh: "true"}, &answer)
	if err == nil && len(answer.Items) != len(items) {
		err = fmt.Errorf("%w: it tells of %d documents, %d were sent", ErrIncomplete, len(answer.Items), len(items))
	}
	if err != nil {
		return bulkAnswer{}, fmt.Errorf("bulk %s: %w", target, err)
	}
	return answer, nil
}

type bulkAnswer struct {
	target string
	Items  []struct {
		Create struct {
			ID     string      `json:"_id"`
			Status int         `json:"status"`
			Error  errorReason `json:"error"`
		} `json:"create"`
	} `json:"items"`
}

// failure is nil if every document was created or existed.
func (a bulkAnswer) failure() error {
	var first *RejectedError
	for _, item := range a.Items {
		c := item.Create
		if c.Status == http.StatusCreated || c.Status == http.StatusConflict {
			continue
		}
		if first == nil {
			first = &RejectedError{Target: a.target, ID: c.ID, Status: c.Status, Type: c.Error.Type, Reason: c.Error.Reason}
		}
		first.Count++
	}
	if first == nil {
		return nil
	}
	return first
}
