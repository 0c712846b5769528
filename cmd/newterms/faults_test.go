package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A fault is a way to break a request. once faults let the second one pass.
type fault struct {
	name string
	once bool
	do   func(request)
}

func faults() []fault {
	status := func(code int, body string, header ...string) func(request) {
		return func(r request) {
			for i := 0; i+1 < len(header); i += 2 {
				r.w.Header().Set(header[i], header[i+1])
			}
			r.w.WriteHeader(code)
			_, _ = io.WriteString(r.w, body)
		}
	}
	elastic := func(code int, kind string) func(request) {
		return status(code, fmt.Sprintf(`{"error":{"type":%q,"reason":"made up","root_cause":[{"type":%[1]q,"reason":"made up"}]},"status":%d}`, kind, code),
			"Content-Type", "application/json", "X-Elastic-Product", "Elasticsearch")
	}
	// changed lets the server answer and changes its JSON.
	changed := func(change func(answer map[string]any)) func(request) {
		return func(r request) {
			rec := r.forward()
			var answer map[string]any
			decoder := json.NewDecoder(rec.Body)
			decoder.UseNumber()
			if decoder.Decode(&answer) == nil {
				change(answer)
			}
			text, _ := json.Marshal(answer) // it was JSON
			rec.Body = bytes.NewBuffer(text)
			reply(r.w, rec)
		}
	}
	// items turns away every n-th document of a bulk request, from the second.
	items := func(code, n int) func(request) {
		return func(r request) {
			lines := bytes.SplitAfter(r.body, []byte("\n"))
			refused := func(i int) bool { return (i/2)%n == n-1 }
			var kept []byte
			for i := 0; i+1 < len(lines); i += 2 {
				if !refused(i) {
					kept = append(append(kept, lines[i]...), lines[i+1]...)
				}
			}
			var answer struct{ Items []any }
			if len(kept) > 0 {
				_ = json.Unmarshal(r.replace(kept).Body.Bytes(), &answer) // a search has no items
			}
			var items []any
			for i := 0; i+1 < len(lines); i += 2 {
				if refused(i) || len(answer.Items) == 0 {
					items = append(items, map[string]any{"create": map[string]any{"_id": "x", "status": code, "error": map[string]any{"type": "made_up", "reason": "made up"}}})
					continue
				}
				items, answer.Items = append(items, answer.Items[0]), answer.Items[1:]
			}
			text, _ := json.Marshal(map[string]any{"errors": true, "items": items})
			status(http.StatusOK, string(text), "X-Elastic-Product", "Elasticsearch")(r)
		}
	}
	shards := func(total, failed int) map[string]any {
		return map[string]any{"total": total, "successful": total - failed, "skipped": 0, "failed": failed}
	}
	// partial leaves a well-formed answer that lacks what a part of the cluster
	// would have added: whoever takes it for whole misses pairs or history.
	partial := func(change func(answer map[string]any)) func(request) {
		return changed(func(a map[string]any) {
			change(a)
			aggregations, _ := a["aggregations"].(map[string]any)
			for _, agg := range aggregations {
				if agg := agg.(map[string]any); agg["after_key"] != nil {
					agg["buckets"] = []any{}
					delete(agg, "after_key")
				}
			}
		})
	}
	var repeated []byte
	return []fault{
		{"429", true, elastic(429, "es_rejected_execution_exception")},
		{"429 Retry-After", true, status(429, "", "Retry-After", "0")},
		{"502", true, status(502, "<html>bad gateway</html>")},
		{"503", true, elastic(503, "unavailable_shards_exception")},
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
		{"timeout", true, func(r request) { rec := r.forward(); time.Sleep(400 * time.Millisecond); reply(r.w, rec) }},
		{"503 always", false, elastic(503, "unavailable_shards_exception")},
		{"reset always", false, func(request) { panic(http.ErrAbortHandler) }},
		{"400", false, elastic(400, "illegal_argument_exception")},
		{"401", false, elastic(401, "security_exception")},
		{"403", false, elastic(403, "security_exception")},
		{"404", false, status(404, "not here")},
		{"500", false, elastic(500, "null_pointer_exception")},
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
		{"too many buckets", true, elastic(400, "too_many_buckets_exception")},
		{"circuit breaker", true, elastic(429, "circuit_breaking_exception")},
		{"breaker over 1", false, func(r request) {
			if bytes.Contains(r.body, []byte(`"composite"`)) && bytes.Contains(r.body, []byte(`"size":1,`)) {
				reply(r.w, r.forward())
				return
			}
			elastic(429, "circuit_breaking_exception")(r)
		}},
		{"too many clauses", true, elastic(400, "too_many_clauses")},
		{"413", true, status(413, "")},
		{"some items 429", true, items(429, 2)},
		{"all items 503", true, items(503, 1)},
		{"items 503 always", false, items(503, 1)},
		{"some items 400", false, items(400, 2)},
		{"items 403", false, items(403, 1)},
	}
}

// withoutProduct drops the header by which Elasticsearch is known.
type withoutProduct struct{ http.ResponseWriter }

func (w withoutProduct) WriteHeader(code int) {
	w.Header().Del("X-Elastic-Product")
	w.ResponseWriter.WriteHeader(code)
}
