package esquery_test

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// aggregated counts the searches for summaries.
type aggregated struct {
	next     esapi.Transport
	searches int
}

func (a *aggregated) Perform(r *http.Request) (*http.Response, error) {
	body, err := bodyOf(r)
	if err == nil && bytes.Contains(body, []byte(`"earliest"`)) {
		a.searches++
	}
	if err != nil {
		return nil, err
	}
	return a.next.Perform(r)
}

const summaryMapping = `{"properties":{"@timestamp":{"type":"date"},"at":{"type":"date"},"user":{"type":"keyword"},"host":{"type":"keyword"},
	"ip":{"type":"ip"},"n":{"type":"long"},"ok":{"type":"boolean"},"day":{"type":"date","format":"yyyy-MM-dd"},"text":{"type":"text"},"list":{"type":"keyword"},"odd[x]>y":{"type":"keyword"}}}`

// TestSummaries counts the values of two pairs beside others that share theirs.
func TestSummaries(t *testing.T) {
	var documents []string
	add := func(minute int, format string, args ...any) {
		documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,`+format+`}`, append([]any{noon.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)}, args...)...))
	}
	add(1, `"user":"ada","host":"h1","ip":"192.0.2.1","n":7,"ok":true,"day":"2026-03-10","list":["a","b"],"odd[x]>y":"z"`)
	add(2, `"user":"ada","host":"h1","ip":"192.0.2.2","n":7,"ok":false,"list":["b","b"]`)
	add(3, `"user":["ada","basil"],"host":"h1","ip":"192.0.2.2"`)
	add(4, `"user":"ada","host":"h2","ip":"192.0.2.9"`)    // another pair
	add(5, `"user":"basil","host":"h2","ip":"192.0.2.9"`)  // and another
	add(-5, `"user":"ada","host":"h1","ip":"192.0.2.9"`)   // before the window
	add(60, `"user":"ada","host":"h1","ip":"192.0.2.9"`)   // at its end
	add(6, `"user":"nobody","host":"h1","ip":"192.0.2.9"`) // not asked for
	index := newIndex(t, summaryMapping, documents...)
	requests := &aggregated{next: estest.ForTest(t)}
	source := open(t, requests, query.Search{
		Indices: []string{index}, Fields: []string{"user", "host"}, Timestamp: "@timestamp", Wanted: []string{"ip", "n", "ok", "day", "text", "list", "odd[x]>y", "missing"},
	})
	fields := source.Summarizable([][]string{{"missing", "ip"}, {"n"}, {"ok"}, {"day"}, {"text"}, {"missing"}, {"ip"}, {"list"}, {"odd[x]>y"}})
	if want := []string{"ip", "n", "ok", "day", "list", "odd[x]>y"}; !reflect.DeepEqual(fields, want) {
		t.Fatalf("fields %v, want %v", fields, want)
	}
	window := query.Range{From: noon, To: noon.Add(time.Hour)}
	got, err := source.Summaries(t.Context(), window, []esquery.Candidate{{Terms: []any{"basil", "h1"}}, {Terms: []any{"ada", "h1"}}, {Terms: []any{"gone", "h1"}}}, fields)
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	want := []esquery.Summary{
		{Events: 1, First: at(3), Last: at(3), Fields: []esquery.FieldSummary{{Field: "ip", Values: []esquery.ValueCount{{Value: "192.0.2.2", Events: 1}}}}},
		{Events: 3, First: at(1), Last: at(3), Fields: []esquery.FieldSummary{
			{Field: "ip", Values: []esquery.ValueCount{{Value: "192.0.2.2", Events: 2}, {Value: "192.0.2.1", Events: 1}}},
			{Field: "n", Values: []esquery.ValueCount{{Value: "7", Events: 2}}},
			{Field: "ok", Values: []esquery.ValueCount{{Value: "false", Events: 1}, {Value: "true", Events: 1}}},
			{Field: "day", Values: []esquery.ValueCount{{Value: "2026-03-10", Events: 1}}},
			{Field: "list", Values: []esquery.ValueCount{{Value: "b", Events: 2}, {Value: "a", Events: 1}}},
			{Field: "odd[x]>y", Values: []esquery.ValueCount{{Value: "z", Events: 1}}},
		}},
		{},
	}
	if err != nil || !reflect.DeepEqual(got, want) || requests.searches != 1 {
		t.Errorf("%d searches, %v:\ngot  %+v\nwant %+v", requests.searches, err, got, want)
	}
}

// TestSummariesOfEventsWithoutTimestamp takes their other time, and leaves out a time
// beyond the window of an event with two.
func TestSummariesOfEventsWithoutTimestamp(t *testing.T) {
	stamp := func(minute int) string { return noon.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339) }
	index := newIndex(t, summaryMapping,
		fmt.Sprintf(`{"at":%q,"user":"ada","host":"h1"}`, stamp(1)), fmt.Sprintf(`{"@timestamp":%q,"user":"ada","host":"h1"}`, stamp(2)),
		fmt.Sprintf(`{"at":[%q,%q],"user":"basil","host":"h1"}`, stamp(5), stamp(900)))
	source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user", "host"}, Timestamp: "at", Fallback: "@timestamp"})
	got, err := source.Summaries(t.Context(), query.Range{From: noon, To: noon.Add(time.Hour)}, []esquery.Candidate{{Terms: []any{"ada", "h1"}}, {Terms: []any{"basil", "h1"}}}, nil)
	want := []esquery.Summary{{Events: 2, First: noon.Add(time.Minute), Last: noon.Add(2 * time.Minute)}, {Events: 1, First: noon.Add(5 * time.Minute)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got %+v, want %+v", err, got, want)
	}
}

// TestSummariesOfManyValues counts exactly over three shards, of which each knows other
// frequent values. Values that are too many for that are none.
func TestSummariesOfManyValues(t *testing.T) {
	node, index := estest.ForTest(t), estest.Name("esquery-")
	node.CreateIndex(t, index, []byte(`{"settings":{"number_of_shards":3},"mappings":`+summaryMapping+`}`))
	var documents []map[string]any
	for n := range 25 { // value n has n+1 events
		for i := range n + 1 {
			documents = append(documents, map[string]any{
				"_id": fmt.Sprint(n, "-", i), "@timestamp": noon.Format(time.RFC3339), "user": "ada", "host": "h1", "n": n,
				"list": fmt.Sprintf("v%d-%d", n, i),
			})
		}
	}
	for i := range 6 {
		var many []string
		for n := range 1_200 {
			many = append(many, fmt.Sprintf("m%d-%d", i, n))
		}
		documents = append(documents, map[string]any{"_id": fmt.Sprint("many", i), "@timestamp": noon.Format(time.RFC3339), "user": "basil", "host": "h1", "list": many})
	}
	node.Index(t, index, documents...)
	source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user", "host"}, Timestamp: "@timestamp", Wanted: []string{"n", "list"}})
	got, err := source.Summaries(t.Context(), allTime, []esquery.Candidate{{Terms: []any{"ada", "h1"}, Events: 325}, {Terms: []any{"basil", "h1"}, Events: 6}}, []string{"n", "list"})
	if err != nil {
		t.Fatal(err)
	}
	n := esquery.FieldSummary{Field: "n", Others: 15 * 16 / 2}
	for value := 24; value >= 15; value-- {
		n.Values = append(n.Values, esquery.ValueCount{Value: fmt.Sprint(value), Events: int64(value + 1)})
	}
	if got[0].Events != 325 || !reflect.DeepEqual(got[0].Fields[0], n) {
		t.Errorf("got %+v, want %+v", got[0].Fields[0], n)
	}
	if f := got[0].Fields[1]; len(f.Values) != 10 || f.Values[0].Value != "v0-0" || f.Others != 315 {
		t.Errorf("equally frequent values: %+v", f)
	}
	if f := got[1].Fields[0]; f.Field != "list" || f.Values != nil || f.Others != 7_200 {
		t.Errorf("too many values: %+v", f)
	}
}

// TestSummariesOfFewBuckets halves what a cluster with few buckets refuses, and keeps
// the smaller number.
func TestSummariesOfFewBuckets(t *testing.T) {
	through := &limit{next: estest.ForTest(t), buckets: 3, refusal: "too_many_buckets_exception"}
	source := open(t, through, query.Search{Indices: []string{manyActors(t)}, Fields: []string{"user"}, Timestamp: "@timestamp", PageSize: 3})
	all, _ := candidates(t, source)
	through.sizes = nil
	for range 2 {
		got, err := source.Summaries(t.Context(), allTime, all, []string{"user"})
		if err != nil || len(got) != 20 || got[19].Events != 1 || got[19].Fields[0].Values[0].Value != "u19" {
			t.Errorf("%v: got %+v", err, got)
		}
	}
	if len(through.sizes) != 20 || slices.Max(through.sizes) > 3 {
		t.Errorf("pages of %v", through.sizes)
	}
}
