package esquery_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// BenchmarkHistory asks when a page of pairs was last seen, among 100,000
// events: in one question, as a job does, and with one search a pair. The
// ratio of the two is what counts; the times are the machine's.
func BenchmarkHistory(b *testing.B) {
	node := estest.ForTest(b)
	index := estest.Name("bench-")
	node.CreateIndex(b, index, []byte(`{"mappings":{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"account":{"type":"keyword"}}}}`))
	const events, pairs = 100_000, 2_000
	for start := 0; start < events; start += 10_000 {
		var bulk bytes.Buffer
		for i := start; i < start+10_000; i++ {
			fmt.Fprintf(&bulk, "{\"index\":{}}\n{\"@timestamp\":%d,\"user\":\"u%d\",\"account\":\"a%d\"}\n", noon.UnixMilli()-int64(i)*1000, i%5_000, i%3)
		}
		node.Must(b, "POST", "/"+index+"/_bulk?refresh=true", bulk.Bytes())
	}
	source, err := esquery.Open(b.Context(), elastic.NewClient(node, elastic.Options{}), query.Search{
		Indices: []string{index}, Fields: []string{"user", "account"}, Timestamp: "@timestamp",
	})
	if err != nil {
		b.Fatal(err)
	}
	page := make([]esquery.Candidate, pairs)
	for i := range page {
		page[i] = esquery.Candidate{Terms: []any{fmt.Sprint("u", i), fmt.Sprint("a", i%3)}}
	}
	history := query.Range{From: noon.Add(-7 * 24 * time.Hour), To: noon}
	ask := func(page []esquery.Candidate) time.Duration {
		start := time.Now()
		if _, err := source.LastSeen(b.Context(), history, time.Hour, page); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	ask(page)
	for b.Loop() {
		together := ask(page)
		var apart time.Duration
		for i := range page {
			apart += ask(page[i : i+1])
		}
		b.ReportMetric(float64(apart)/float64(together), "times-faster")
	}
}
