package job_test

import (
	"bytes"
	"flag"
	"fmt"
	"testing"
	"time"

	"newterms/alerts/alert"
	"newterms/esquery/estest"
	"newterms/job"
	"newterms/job/rule"
)

var benchPairs = flag.Int("bench-pairs", 100_000, "how many pairs a day of BenchmarkPairs has")

// BenchmarkPairs runs, dry, over a day of small events in which each pair comes once.
// One of ten is new.
//
//	go test ./job -run '^$' -bench Pairs -benchtime 1x -timeout 0 -bench-pairs 1000000
func BenchmarkPairs(b *testing.B) {
	node := estest.ForTest(b)
	index := estest.Name("bench-pairs")
	node.CreateIndex(b, index, map[string]any{
		"settings": map[string]any{"number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1"},
		"mappings": map[string]any{"properties": map[string]any{
			"@timestamp": map[string]any{"type": "date"}, "user": map[string]any{"type": "keyword"}, "host": map[string]any{"type": "keyword"},
		}},
	})
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	gap := 24 * time.Hour / time.Duration(*benchPairs)
	var bulk bytes.Buffer
	for i := range *benchPairs {
		pair := i * 7919 % *benchPairs // in another order than that of time
		for _, ago := range []time.Duration{time.Duration(i+1) * gap, 72 * time.Hour} {
			if ago > 24*time.Hour && i%10 == 0 {
				continue
			}
			fmt.Fprintf(&bulk, "{\"index\":{}}\n{\"@timestamp\":%q,\"user\":\"u%07d\",\"host\":\"h%d\"}\n", to.Add(-ago).Format(millis), pair, pair%100)
		}
		if bulk.Len() > 2<<20 || i == *benchPairs-1 {
			node.Must(b, "POST", "/"+index+"/_bulk", bulk.Bytes())
			bulk.Reset()
		}
	}
	node.Must(b, "POST", "/"+index+"/_refresh", nil)
	r := rule.Rule{ID: "pairs", Name: "Pairs", History: 7 * 24 * time.Hour, Parameters: alert.Rule{"name": "Pairs", "new_terms_fields": []string{"user", "host"}}}
	r.Search.Indices, r.Search.Fields, r.Search.Timestamp = []string{index}, []string{"user", "host"}, "@timestamp"
	for b.Loop() {
		m := measured(b, node, ourPlan(r, job.Window{From: to.Add(-24 * time.Hour), To: to}))
		b.Logf("%d candidates, %d new: wall %s, took %s, %d requests", m.candidates, len(m.found), m.wall.Round(time.Millisecond), m.took, m.requests)
		b.ReportMetric(m.took.Seconds(), "took-s")
	}
}
