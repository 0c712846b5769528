package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// status answers a request in the server's place.
func status(code int, body string, header ...string) func(request) {
	return func(r request) {
		for i := 0; i+1 < len(header); i += 2 {
			r.w.Header().Set(header[i], header[i+1])
		}
		r.w.WriteHeader(code)
		_, _ = io.WriteString(r.w, body) // the client may be gone
	}
}

// elasticError answers as Elasticsearch does when it refuses.
func elasticError(code int, kind string, reason ...string) func(request) {
	why := strings.Join(append(reason, "made up"), ", ")
	return status(code, fmt.Sprintf(`{"error":{"type":%q,"reason":%q,"root_cause":[{"type":%[1]q,"reason":%[2]q}]},"status":%d}`, kind, why, code),
		"Content-Type", "application/json", "X-Elastic-Product", "Elasticsearch")
}

// changed lets the server answer and changes its JSON.
func changed(change func(answer map[string]any)) func(request) {
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

// partial leaves a well-formed answer that lacks what a part of the cluster
// would have added: whoever takes it for whole misses pairs or history.
func partial(change func(answer map[string]any)) func(request) {
	return changed(func(a map[string]any) {
		change(a)
		if hits, ok := a["hits"].(map[string]any); ok {
			hits["hits"] = []any{}
		}
		aggregations, _ := a["aggregations"].(map[string]any)
		for _, agg := range aggregations {
			if agg := agg.(map[string]any); agg["after_key"] != nil {
				agg["buckets"] = []any{}
				delete(agg, "after_key")
			}
		}
	})
}

func shards(total, failed int) map[string]any {
	return map[string]any{"total": total, "successful": total - failed, "skipped": 0, "failed": failed}
}

// items turns away every n-th document of a bulk request, from the second.
func items(code, n int) func(request) {
	return itemsAs(n, map[string]any{"_id": "x", "status": code, "error": map[string]any{"type": "made_up", "reason": "made up"}})
}

// itemsAs answers for every n-th document of a bulk request, in the server's
// place.
func itemsAs(n int, outcome map[string]any) func(request) {
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
				var action map[string]any
				_ = json.Unmarshal(lines[i], &action) // a search has none
				for name := range action {
					items = append(items, map[string]any{name: outcome})
				}
				continue
			}
			items, answer.Items = append(items, answer.Items[0]), answer.Items[1:]
		}
		text, _ := json.Marshal(map[string]any{"errors": true, "items": items})
		status(http.StatusOK, string(text), "X-Elastic-Product", "Elasticsearch")(r)
	}
}

// over breaks each request of more than a size, every time that it is sent, and
// lets smaller ones pass: what does not shrink can never be answered. A request
// that has no size is always broken.
func over(limit int, sizeOf func(request) int, do func(request)) func(request) {
	return func(r request) {
		if size := sizeOf(r); size > 0 && size <= limit {
			reply(r.w, r.forward())
			return
		}
		do(r)
	}
}

var aggregationSize = regexp.MustCompile(`"size":(\d+)[,}]`)

// bucketsOf is how many buckets a search asks for, or documents a bulk writes. One
// that asks for hits alone has as many as it has values.
func bucketsOf(r request) int {
	if r.kind == "bulk" || !bytes.Contains(r.body, []byte(`"aggs"`)) {
		return valuesOf(r)
	}
	largest := 0
	for _, m := range aggregationSize.FindAllSubmatch(r.body, -1) {
		n, _ := strconv.Atoi(string(m[1])) // digits by the pattern
		largest = max(largest, n)
	}
	return largest
}

var termsValues = regexp.MustCompile(`"terms":\{"[^"]+":\[([^]]*)\]`)

// valuesOf is how many values the largest terms filter of a search has, or how
// many documents a bulk writes.
func valuesOf(r request) int {
	if r.kind == "bulk" {
		return documentsOf(r)
	}
	largest := 0
	for _, m := range termsValues.FindAllSubmatch(r.body, -1) {
		largest = max(largest, bytes.Count(m[1], []byte(","))+1)
	}
	return largest
}

func documentsOf(r request) int { return bytes.Count(r.body, []byte(`{"create":`)) }

// withoutProduct drops the header by which Elasticsearch is known.
type withoutProduct struct{ http.ResponseWriter }

func (w withoutProduct) WriteHeader(code int) {
	w.Header().Del("X-Elastic-Product")
	w.ResponseWriter.WriteHeader(code)
}
