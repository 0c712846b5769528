package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"newterms/cmd/newterms/failure"

	"github.com/cenkalti/backoff/v5"
)

// call runs newterms, without retries, and returns what it prints and its exit
// code.
func call(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return callWith(t, program{now: time.Now, retry: once}, environ, args...)
}

// callWith runs newterms with the clock, the retries and the page size of p.
func callWith(t *testing.T, p program, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	err := p.execute(t.Context(), args, environ, &out, &errs)
	return out.String(), errs.String(), failure.Code(err)
}

// proxySession is an event that the built-in rule matches.
func proxySession(actor, account, ingested string) map[string]any {
	return map[string]any{
		"@timestamp": ingested, "event": map[string]any{"ingested": ingested, "kind": "event", "action": "user.session.start"},
		"data_stream": map[string]any{"dataset": "okta.system"}, "cloud": map[string]any{"account": map[string]any{"id": account}},
		"okta": map[string]any{
			"actor": map[string]any{"id": actor, "display_name": strings.ToUpper(actor)}, "event_type": "user.session.start",
			"security_context": map[string]any{"is_proxy": true}, "client": map[string]any{"ip": "192.0.2.1"},
		},
	}
}

// TestQuietRunCostsSixRequests counts what a run sends when it finds
// candidates and all of them are known. Two of the requests are run documents, and one
// asks for the checkpoint.
func TestQuietRunCostsSixRequests(t *testing.T) {
	c := newCluster(t, proxySession("00u1", "acc-1", "2026-03-09T12:00:00Z"), proxySession("00u1", "acc-1", "2026-03-10T12:00:00Z"))
	call(t, c.environ, "setup")
	at := time.Date(2026, 3, 10, 12, 1, 0, 0, time.UTC)
	c.callWith(t, programAt(at), c.environ, "run") // the first run ever asks for more
	c.take()
	if _, stderr, code := c.callWith(t, programAt(at.Add(time.Minute)), c.environ, "run"); code != 0 || !strings.Contains(stderr, `"candidates":1`) {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if requests := c.take(); len(requests) != 6 {
		t.Errorf("%d requests:\n%s", len(requests), strings.Join(requests, "\n"))
	}
}

// once sends each request once.
func once() []backoff.RetryOption { return []backoff.RetryOption{backoff.WithMaxTries(1)} }
