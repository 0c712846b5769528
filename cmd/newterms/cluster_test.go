package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/esquery/estest"
)

// A cluster is the real server behind a proxy that keeps what passes and can
// break it, with an index and targets of its own.
type cluster struct {
	tb      testing.TB
	node    *estest.Node
	prefix  string // of all names
	name    string // of the index
	environ []string

	mu       sync.Mutex
	requests []string // method, path and body
	// fault is asked about each request; nil lets all pass. It returns false
	// for those that shall pass.
	fault func(request) bool
	// now is the server's clock; nil is the real one.
	now func() time.Time
}

// callWith runs newterms with the clock, the retries and the page size of p, on
// a server with the same clock.
func (c *cluster) callWith(t *testing.T, p program, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c.setClock(p.now)
	return callWith(t, p, environ, args...)
}

func (c *cluster) setClock(now func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// A request on its way to the server.
type request struct {
	kind string
	path string
	body []byte
	w    http.ResponseWriter
	// replace sends another body on in its place and returns the answer.
	replace func(body []byte) *httptest.ResponseRecorder
	gone    <-chan struct{} // closed when the client no longer waits
}

// forward sends the request on and returns the answer.
func (r request) forward() *httptest.ResponseRecorder { return r.replace(r.body) }

// The kinds of request that a run sends.
var kinds = []string{"run lookup", "run document", "field caps", "candidates", "history", "already alerted", "events", "bulk"}

func kindOf(path string, body []byte) string {
	has := func(text string) bool { return bytes.Contains(body, []byte(text)) }
	switch search := strings.HasSuffix(path, "/_search"); {
	case path == "/":
		return "root"
	case path == "/_bulk":
		return "decision"
	case strings.HasPrefix(path, "/_data_stream/"):
		return "data stream"
	case strings.HasSuffix(path, "/_field_caps"):
		return "field caps"
	case strings.Contains(path, "-runs/"):
		return map[bool]string{true: "run lookup", false: "run document"}[search]
	case strings.Contains(path, "-alerts/"):
		switch {
		case !search:
			return "bulk"
		case has(`"newterms.run.id"`):
			return "own alerts"
		}
		return "already alerted"
	case has(`"docvalue_fields"`), has(`"top_hits"`):
		return "events"
	case has(`"max":`):
		return "history"
	case has(`"composite"`):
		return "candidates"
	}
	return "other"
}

// newCluster makes an index with the mapping of Okta's events and puts documents
// into it.
func newCluster(tb testing.TB, documents ...map[string]any) *cluster {
	tb.Helper()
	return newClusterOn(tb, estest.ForTest(tb), documents...)
}

func newClusterOn(tb testing.TB, node *estest.Node, documents ...map[string]any) *cluster {
	tb.Helper()
	c := &cluster{tb: tb, node: node, prefix: estest.Name("cli") + "-"}
	c.name = c.prefix + "events"
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	tb.Cleanup(server.Close)
	c.environ = []string{
		"ELASTICSEARCH_URL=" + server.URL, "NEWTERMS_INDEX=" + c.name,
		"NEWTERMS_ALERTS_TARGET=" + c.alertsTarget(), "NEWTERMS_RUNS_TARGET=" + c.runsTarget(),
	}
	c.node.CreateIndex(tb, c.name, oktaTemplate(tb)["template"])
	c.index(documents...)
	return c
}

// oktaTemplate is the index template of the sample events.
func oktaTemplate(tb testing.TB) map[string]any {
	tb.Helper()
	text, err := os.ReadFile("../../testdata/okta/index-template.json")
	if err != nil {
		tb.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		tb.Fatal(err)
	}
	return template
}

func (c *cluster) alertsTarget() string { return "." + c.prefix + "alerts" }
func (c *cluster) runsTarget() string   { return "." + c.prefix + "runs" }

func (c *cluster) index(documents ...map[string]any) {
	c.tb.Helper()
	c.node.Index(c.tb, c.name, documents...)
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short fails at the server
	c.mu.Lock()
	c.requests = append(c.requests, fmt.Sprintf("%s %s\n%s", r.Method, r.URL, body))
	fault := c.fault
	if c.now != nil {
		body = estest.At(body, c.now())
	}
	c.mu.Unlock()
	replace := func(body []byte) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		onward, err := http.NewRequest(r.Method, c.node.URL+strings.TrimPrefix(r.URL.RequestURI(), "/behind/a/path"), bytes.NewReader(body))
		if err == nil {
			onward.Header = r.Header.Clone()
			onward.Header.Del("Accept-Encoding")
			var res *http.Response
			if res, err = http.DefaultClient.Do(onward); err == nil {
				defer res.Body.Close()
				for _, name := range []string{"X-Elastic-Product", "Content-Type"} {
					rec.Header().Set(name, res.Header.Get(name))
				}
				rec.WriteHeader(res.StatusCode)
				_, err = io.Copy(rec, res.Body)
			}
		}
		if err != nil {
			rec.WriteHeader(http.StatusBadGateway)
		}
		return rec
	}
	if name, ok := strings.CutPrefix(strings.TrimPrefix(r.URL.Path, "/behind/a/path"), "/_data_stream/"); ok && r.Method == http.MethodPut {
		replace = func([]byte) *httptest.ResponseRecorder { return c.createDataStream(name) }
	}
	req := request{kind: kindOf(r.URL.Path, body), path: r.URL.Path, body: body, w: w, replace: replace, gone: r.Context().Done()}
	if fault == nil || !fault(req) {
		reply(w, req.forward())
	}
}

// createDataStream answers for an API that the node may lack.
func (c *cluster) createDataStream(name string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	rec.Header().Set("X-Elastic-Product", "Elasticsearch")
	status, answer, err := c.node.CreateDataStream(context.Background(), name)
	if err != nil {
		status = http.StatusBadGateway
	}
	rec.WriteHeader(status)
	rec.Body.Write(answer)
	return rec
}

func reply(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes()) // the client may be gone
}

// take returns the requests since it was called last.
func (c *cluster) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.requests
	c.requests = nil
	return taken
}

func (c *cluster) setFault(fault func(request) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = fault
}

// alerts returns the actors that a rule has alerts of, once for each, sorted.
func (c *cluster) alerts(ruleID string) []string {
	c.tb.Helper()
	var actors []string
	for _, alert := range c.node.Documents(c.tb, c.alertsTarget(), map[string]any{
		"query": map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": ruleID}},
	}) {
		actors = append(actors, alert["kibana.alert.new_terms"].([]any)[0].(string))
	}
	slices.Sort(actors)
	return actors
}

// lastError is what the newest failed run of a rule was recorded with.
func (c *cluster) lastError(ruleID string) string {
	c.tb.Helper()
	failed := c.node.Documents(c.tb, c.runsTarget(), map[string]any{
		"sort": map[string]any{"@timestamp": "desc"}, "query": map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": ruleID}},
			map[string]any{"term": map[string]any{"newterms.run.state": "failure"}},
		}}},
	})
	if len(failed) == 0 {
		c.tb.Errorf("no failed run of %s", ruleID)
		return ""
	}
	return fmt.Sprint(failed[0]["error.message"])
}
