package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/esquery/estest"
)

// checked runs newterms check with a clock that is ahead of the real one, and
// prints what it says.
func (c *cluster) checked(t *testing.T, ahead time.Duration, args ...string) (stdout string, code int) {
	t.Helper()
	p := program{now: func() time.Time { return time.Now().Add(ahead) }, retry: []backoff.RetryOption{backoff.WithMaxTries(1)}}
	stdout, stderr, code := callWith(t, p, c.environ, append([]string{"check"}, args...)...)
	t.Logf("exit %d\n%s", code, stdout)
	if stderr != "" {
		t.Errorf("stderr: %s", stderr)
	}
	return stdout, code
}

func ago(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }

// without takes a field off an event.
func without(event map[string]any, field string) map[string]any {
	delete(event, field)
	return event
}

type situation struct {
	name    string
	events  []map[string]any
	noSetup bool
	prepare func(*testing.T, *cluster)
	ahead   time.Duration // our clock
	code    int
	want    []string
}

// situations are dated by the clock, since check compares it with the server's.
func situations() []situation {
	fresh := func() []map[string]any {
		return []map[string]any{proxySession("00u1", "acc-1", ago(time.Minute)), proxySession("00u2", "acc-1", ago(50*time.Hour))}
	}
	run := func(t *testing.T, c *cluster) {
		if _, stderr, code := call(t, c.environ, "run", "--output", "none"); code != 0 {
			t.Fatal(stderr)
		}
	}
	return []situation{
		{"a healthy cluster", fresh(), false, run, 0, 0, []string{
			"✓ user       security is off", "alerts is set up\n", "runs is set up\n", ": 1 match", "✓ clock", "✓ data       the newest event is 1m",
			"✓ matching   2 events of the last 7 days", "all of them have cloud.account.id", "✓ runs       the newest is success (scheduled, ", ", 0 to know, 0 to mend",
		}},
		{"no run yet", fresh(), false, nil, 0, 0, []string{"the first run makes the data stream", "! runs       there was no run yet", "looks back 6m"}},
		{"templates missing", fresh(), true, nil, 0, 1, []string{"✗ target     the index template .", "→ run newterms setup"}},
		{"an older template", fresh(), false, func(t *testing.T, c *cluster) {
			run(t, c)
			if err := c.node.ChangeTemplate(t.Context(), "."+c.name+"-alerts-index-template", func(template map[string]any) { template["version"] = 0 }); err != nil {
				t.Fatal(err)
			}
		}, 0, 0, []string{"! target     the index template .", "is not of this version"}},
		{"no index", fresh(), false, func(_ *testing.T, c *cluster) {
			c.environ = append(c.environ, "NEWTERMS_INDEX="+c.name+"-nope-*")
		}, 0, 1, []string{"✗ indices    no index matches", "→ install the integration"}},
		{"no data", nil, false, nil, 0, 1, []string{"✗ data       there is no event of the last 7 days"}},
		{"stale events", []map[string]any{proxySession("00u1", "acc-1", ago(26*time.Hour))}, false, nil, 0, 0, []string{"! data       the newest event is 26h0m", "→ check that the Elastic Agent"}},
		{"no cloud.account.id", []map[string]any{without(proxySession("00u1", "", ago(time.Minute)), "cloud")}, false, nil, 0, 65, []string{
			"✗ fields     no index maps the new-terms field cloud.account.id: no event has it, so there can be no alert", "add_cloud_metadata", "logs-okta.system@custom", "NEWTERMS_MISSING_TERMS=include",
		}},
		{"cloud.account.id of others only", []map[string]any{
			without(proxySession("00u1", "", ago(time.Minute)), "cloud"), without(proxySession("00u2", "acc-1", ago(time.Minute)), "okta"),
		}, false, nil, 0, 65, []string{"✗ terms      all of them lack cloud.account.id, so there can be no alert"}},
		{"some without cloud.account.id", append(fresh(), without(proxySession("00u1", "", ago(time.Minute)), "cloud")), false, nil, 0, 0, []string{
			"! terms      1 of them lack cloud.account.id and cannot be judged",
		}},
		{"no cloud.account.id, which counts", []map[string]any{without(proxySession("00u1", "", ago(time.Minute)), "cloud")}, false, func(_ *testing.T, c *cluster) {
			c.environ = append(c.environ, "NEWTERMS_MISSING_TERMS=include")
		}, 0, 0, []string{"✓ terms      1 of them lack cloud.account.id, which counts as a term"}},
		{"nothing through a proxy", []map[string]any{{"@timestamp": ago(time.Minute), "event": map[string]any{"ingested": ago(time.Minute)}}}, false, nil, 0, 0, []string{"! matching   no event of the last 7 days matches"}},
		{"events that come late", []map[string]any{late("00u1", time.Hour)}, false, nil, 0, 0, []string{"! lag        of the newest 1 events, half were ingested within "}},
		{"our clock is ahead", fresh(), false, nil, 3 * time.Minute, 1, []string{"✗ clock      the clock here is 3m", "more than NEWTERMS_OVERLAP=2m0s"}},
		{"our clock is behind", fresh(), false, nil, -90 * time.Second, 0, []string{"! clock      the clock here differs from the server's by 1m"}},
		{"the server's clock is behind", fresh(), false, func(_ *testing.T, c *cluster) {
			c.setFault(func(r request) bool { // as if it were: no clock of this machine can be set
				reply(r.w, r.replace(bytes.ReplaceAll(r.body, []byte(`"now"}`), []byte(`"now-10m"}`))))
				return true
			})
		}, 0, 1, []string{"✗ clock      the clock here is 10m"}},
		{"templates and cloud.account.id missing", []map[string]any{without(proxySession("00u1", "", ago(time.Minute)), "cloud")}, true, nil, 0, 65, []string{
			"✗ target     the index template .", "✗ fields     no index maps the new-terms field cloud.account.id",
		}},
		{"a run that failed", fresh(), false, func(t *testing.T, c *cluster) {
			call(t, append(c.environ, "NEWTERMS_INDEX=nope-"+c.name), "run", "--output", "none")
		}, 0, 0, []string{"! runs       the newest run failed", "no index matches"}},
		{"no runs of late", fresh(), false, run, 3 * time.Hour, 1, []string{"! runs       the last successful scheduled run looked at events up to", ", 3h0m"}},
		{"a key without monitor", fresh(), false, func(_ *testing.T, c *cluster) { c.setFault(root(http.StatusForbidden, `{}`)) }, 0, 0, []string{fmt.Sprintf("✓ server     Elasticsearch %.1s.x\n", estest.Version())}},
		{"an old Elasticsearch", fresh(), false, func(_ *testing.T, c *cluster) {
			c.setFault(root(http.StatusOK, `{"version":{"number":"7.17.29"}}`))
		}, 0, 78, []string{"✗ server     Elasticsearch 7.17.29 is not supported: use 8.x or 9.x"}},
		{"a broken cluster", fresh(), false, func(_ *testing.T, c *cluster) {
			c.setFault(func(r request) bool { r.w.WriteHeader(http.StatusServiceUnavailable); return true })
		}, 0, 1, []string{"✗ server     503"}},
		{"a term that is text in an index", fresh(), false, func(t *testing.T, c *cluster) {
			text := map[string]any{"mappings": map[string]any{"properties": map[string]any{"cloud": map[string]any{
				"properties": map[string]any{"account": map[string]any{"properties": map[string]any{"id": map[string]any{"type": "text"}}}},
			}}}}
			c.request("PUT", "/"+c.name+"-text", text)
			t.Cleanup(func() { c.request("DELETE", "/"+c.name+"-text", nil) })
			c.environ = append(c.environ, "NEWTERMS_INDEX="+c.name+"*")
		}, 0, 65, []string{"✗ fields     the new-terms field cloud.account.id is of type keyword, text, which cannot be grouped by"}},
		{"an exclude that does not fit", fresh(), false, func(_ *testing.T, c *cluster) {
			c.environ = append(c.environ, "NEWTERMS_EXCLUDE=okta.client.ip:*.7")
		}, 0, 65, []string{"✗ query      search", "query_shard_exception", "203.0.113.0/24"}},
	}
}

func TestCheck(t *testing.T) {
	newCluster(t) // starts the node
	for i := range situations() {
		s := situations()[i] // dated anew
		t.Run(s.name, func(t *testing.T) {
			c := newCluster(t, s.events...)
			if !s.noSetup {
				call(t, c.environ, "setup")
			}
			if s.prepare != nil {
				s.prepare(t, c)
			}
			c.take()
			stdout, code := c.checked(t, s.ahead)
			if code != s.code {
				t.Errorf("exit %d, want %d", code, s.code)
			}
			for _, want := range s.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("%q is missing", want)
				}
			}
			for _, request := range c.take() {
				if strings.HasPrefix(request, "PUT") || strings.HasPrefix(request, "DELETE") || strings.Contains(request, "_bulk") {
					t.Errorf("it changes something: %s", request)
				}
			}
		})
	}
}

// late is a session that was ingested now and happened some time before.
func late(actor string, lag time.Duration) map[string]any {
	event := proxySession(actor, "acc-1", ago(time.Second))
	event["@timestamp"] = ago(lag)
	return event
}

// root answers GET / in the server's place.
func root(status int, body string) func(request) bool {
	return func(r request) bool {
		if r.path != "/" {
			return false
		}
		r.w.Header().Set("X-Elastic-Product", "Elasticsearch")
		r.w.WriteHeader(status)
		_, _ = r.w.Write([]byte(body)) // the client is there
		return true
	}
}

func TestCheckOfSeveralRulesAsJSON(t *testing.T) {
	c := newCluster(t, proxySession("00u1", "acc-1", ago(time.Minute)))
	call(t, c.environ, "setup")
	stdout, code := c.checked(t, 0, "--output", "json", "--rule", faultRule(t, "one"), "--rule", faultRule(t, "two"), "--rule", "/nope.toml")
	var report struct {
		ExitCode int `json:"exit_code"`
		Findings []struct{ Level, Check, Rule, Message, Do string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || report.ExitCode != 65 || code != 65 {
		t.Fatalf("exit %d, %v", code, err)
	}
	perRule := map[string]int{}
	for _, f := range report.Findings {
		perRule[f.Rule]++
		if f.Message == "" || (f.Level == "ok") != (f.Do == "") {
			t.Errorf("got %+v", f)
		}
	}
	if len(perRule) != 3 || perRule[""] == 0 {
		t.Errorf("got %v", perRule)
	}
}
