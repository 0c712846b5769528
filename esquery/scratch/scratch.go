// Package scratch makes hidden indices for the events of test cases, and removes them. It
// also removes those that a killed process has left behind.
package scratch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/elastic"
)

// Prefix is what the names of all scratch indices begin with.
const Prefix = ".newterms-test-"

// removalTimeout is how long the removal may take, even after a signal.
const removalTimeout = 20 * time.Second

// A Space is a set of scratch indices of this process. It is safe for concurrent use.
type Space struct {
	client *elastic.Client
	prefix string // of its names
	made   atomic.Int64
}

// Open returns a new Space. It removes the indices of Spaces whose process has ended, and
// returns their number.
func Open(ctx context.Context, client *elastic.Client, now time.Time) (s *Space, removed int, err error) {
	own := newOwner(now)
	s = &Space{client: client, prefix: own.prefix()}
	names, err := s.list(ctx, Prefix+"*")
	if err != nil {
		return nil, 0, fmt.Errorf("look for scratch indices of a killed process: %w", err)
	}
	left := slices.DeleteFunc(names, func(name string) bool { return !own.outlives(name, now) })
	return s, len(left), s.delete(ctx, left)
}

// Name returns a name that no other caller gets. It makes no index.
func (s *Space) Name() string { return fmt.Sprintf("%s%d", s.prefix, s.made.Add(1)) }

// Create makes an index with a mapping. It does not stop halfway if ctx ends, so that
// Close finds the index.
func (s *Space) Create(ctx context.Context, mapping map[string]any) (name string, err error) {
	name = s.Name()
	body := map[string]any{
		"settings": map[string]any{"index": map[string]any{
			"hidden": true, "number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1",
		}},
		"mappings": mapping,
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	err = s.client.Do(context.WithoutCancel(ctx), esapi.IndicesCreateRequest{Index: name, Body: elastic.JSON(body)}, &struct{}{})
	if elastic.HasCause(err, "resource_already_exists_exception") {
		err = nil // by an attempt whose answer was lost
	}
	if err != nil {
		return "", fmt.Errorf("create the scratch index %s: %w", name, err)
	}
	return name, nil
}

// Fill replaces the documents of an index by others, with ids from 1. before is the number
// that the index may hold. The others can be found when it returns. Its error is an
// *EventError if one does not fit the mapping.
//
// With an index for each case Elasticsearch worked twice as long.
func (s *Space) Fill(ctx context.Context, index string, before int, documents []map[string]any) error {
	var bulk bytes.Buffer
	for id := len(documents) + 1; id <= before; id++ {
		fmt.Fprintf(&bulk, "{\"delete\":{\"_id\":\"%d\"}}\n", id)
	}
	encoder := json.NewEncoder(&bulk)
	encoder.SetEscapeHTML(false)
	for i, d := range documents {
		fmt.Fprintf(&bulk, "{\"index\":{\"_id\":\"%d\"}}\n", i+1)
		if err := encoder.Encode(d); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	if bulk.Len() == 0 {
		return nil
	}
	var answer struct {
		Items []map[string]struct {
			ID     string        `json:"_id"`
			Status int           `json:"status"`
			Error  elastic.Cause `json:"error"`
		} `json:"items"`
	}
	request := esapi.BulkRequest{Index: index, Body: bytes.NewReader(bulk.Bytes()), Refresh: "true"}
	if err := s.client.Do(ctx, request, &answer); err != nil {
		return fmt.Errorf("index the events: %w", err)
	}
	if want := max(len(documents), before); len(answer.Items) != want {
		return fmt.Errorf("index the events: %w: %d results for %d documents", elastic.ErrIncomplete, len(answer.Items), want)
	}
	for _, item := range answer.Items {
		for action, result := range item {
			switch {
			case result.Status < http.StatusMultipleChoices, action == "delete" && result.Status == http.StatusNotFound:
			case result.Status == http.StatusBadRequest:
				return &EventError{result.ID, result.Error}
			default: // events of the case before would change the verdicts
				return fmt.Errorf("%s event %s: %d %s", action, result.ID, result.Status, result.Error)
			}
		}
	}
	return nil
}

// An EventError reports that an event does not fit the mapping.
type EventError struct {
	ID string // the number of the event, from 1
	elastic.Cause
}

func (e *EventError) Error() string {
	return fmt.Sprintf("event %s does not fit the mapping: %s", e.ID, e.Cause)
}

// Remove deletes indices of the Space.
func (s *Space) Remove(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTimeout)
	defer cancel()
	return s.delete(ctx, names)
}

// Close deletes all indices of the Space, even if ctx has ended.
func (s *Space) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTimeout)
	defer cancel()
	names, err := s.list(ctx, s.prefix+"*")
	if err == nil {
		err = s.delete(ctx, names)
	}
	if err != nil {
		return fmt.Errorf("remove the scratch indices %s*: %w", s.prefix, err)
	}
	return nil
}

// list returns the indices that match a pattern, sorted.
func (s *Space) list(ctx context.Context, pattern string) ([]string, error) {
	var found map[string]struct{}
	yes := true
	request := esapi.IndicesGetRequest{Index: []string{pattern}, AllowNoIndices: &yes, ExpandWildcards: "all", Features: "aliases"}
	err := s.client.Do(ctx, request, &found)
	if elastic.HasStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return slices.Sorted(maps.Keys(found)), err
}

// atOnce is how many indices a request deletes: their names are in its path.
const atOnce = 50

func (s *Space) delete(ctx context.Context, names []string) error {
	ignore := true
	for some := range slices.Chunk(names, atOnce) {
		// Nothing but a scratch index may ever be deleted here.
		if i := slices.IndexFunc(some, func(name string) bool { return !strings.HasPrefix(name, Prefix) || strings.ContainsAny(name, "*,") }); i >= 0 {
			return fmt.Errorf("%q is no scratch index", some[i])
		}
		err := s.client.Do(ctx, esapi.IndicesDeleteRequest{Index: some, IgnoreUnavailable: &ignore}, &struct{}{})
		if err != nil && !elastic.HasStatus(err, http.StatusNotFound) {
			return fmt.Errorf("delete the scratch indices %s: %w", strings.Join(some, ", "), err)
		}
	}
	return nil
}
