package main

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// A fault is a way to break a request. once faults let the second one pass.
type fault struct {
	name string
	once bool
	do   func(request)
}

// isOfItems reports whether the fault is of documents in a bulk request.
func (f fault) isOfItems() bool {
	return strings.Contains(f.name, "items ") || strings.HasPrefix(f.name, "failure store")
}

// faults are all that the matrix tries.
func faults() []fault {
	var repeated []byte
	return []fault{
		{"429", true, elasticError(429, "es_rejected_execution_exception")},
		{"429 Retry-After", true, status(429, "", "Retry-After", "0")},
		{"502", true, status(502, "<html>bad gateway</html>")},
		{"503", true, elasticError(503, "unavailable_shards_exception")},
		{"504", true, status(504, "")},
		{"reset before", true, func(request) { panic(http.ErrAbortHandler) }},
		{"reset after", true, func(r request) { r.forward(); panic(http.ErrAbortHandler) }},
		{"broken off", true, func(r request) {
			rec := r.forward()
			r.w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()))
			r.w.Header().Set("X-Elastic-Product", "Elasticsearch")
			_, _ = r.w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
			panic(http.ErrAbortHandler)
		}},
		{"timeout", true, func(r request) { r.forward(); <-r.gone }},
		{"503 always", false, elasticError(503, "unavailable_shards_exception")},
		{"reset always", false, func(request) { panic(http.ErrAbortHandler) }},
		{"400", false, elasticError(400, "illegal_argument_exception")},
		{"401", false, elasticError(401, "security_exception")},
		{"403", false, elasticError(403, "security_exception")},
		{"404", false, status(404, "not here")},
		{"500", false, elasticError(500, "null_pointer_exception")},
		{"timed_out", false, partial(func(a map[string]any) { a["timed_out"] = true })},
		{"shards failed", false, partial(func(a map[string]any) {
			a["_shards"] = shards(3, 1)
			a["failures"] = []any{map[string]any{"indices": []any{"x"}, "failure": map[string]any{"type": "made_up"}}}
		})},
		{"cluster skipped", false, partial(func(a map[string]any) { a["_clusters"] = map[string]any{"total": 2, "successful": 1, "skipped": 1} })},
		{"no shards", false, changed(func(a map[string]any) {
			a["_shards"] = shards(0, 0)
			delete(a, "aggregations")
			delete(a, "items")
			if _, ok := a["indices"]; ok {
				a["indices"] = []any{}
			}
		})},
		{"no aggregations", false, changed(func(a map[string]any) { delete(a, "aggregations"); delete(a, "fields"); delete(a, "items") })},
		{"empty object", false, status(200, "{}", "X-Elastic-Product", "Elasticsearch")},
		{"same page again", false, func(r request) {
			if repeated == nil || !bytes.Contains(r.body, []byte(`"after"`)) {
				repeated = r.forward().Body.Bytes()
			}
			status(200, string(repeated), "X-Elastic-Product", "Elasticsearch")(r)
		}},
		{"truncated JSON", false, func(r request) {
			rec := r.forward()
			rec.Body.Truncate(rec.Body.Len() / 2)
			reply(r.w, rec)
		}},
		{"no JSON", false, status(200, "<html>welcome</html>", "X-Elastic-Product", "Elasticsearch")},
		{"not Elasticsearch", false, func(r request) {
			r.w = withoutProduct{r.w}
			partial(func(map[string]any) {})(r)
		}},
		{"buckets over 2", false, over(2, bucketsOf, elasticError(400, "too_many_buckets_exception"))},
		{"buckets over 1", false, over(1, bucketsOf, elasticError(400, "too_many_buckets_exception"))},
		{"breaker over 1", false, over(1, bucketsOf, elasticError(429, "circuit_breaking_exception"))},
		{"clauses over 2", false, over(2, valuesOf, elasticError(400, "too_many_clauses"))},
		{"terms over 1", false, over(1, valuesOf, elasticError(400, "illegal_argument_exception", "The number of terms [9] is over the allowed maximum of [index.max_terms_count]"))},
		{"413 over 2", false, over(2, valuesOf, status(413, ""))},
		{"413 over 1", false, over(1, valuesOf, status(413, "<html>too large</html>"))},
		{"some items 429", true, items(429, 2)},
		{"all items 503", true, items(503, 1)},
		{"items 503 always", false, items(503, 1)},
		{"some items 400", false, items(400, 2)},
		{"items 403", false, items(403, 1)},
		{"failure store", false, itemsAs(2, map[string]any{"_id": "x", "status": 201, "result": "created", "failure_store": "used"})},
		{"failure store always", false, itemsAs(1, map[string]any{"_id": "x", "status": 201, "result": "created", "failure_store": "used"})},
		{"413 always", false, status(413, "")},
	}
}
