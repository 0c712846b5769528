package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// scheduledAt runs a rule's scheduled window and fails the test if it fails.
func (c *cluster) scheduledAt(t *testing.T, at time.Time, path string) string {
	t.Helper()
	_, stderr, code := callWith(t, programAt(at), c.environ, "run", "--rule", path)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	return stderr
}

// session is a proxy session this long before noon.
func session(actor string, ago time.Duration) map[string]any {
	return proxySession(actor, "acc-1", noon.Add(-ago).Format("2006-01-02T15:04:05.000Z07:00"))
}

func setUpCluster(t *testing.T, documents ...map[string]any) *cluster {
	t.Helper()
	c := newCluster(t, documents...)
	if _, stderr, code := call(t, c.environ, "setup"); code != 0 {
		t.Fatal(stderr)
	}
	return c
}

func TestLateEvents(t *testing.T) {
	c := setUpCluster(t, session("known", 48*time.Hour), session("ada", 30*time.Second))
	path := faultRule(t, "late")
	c.scheduledAt(t, noon, path)
	if got := c.alerts("late"); !slices.Equal(got, []string{"ada"}) {
		t.Fatalf("got %v", got)
	}
	// Dated before the end of the last window, searchable after it.
	c.index(session("basil", time.Second), session("ada", 40*time.Second))
	c.scheduledAt(t, noon.Add(5*time.Minute), path)
	if got := c.alerts("late"); !slices.Equal(got, []string{"ada", "basil"}) {
		t.Errorf("after late events: got %v; ada's first occurrence moved and has its alert already", got)
	}
	// The same event again, dated anew, as after a rollover of the source.
	c.index(session("basil", -6*time.Minute))
	c.scheduledAt(t, noon.Add(10*time.Minute), path)
	if got := c.alerts("late"); !slices.Equal(got, []string{"ada", "basil"}) {
		t.Errorf("after a duplicate: got %v", got)
	}
}

// TestAlertsRollover makes the alerts target roll over between a run that could
// not finish and its retry: Elasticsearch would then take the same _id again.
func TestAlertsRollover(t *testing.T) {
	c := setUpCluster(t, session("known", 48*time.Hour), session("ada", 30*time.Minute), session("basil", 20*time.Minute))
	path := faultRule(t, "rollover")
	c.setFault(func(r request) bool {
		if r.kind == "run document" && strings.Contains(string(r.body), "success") {
			panic(http.ErrAbortHandler) // the run cannot record its success
		}
		return false
	})
	if _, _, code := callWith(t, programAt(noon), c.environ, "run", "--rule", path); code != exitFailed {
		t.Fatalf("exit %d", code)
	}
	c.setFault(nil)
	c.request("POST", "/."+c.name+"-alerts/_rollover", nil)
	if stderr := c.scheduledAt(t, noon.Add(time.Minute), path); !strings.Contains(stderr, `"already_alerted":2`) {
		t.Errorf("got %s", stderr)
	}
	if got := c.alerts("rollover"); !slices.Equal(got, []string{"ada", "basil"}) {
		t.Errorf("got %v", got)
	}
}

// TestConcurrentRuns holds the bulk requests of two runs back until both are
// there, so that neither can see the other's alerts.
func TestConcurrentRuns(t *testing.T) {
	c := faultCluster(t)
	path := faultRule(t, "concurrent")
	var mu sync.Mutex
	both, waiting := make(chan struct{}), 0
	c.setFault(func(r request) bool {
		if r.kind == "bulk" {
			mu.Lock()
			if waiting++; waiting == 2 {
				close(both)
			}
			mu.Unlock()
			<-both
		}
		return false
	})
	var runs sync.WaitGroup
	var stderrs [2]string
	for i := range stderrs {
		runs.Go(func() {
			var code int
			if _, stderrs[i], code = callWith(t, programAt(noon), c.environ, "run", "--rule", path); code != 0 {
				t.Errorf("exit %d: %s", code, stderrs[i])
			}
		})
	}
	runs.Wait()
	if got := c.alerts("concurrent"); !slices.Equal(got, newActors()) {
		t.Errorf("got %v\n%s\n%s", got, stderrs[0], stderrs[1])
	}
}

func TestGapIsReportedWithItsRerun(t *testing.T) {
	c := setUpCluster(t, session("known", 24*time.Hour), session("ada", time.Hour))
	path := faultRule(t, "gap's")
	c.scheduledAt(t, noon.Add(-10*24*time.Hour), path)
	stderr := c.scheduledAt(t, noon, path)
	want := "newterms run --from 2026-02-28T11:58:00.000Z --to 2026-03-03T12:00:00.000Z --rule " + path
	if !strings.Contains(stderr, want) || !strings.Contains(stderr, `"log.level":"warn"`) {
		t.Errorf("want a warning with %s, got %s", want, stderr)
	}
	runs := string(c.request("POST", "/."+c.name+"-runs/_search", map[string]any{"query": map[string]any{"term": map[string]any{"newterms.gap.rerun": want}}}))
	if strings.Count(runs, `"newterms.gap.from":"2026-02-28T11:58:00.000Z"`) != 2 {
		t.Errorf("the run documents do not tell of the gap: %s", runs)
	}
	if stderr := c.scheduledAt(t, noon.Add(time.Minute), path); strings.Contains(stderr, "rerun") {
		t.Errorf("the gap is reported again: %s", stderr)
	}
}

func TestClockThatWentBackIsRefused(t *testing.T) {
	c := setUpCluster(t, session("ada", time.Hour))
	path := faultRule(t, "clock")
	c.scheduledAt(t, noon, path)
	_, stderr, code := callWith(t, programAt(noon.Add(-time.Hour)), c.environ, "run", "--rule", path)
	if code != exitFailed || !strings.Contains(stderr, "the clock went back") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestRejectedAlertHoldsUpNoOther makes the alerts target refuse one document.
func TestRejectedAlertHoldsUpNoOther(t *testing.T) {
	bad := session("bad", 40*time.Minute)
	bad["poison"] = "x"
	events := []map[string]any{session("known", 48*time.Hour), session("ada", 50*time.Minute), bad}
	for i := range 8 { // on later pages
		events = append(events, session(fmt.Sprint("zoe", i), 30*time.Minute))
	}
	c := setUpCluster(t, events...)
	// A mapping of the operator's that the event does not fit.
	err := c.node.ChangeTemplate(t.Context(), "."+c.name+"-alerts-index-template", func(template map[string]any) {
		properties := template["template"].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
		properties["poison"] = map[string]any{"type": "long", "ignore_malformed": false}
	})
	if err != nil {
		t.Fatal(err)
	}
	path := faultRule(t, "rejected")
	_, stderr, code := callWith(t, programAt(noon), c.environ, "run", "--rule", path)
	if code != exitFailed || !strings.Contains(stderr, "rejected document") || !strings.Contains(stderr, "document_parsing_exception") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	aggregate := func() string {
		return string(c.request("POST", "/."+c.name+"-alerts/_search?filter_path=hits.hits._source.okta.actor.id", nil))
	}
	if got := aggregate(); !strings.Contains(got, "ada") || strings.Count(got, "zoe") != 8 || strings.Contains(got, "bad") {
		t.Errorf("got %s", got)
	}
	if _, stderr, _ := callWith(t, programAt(noon.Add(5*time.Minute)), c.environ, "run", "--rule", path); !strings.Contains(stderr, "[2026-03-10T11:00:00.000Z") {
		t.Errorf("the checkpoint has moved: %s", stderr)
	}
}

func TestMaxAlerts(t *testing.T) {
	c := faultCluster(t)
	path := faultRule(t, "limit")
	_, stderr, code := callWith(t, programAt(noon), append(slices.Clone(c.environ), "NEWTERMS_MAX_ALERTS=11"), "run", "--rule", path)
	if code != exitFailed || !strings.Contains(stderr, "more than NEWTERMS_MAX_ALERTS=11") || len(c.alerts("limit")) != 0 {
		t.Errorf("exit %d, %d alerts: %s", code, len(c.alerts("limit")), stderr)
	}
	c.scheduledAt(t, noon.Add(time.Minute), path)
	if got := c.alerts("limit"); !slices.Equal(got, newActors()) {
		t.Errorf("got %v", got)
	}
}

// TestSeveralRulesAreAllRun reports each and fails if one does.
func TestSeveralRulesAreAllRun(t *testing.T) {
	c := faultCluster(t)
	good, bad := faultRule(t, "good"), faultRule(t, "bad")
	c.setFault(func(r request) bool {
		if r.kind == "run document" && strings.Contains(string(r.body), `"bad"`) {
			r.w.WriteHeader(400)
			return true
		}
		return false
	})
	stdout, stderr, code := callWith(t, programAt(noon), c.environ, "run", "--rule", bad, "--rule", good)
	c.setFault(nil)
	if code != exitFailed || !strings.Contains(stderr, "rule Rule bad: record run started") || !strings.Contains(stderr, `"rule":"Rule good"`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if got := c.alerts("good"); !slices.Equal(got, newActors()) || !strings.Contains(stdout, "Rule good") {
		t.Errorf("got %v, %s", got, fmt.Sprint(stdout))
	}
}

// TestOnlyBusyItemsAreSentAgain looks at what follows a bulk request of which
// the server turned one document away.
func TestOnlyBusyItemsAreSentAgain(t *testing.T) {
	c := faultCluster(t)
	path := faultRule(t, "busy")
	busy := faults()[slices.IndexFunc(faults(), func(f fault) bool { return f.name == "some items 429" })]
	var sent []int // documents in each bulk request
	c.setFault(func(r request) bool {
		if r.kind != "bulk" {
			return false
		}
		sent = append(sent, strings.Count(string(r.body), `{"create":`))
		if len(sent) == 1 {
			busy.do(r)
		}
		return len(sent) == 1
	})
	c.scheduledAt(t, noon, path)
	if len(sent) < 3 || sent[1] != sent[0]/2 {
		t.Errorf("the bulk requests held %v documents: the second should be the busy half of the first", sent)
	}
}
