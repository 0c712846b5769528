package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// noon is when the runs of the fault tests take place.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// newActors are who the fault tests must find, each once.
func newActors() []string {
	var actors []string
	for i := range 12 {
		actors = append(actors, fmt.Sprintf("new%02d", i))
	}
	return actors
}

// faultCluster holds a dozen first occurrences within the hour before noon, one
// of them without event.ingested, besides actors that are known.
func faultCluster(t *testing.T) *cluster {
	t.Helper()
	at := func(ago time.Duration) string { return noon.Add(-ago).Format(time.RFC3339) }
	var documents []map[string]any
	for i, actor := range newActors() {
		e := proxySession(actor, "acc-1", at(time.Duration(50-i)*time.Minute))
		if i == 5 {
			delete(e["event"].(map[string]any), "ingested")
		}
		documents = append(documents, e)
	}
	for i := range 5 {
		known := fmt.Sprintf("known%d", i)
		documents = append(documents, proxySession(known, "acc-1", at(48*time.Hour)), proxySession(known, "acc-1", at(30*time.Minute)))
	}
	c := newCluster(t, documents...)
	if _, stderr, code := call(t, c.environ, "setup"); code != 0 {
		t.Fatal(stderr)
	}
	return c
}

// faultRule writes a rule with an id of its own, and so with runs and alerts of
// its own, and returns its path.
func faultRule(t *testing.T, id string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rule.toml")
	text := `[rule]
rule_id = "` + id + `"
name = "Rule ` + id + `"
type = "new_terms"
language = "kuery"
severity = "low"
risk_score = 21
index = ["unused"]
from = "now-1h"
timestamp_override = "event.ingested"
query = "data_stream.dataset: okta.system"
[rule.new_terms]
field = "new_terms_fields"
value = ["okta.actor.id", "cloud.account.id"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ruleAfterGoodRun writes a rule of which a run before all new events was good.
// What the tests break is the next run; the one after it must reach back to
// here, because the rule's own lookback would miss half of the events by then.
func (c *cluster) ruleAfterGoodRun(t *testing.T, id string) string {
	t.Helper()
	path := faultRule(t, id)
	if _, stderr, code := callWith(t, programAt(noon.Add(-55*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
		t.Fatalf("%s: the run before failed: %s", id, stderr)
	}
	return path
}

// programAt runs at a time, with small pages and quick retries.
func programAt(at time.Time) program {
	return program{now: func() time.Time { return at }, pageSize: 4, retry: []backoff.RetryOption{
		backoff.WithMaxTries(3), backoff.WithMaxElapsedTime(5 * time.Second), backoff.WithBackOff(backoff.NewConstantBackOff(time.Millisecond)),
	}}
}

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

// TestFaultMatrix breaks every kind of request in every way. A run either
// succeeds with the right alerts or says that it failed, and the next run
// completes the work: nothing is missing and nothing is there twice.
func TestFaultMatrix(t *testing.T) {
	c := faultCluster(t)
	environ := append(slices.Clone(c.environ), "NEWTERMS_REQUEST_TIMEOUT=300ms")
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-18s", "")
	for _, kind := range kinds {
		fmt.Fprintf(&matrix, " %-16s", kind)
	}
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			fmt.Fprintf(&matrix, "\n%-18s", f.name)
			for _, kind := range kinds {
				fmt.Fprintf(&matrix, " %-16s", c.tryFault(t, environ, f, kind))
			}
		})
	}
	t.Logf("what a run did with a fault, its exit code and its alerts at once:\n%s", &matrix)
}

func (c *cluster) tryFault(t *testing.T, environ []string, f fault, kind string) string {
	t.Helper()
	id := fmt.Sprintf("%s at %s", f.name, kind)
	path := c.ruleAfterGoodRun(t, id)
	hits := 0
	c.setFault(func(r request) bool {
		if r.kind != kind || f.once && hits > 0 {
			return false
		}
		hits++
		f.do(r)
		return true
	})
	_, stderr, code := callWith(t, programAt(noon), environ, "run", "--rule", path)
	c.setFault(nil)
	after := c.alerts(id)
	if hits == 0 {
		t.Errorf("%s: there was no such request", id)
	}
	if code == 0 && !slices.Equal(after, newActors()) {
		t.Errorf("%s: exit 0 with alerts %v\n%s", id, after, stderr)
	}
	if code != 0 && !strings.Contains(stderr, `"log.level":"error"`) {
		t.Errorf("%s: exit %d without an error line: %s", id, code, stderr)
	}
	if _, stderr, code := callWith(t, programAt(noon.Add(30*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
		t.Errorf("%s: the next run failed: %s", id, stderr)
	}
	if got := c.alerts(id); !slices.Equal(got, newActors()) {
		t.Errorf("%s: in the end there are alerts %v\nfirst run, exit %d: %s", id, got, code, stderr)
	}
	return fmt.Sprintf("%d, %d", code, len(after))
}
