package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/cmd/newterms/failure"
)

// scheduledAt runs a rule's scheduled window and fails the test if it fails.
func (c *cluster) scheduledAt(t *testing.T, at time.Time, path string) string {
	t.Helper()
	_, stderr, code := c.callWith(t, programAt(at), c.environ, "run", "--rule", path)
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
	if _, _, code := c.callWith(t, programAt(noon), c.environ, "run", "--rule", path); code != failure.ExitFailed {
		t.Fatalf("exit %d", code)
	}
	c.setFault(nil)
	c.node.Must(t, "POST", "/"+c.alertsTarget()+"/_rollover", nil)
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
			if _, stderrs[i], code = c.callWith(t, programAt(noon), c.environ, "run", "--rule", path); code != 0 {
				t.Errorf("exit %d: %s", code, stderrs[i])
			}
		})
	}
	runs.Wait()
	if got := c.alerts("concurrent"); !slices.Equal(got, newActors()) {
		t.Errorf("got %v\n%s\n%s", got, stderrs[0], stderrs[1])
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
	if len(sent) < 2 || sent[1] != sent[0]/2 {
		t.Errorf("the bulk requests held %v documents: the second should be the busy half of the first", sent)
	}
}
