package esquery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// A limit refuses what is larger than a cluster with tight limits would take,
// and notes the page sizes that it let pass.
type limit struct {
	next          esapi.Transport
	buckets       int // 0: any
	terms         int
	refusal       string
	sizes, values []int
}

func (l *limit) Perform(r *http.Request) (*http.Response, error) {
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	var search struct {
		Query struct {
			Bool struct {
				Filter []struct{ Terms map[string][]any }
			}
		}
		Aggs struct {
			Pairs struct{ Composite struct{ Size int } }
		}
	}
	if err := json.Unmarshal(body, &search); err != nil {
		return nil, err
	}
	values := 0
	for _, f := range search.Query.Bool.Filter {
		for _, v := range f.Terms {
			values = max(values, len(v))
		}
	}
	size := search.Aggs.Pairs.Composite.Size
	if l.buckets > 0 && size > l.buckets || l.terms > 0 && values > l.terms {
		answer := fmt.Sprintf(`{"error":{"type":"search_phase_execution_exception","reason":"all shards failed","caused_by":{"type":%q,"reason":"made up"}},"status":400}`, l.refusal)
		return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer))}, nil
	}
	if size > 0 {
		l.sizes, l.values = append(l.sizes, size), append(l.values, values)
	}
	return l.next.Perform(r)
}

// bodyOf reads the body of a request, and leaves it there.
func bodyOf(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

func manyActors(t *testing.T) string {
	t.Helper()
	var documents []string
	for i := range 20 {
		documents = append(documents, fmt.Sprintf(`{"@timestamp":"2026-03-10T11:00:%02dZ","user":"u%02d"}`, i, i))
	}
	return newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`, documents...)
}

func TestPagesHalve(t *testing.T) {
	index := manyActors(t)
	for _, refusal := range []string{"too_many_buckets_exception", "circuit_breaking_exception"} {
		through := &limit{next: estest.ForTest(t), buckets: 3, refusal: refusal}
		source := open(t, through, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", PageSize: 16})
		all, names := candidates(t, source)
		if len(names) != 20 || !slices.IsSorted(names) || slices.Max(through.sizes) != 2 {
			t.Errorf("%s: got %v with pages of %v", refusal, names, through.sizes)
		}
		events, err := eventsOf(t, source, all)
		if err != nil || len(events) != 20 || events[7].ID != "7" {
			t.Errorf("%s: got %v, %v", refusal, events, err)
		}
	}
}

func TestQuestionsHalve(t *testing.T) {
	through := &limit{next: estest.ForTest(t), terms: 3, refusal: "too_many_nested_clauses"}
	source := open(t, through, query.Search{Indices: []string{manyActors(t)}, Fields: []string{"user"}, Timestamp: "@timestamp"})
	all, _ := candidates(t, source)
	seen, err := source.LastSeen(t.Context(), allTime, time.Hour, all)
	if err != nil || len(seen) != 20 || slices.Max(through.values) > 3 {
		t.Fatalf("got %v, %v", seen, err)
	}
	for i, at := range seen {
		if !at.Equal(all[i].First) {
			t.Errorf("%v: last seen %s, want %s", all[i].Terms, at, all[i].First)
		}
	}
	if events, err := eventsOf(t, source, all); err != nil || len(events) != 20 || events[13].ID != "13" {
		t.Errorf("got %v, %v", events, err)
	}
}
