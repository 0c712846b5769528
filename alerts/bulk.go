package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// A RejectedError names documents that Elasticsearch refused.
type RejectedError struct {
	Target string
	Count  int // of refused documents
	// ID, Status and Cause are those of the first document.
	ID     string
	Status int
	elastic.Cause
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

// An item is a document to create in a target or, if replaces is set, the new part of an
// existing document.
type item struct {
	id       string
	document []byte // JSON
	replaces *revision
}

// lines returns the action and the document as lines of a bulk request. Ids are
// hexadecimal or similar, which JSON need not escape.
func (i item) lines() ([]byte, error) {
	if i.replaces == nil {
		return slices.Concat([]byte(`{"create":{"_id":"`), []byte(i.id), []byte("\"}}\n"), i.document, []byte("\n")), nil
	}
	update, err := json.Marshal(i.replaces)
	return slices.Concat([]byte(`{"update":`), update, []byte("}\n{\"doc\":"), i.document, []byte("}\n")), err
}

// A revision is a state of a document that others may have changed since. A data stream
// accepts updates only in its backing indices.
type revision struct {
	Index       string `json:"_index"`
	ID          string `json:"_id"`
	SeqNo       int64  `json:"if_seq_no"`
	PrimaryTerm int64  `json:"if_primary_term"`
}

// An outcome is the result for one document.
type outcome struct {
	Index        string        `json:"_index"` // the backing index of a data stream
	ID           string        `json:"_id"`
	Status       int           `json:"status"`
	Error        elastic.Cause `json:"error"`
	FailureStore string        `json:"failure_store"` // "used" if the document went there
}

// isCreated reports whether the document is in the target or one of its backing
// indices. If a pipeline drops a document, the status is 200.
func (o outcome) isCreated(target string) bool {
	isThere := o.Index == "" || o.Index == target || strings.HasPrefix(o.Index, ".ds-"+target+"-")
	return o.Status == http.StatusCreated && o.FailureStore != "used" && isThere
}

// isChanged reports whether a document was updated.
func (o outcome) isChanged() bool { return o.Status == http.StatusOK }

// isRefused reports whether the target may accept less of the document. A
// pipeline that fails returns a 500.
func (o outcome) isRefused() bool {
	return slices.Contains([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusInternalServerError}, o.Status) || o.FailureStore == "used"
}

func (o outcome) isBusy() bool {
	return o.Status == http.StatusTooManyRequests || o.Status == http.StatusServiceUnavailable
}

// send creates or updates documents in a target, and returns an outcome for each, in
// order. It repeats only documents that failed because the cluster was busy. refresh
// makes them visible to the next search.
func (s *Store) send(ctx context.Context, target string, items []item, refresh bool) ([]outcome, error) {
	outcomes := make([]outcome, len(items))
	left := make([]int, len(items)) // positions still to send
	for i := range left {
		left[i] = i
	}
	lines, err := encode(items)
	if err != nil {
		return nil, err
	}
	err = s.client.Again(ctx, func() error {
		var busy []int
		for part := range bulkParts(left, lines) {
			answer, err := elastic.InHalves(part, func(part []int) ([]outcome, error) { return s.bulk(ctx, target, part, lines, refresh) })
			if err != nil {
				return backoff.Permanent(err) // the client has retried already
			}
			for i, position := range part {
				outcomes[position] = answer[i]
				outcomes[position].ID = items[position].id // a 413 has no ids
				if answer[i].isBusy() {
					busy = append(busy, position)
				}
			}
		}
		if left = busy; len(left) > 0 {
			return errBusy
		}
		return nil
	})
	if errors.Is(err, errBusy) {
		err = nil // the outcomes have it
	}
	return outcomes, err
}

var errBusy = errors.New("the cluster was busy")

// encode returns the lines of a bulk request for each item.
func encode(items []item) ([][]byte, error) {
	lines := make([][]byte, len(items))
	for i, it := range items {
		var err error
		if lines[i], err = it.lines(); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// maxBulk is the approximate size of a bulk request: some 700 alerts. With 5 MB, as in
// Elastic's own clients, a run that wrote 20,000 alerts took no less time, and 129 MB
// of memory instead of 71. http.max_content_length is 100 MB.
const maxBulk = 2 << 20

// bulkParts yields consecutive positions whose lines add up to about maxBulk.
func bulkParts(positions []int, lines [][]byte) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		size, start := 0, 0
		for i, position := range positions {
			if size > 0 && size+len(lines[position]) > maxBulk {
				if !yield(positions[start:i]) {
					return
				}
				size, start = 0, i
			}
			size += len(lines[position])
		}
		if start < len(positions) {
			yield(positions[start:])
		}
	}
}

// bulk sends one request. Without a target each item names its own. A single document
// that is too large is refused, like one that does not fit the mapping.
func (s *Store) bulk(ctx context.Context, target string, positions []int, lines [][]byte, refresh bool) ([]outcome, error) {
	var body bytes.Buffer
	for _, position := range positions {
		body.Write(lines[position])
	}
	request := esapi.BulkRequest{Index: target, Body: &body, Refresh: strconv.FormatBool(refresh)}
	if yes := true; target != "" && !s.onIndices {
		request.RequireDataStream = &yes
	}
	var answer struct {
		elastic.Timed
		Items []struct {
			Create outcome `json:"create"`
			Update outcome `json:"update"`
		} `json:"items"`
	}
	err := s.client.Do(ctx, request, &answer)
	if len(positions) == 1 && elastic.TooMuchToAsk(err) {
		return []outcome{{Status: http.StatusRequestEntityTooLarge, Error: elastic.Cause{Type: "request_entity_too_large", Reason: err.Error()}}}, nil
	}
	if elastic.Says(err, "require_data_stream") {
		err = &elastic.VersionError{Version: "8.12 or earlier"}
	}
	if err == nil && len(answer.Items) != len(positions) {
		err = fmt.Errorf("%w: it has %d documents, %d were sent", elastic.ErrIncomplete, len(answer.Items), len(positions))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.TrimSpace("bulk "+target), err)
	}
	outcomes := make([]outcome, len(positions))
	for i, item := range answer.Items {
		if outcomes[i] = item.Create; target == "" {
			outcomes[i] = item.Update
		}
	}
	return outcomes, nil
}

// rejection returns the error about rejected documents; nil if there are none.
func rejection(target string, rejected []outcome) error {
	if len(rejected) == 0 {
		return nil
	}
	first := rejected[0]
	e := &RejectedError{Target: target, Count: len(rejected), ID: first.ID, Status: first.Status, Cause: first.notCreated()}
	if first.FailureStore == "used" || e.Status < http.StatusMultipleChoices {
		e.Status = http.StatusBadRequest // its effect is the same
	}
	return e
}
