package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"newterms/esquery/estest"
)

// A cluster is the real server behind a proxy that keeps what passes and can
// break it, with an index and targets of its own.
type cluster struct {
	t       *testing.T
	node    *estest.Node
	name    string // of the index
	environ []string

	mu       sync.Mutex
	requests []string // method, path and body
	// fault is asked about each request; nil lets all pass. It returns false
	// for those that shall pass.
	fault func(request) bool
}

// A request on its way to the server.
type request struct {
	kind string
	path string
	body []byte
	w    http.ResponseWriter
	// replace sends another body on in its place and returns the answer.
	replace func(body []byte) *httptest.ResponseRecorder
}

// forward sends the request on and returns the answer.
func (r request) forward() *httptest.ResponseRecorder { return r.replace(r.body) }

// The kinds of request that a run sends.
var kinds = []string{"run lookup", "run document", "field caps", "candidates", "history", "already alerted", "events", "bulk"}

func kindOf(path string, body []byte) string {
	has := func(text string) bool { return bytes.Contains(body, []byte(text)) }
	switch search := strings.HasSuffix(path, "/_search"); {
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
	case has(`"top_hits"`):
		return "events"
	case has(`"max":`):
		return "history"
	case has(`"composite"`):
		return "candidates"
	}
	return "other"
}

// newCluster indexes documents and installs the templates.
func newCluster(t *testing.T, documents ...map[string]any) *cluster {
	t.Helper()
	c := &cluster{t: t, node: estest.ForTest(t), name: "cli" + uuid.NewString()[:8]}
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(server.Close)
	c.environ = []string{
		"ELASTICSEARCH_URL=" + server.URL, "NEWTERMS_INDEX=" + c.name,
		"NEWTERMS_ALERTS_TARGET=." + c.name + "-alerts", "NEWTERMS_RUNS_TARGET=." + c.name + "-runs",
	}
	template, err := os.ReadFile("../../testdata/okta/index-template.json")
	if err != nil {
		t.Fatal(err)
	}
	var okta struct{ Template map[string]any }
	if err := json.Unmarshal(template, &okta); err != nil {
		t.Fatal(err)
	}
	c.request("PUT", "/"+c.name, okta.Template)
	t.Cleanup(func() { c.request("DELETE", "/"+c.name, nil) })
	c.index(documents...)
	return c
}

func (c *cluster) request(method, path string, body any) []byte {
	c.t.Helper()
	answer, err := c.node.Request(context.Background(), method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

func (c *cluster) index(documents ...map[string]any) {
	c.t.Helper()
	var bulk bytes.Buffer
	for _, d := range documents {
		source, err := json.Marshal(d)
		if err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintf(&bulk, "{\"index\":{}}\n%s\n", source)
	}
	if len(documents) > 0 {
		c.request("POST", "/"+c.name+"/_bulk?refresh=true", bulk.Bytes())
	}
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short fails at the server
	c.mu.Lock()
	c.requests = append(c.requests, fmt.Sprintf("%s %s\n%s", r.Method, r.URL, body))
	fault := c.fault
	c.mu.Unlock()
	replace := func(body []byte) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		onward, err := http.NewRequest(r.Method, c.node.URL+r.URL.RequestURI(), bytes.NewReader(body))
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
	req := request{kind: kindOf(r.URL.Path, body), path: r.URL.Path, body: body, w: w, replace: replace}
	if fault == nil || !fault(req) {
		reply(w, req.forward())
	}
}

func reply(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
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
	c.t.Helper()
	found, err := c.node.Sources(context.Background(), "."+c.name+"-alerts", map[string]any{
		"size": 1000, "sort": "okta.actor.id", "query": map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": ruleID}},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	var actors []string
	for _, alert := range found {
		actors = append(actors, alert["okta"].(map[string]any)["actor"].(map[string]any)["id"].(string))
	}
	return actors
}

// lastError is what the newest failed run of a rule was recorded with.
func (c *cluster) lastError(t *testing.T, ruleID string) string {
	t.Helper()
	found, err := c.node.Sources(t.Context(), "."+c.name+"-runs", map[string]any{
		"size": 1000, "sort": map[string]any{"@timestamp": "desc"}, "query": map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": ruleID}},
			map[string]any{"term": map[string]any{"newterms.run.state": "failure"}},
		}}},
	})
	if err != nil || len(found) == 0 {
		t.Errorf("no failed run of %s: %v", ruleID, err)
		return ""
	}
	return fmt.Sprint(found[0]["error.message"])
}
