package compare_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// TestSimulationAgreesWithKibanasRequests holds the simulation against both of
// Kibana's methods as requests to the real server, for some runs of some fortnights.
func TestSimulationAgreesWithKibanasRequests(t *testing.T) {
	targets, compared := newTargets(t), 0
	for n := range uint64(4) {
		f := newFortnight(*seed+n, int(n), time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
		if f.timed || f.numeric { // the query is about the server's time, or the keys need more digits
			continue
		}
		b := newBatch(t, targets, []*fortnightCase{f})
		s, next := newSimulation(f), 0
		for i, e := range f.runs {
			if e.outcome != "" {
				continue
			}
			var documents []map[string]any
			for _, w := range e.windows {
				want := map[pair]int64{}
				for _, c := range s.candidates(e, w) {
					want[c.pair] = c.event.at.UnixMilli()
				}
				if len(want) == 0 && i%20 > 0 {
					continue
				}
				for ; next < len(f.events) && !f.events[next].visible.After(e.at); next++ {
					d := f.document(f.events[next])
					d["_id"] = f.events[next].id
					documents = append(documents, d)
				}
				b.Index(t, b.events(), documents...)
				documents = nil
				compared += len(want)
				requests := kibanaRequests{b, f, e, w}
				if got := requests.byBatches(); !maps.Equal(got, want) {
					t.Errorf("fortnight %d, the run at %s: batches of composites give\n%v, the simulation\n%v", f.seed, stamp(e.at), got, want)
				}
				if got := requests.atOnce(); !maps.Equal(got, want) {
					t.Errorf("fortnight %d, the run at %s: one aggregation gives\n%v, the simulation\n%v", f.seed, stamp(e.at), got, want)
				}
			}
		}
	}
	t.Logf("%d candidates", compared)
	if compared == 0 {
		t.Error("nothing was compared")
	}
}

// kibanaRequests asks as Kibana does, for one window of one run.
type kibanaRequests struct {
	*batch
	f *fortnightCase
	e *execution
	w window
}

// byBatches lists the pairs of the window in pages, and asks in batches when each was
// first seen since the history began.
func (k kibanaRequests) byBatches() map[pair]int64 {
	found := map[pair]int64{}
	candidates := k.composite(k.w.from, 10_000)
	size := 500 // Kibana's
	if len(candidates) > 3 {
		size = 3 // so that there are several here
	}
	for some := range slices.Chunk(slices.SortedFunc(maps.Keys(candidates), comparePairs), size) {
		var clauses []object
		for _, p := range some {
			var must []object
			for i, field := range k.f.fields() {
				must = append(must, object{"match": object{field: p[i]}})
			}
			clauses = append(clauses, object{"bool": object{"must": must}})
		}
		for p, at := range k.composite(k.w.to.Add(-k.f.history), 10_000, object{"bool": object{"should": clauses, "minimum_should_match": 1}}) {
			if at > k.w.from.UnixMilli() {
				found[p] = at
			}
		}
	}
	return found
}

// atOnce asks for all pairs since the history began, as STATS MIN BY does.
func (k kibanaRequests) atOnce() map[pair]int64 {
	found := k.composite(k.w.to.Add(-k.f.history), 10_000)
	maps.DeleteFunc(found, func(_ pair, at int64) bool { return at <= k.w.from.UnixMilli() })
	return found
}

func comparePairs(a, b pair) int {
	return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
}

// composite returns the pairs from a time until the window's end, both inside, and
// when each was first seen.
func (k kibanaRequests) composite(from time.Time, size int, more ...object) map[pair]int64 {
	k.t.Helper()
	primary, filters := "@timestamp", append([]object{k.query()}, more...)
	span := func(field string) object {
		return object{"range": object{field: object{"gte": from.UnixMilli(), "lte": k.w.to.UnixMilli(), "format": "epoch_millis"}}}
	}
	first := object{"first": object{"min": object{"field": "@timestamp"}}}
	if k.f.override {
		primary = "event.ingested"
		lacks := object{"bool": object{"must_not": object{"exists": object{"field": primary}}}}
		filters = append(filters, object{"bool": object{"should": []object{span(primary), {"bool": object{"filter": []object{lacks, span("@timestamp")}}}}}})
		first = object{"first": object{"min": object{"field": primary}}, "without": object{"filter": lacks, "aggs": object{"first": object{"min": object{"field": "@timestamp"}}}}}
	} else {
		filters = append(filters, span(primary))
	}
	var sources []object
	for _, field := range k.f.fields() {
		sources = append(sources, object{field: object{"terms": object{"field": field}}})
	}
	var answer struct {
		Pairs elastic.Composite[struct {
			Key     map[string]any
			First   struct{ Value *float64 }
			Without struct{ First struct{ Value *float64 } }
		}]
	}
	err := k.client.Search(k.t.Context(), elastic.Search{Indices: []string{k.events()}, Body: object{
		"size": 0, "query": object{"bool": object{"filter": filters}}, "aggs": object{"pairs": object{"composite": object{"size": size, "sources": sources}, "aggs": first}},
	}}, &answer)
	if err != nil {
		k.t.Fatal(err)
	}
	found := map[pair]int64{}
	for _, bucket := range answer.Pairs.Buckets {
		var p pair
		for i, field := range k.f.fields() {
			p[i] = fmt.Sprint(bucket.Key[field])
		}
		for _, at := range []*float64{bucket.First.Value, bucket.Without.First.Value} {
			if before, ok := found[p]; at != nil && (!ok || int64(*at) < before) {
				found[p] = int64(*at)
			}
		}
	}
	return found
}

// query is that of Kibana's rule in the run, without what exceptions exclude then.
func (k kibanaRequests) query() object {
	k.t.Helper()
	parsed, err := kql.Parse(k.f.query(k.f.actions(k.e)))
	if err != nil {
		k.t.Fatal(err)
	}
	compiled, err := parsed.Compile(kql.Fields{"fortnight": {Types: []string{"keyword"}}, "event.action": {Types: []string{"keyword"}}})
	if err != nil {
		k.t.Fatal(err)
	}
	excluded := []object{}
	for _, item := range k.f.items {
		if item.inForce(k.e.at) {
			excluded = append(excluded, object{"term": object{"network.name": item.network}})
		}
	}
	text, err := json.Marshal(object{"bool": object{"filter": compiled, "must_not": excluded}})
	var query object
	if err == nil {
		err = json.Unmarshal(text, &query)
	}
	if err != nil {
		k.t.Fatal(fmt.Errorf("query: %w", err))
	}
	return query
}
