package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery/estest"
	"newterms/job/rule/ruletest"
)

var wholeMatrix = flag.Bool("whole-matrix", false,
	"break every kind of request in every way, and else each kind in a third of the ways, with -short in a sixth; kill runs before and after every request; and change the indices before every request")

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
	return faultClusterOn(t, estest.ForTest(t))
}

func faultClusterOn(t *testing.T, node *estest.Node) *cluster {
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
	c := newClusterOn(t, node, documents...)
	if _, stderr, code := call(t, c.environ, "setup"); code != 0 {
		t.Fatal(stderr)
	}
	return c
}

// faultRule writes a rule with an id of its own, and so with runs and alerts of
// its own, and returns its path.
func faultRule(t *testing.T, id string) string {
	t.Helper()
	return ruletest.Write(t, map[string]any{
		"rule_id": id, "name": "Rule " + id, "from": "now-1h", "timestamp_override": "event.ingested", "query": "data_stream.dataset: okta.system",
		"new_terms_fields": []string{"okta.actor.id", "cloud.account.id"}, "history_window_start": "now-7d",
	})
}

// ruleAfterGoodRun writes a rule of which a run before all new events was good.
// What the tests break is the next run; the one after it must reach back to
// here, because the rule's own lookback would miss half of the events by then.
func (c *cluster) ruleAfterGoodRun(t *testing.T, id string) string {
	t.Helper()
	path := faultRule(t, id)
	if _, stderr, code := c.callWith(t, programAt(noon.Add(-55*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
		t.Fatalf("%s: the run before failed: %s", id, stderr)
	}
	return path
}

// programAt runs at a time, with small pages.
func programAt(at time.Time) program {
	p := quickly(func() time.Time { return at })
	p.pageSize = 4
	return p
}

// TestFaultMatrix breaks requests of every kind in many ways. A run either
// succeeds with the right alerts or says that it failed, and the next run
// completes the work: nothing is missing and nothing is there twice.
func TestFaultMatrix(t *testing.T) {
	t.Parallel() // with the other long tests
	c := faultCluster(t)
	var matrix strings.Builder
	fmt.Fprintf(&matrix, "%-18s", "")
	for _, kind := range kinds {
		fmt.Fprintf(&matrix, " %-16s", kind)
	}
	for i, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			fmt.Fprintf(&matrix, "\n%-18s", f.name)
			for k, kind := range kinds {
				outcome := ""
				if f.isOfItems() && (kind == "run document" || kind == "bulk") || !f.isOfItems() && tried(i+k) { // others have no items
					outcome = c.tryFault(t, f, kind)
				}
				fmt.Fprintf(&matrix, " %-16s", outcome)
			}
		})
	}
	t.Logf("what a run did with a fault, its exit code and its alerts at once:\n%s", &matrix)
}

// tried reports whether the matrix has the cells of a diagonal. A third of
// the diagonals has each fault, and each kind of request.
func tried(diagonal int) bool {
	switch {
	case *wholeMatrix:
		return true
	case testing.Short():
		return diagonal%6 == 0
	}
	return diagonal%3 == 0
}

// tryFault breaks requests of a kind, and returns the exit code of the run and the
// number of its alerts. A fault that happens once must not fail it.
func (c *cluster) tryFault(t *testing.T, f fault, kind string) string {
	t.Helper()
	var id, path, stderr string
	var code, hits int
	try := func(timeout time.Duration) (ok bool, why string) {
		id = fmt.Sprintf("%s at %s, %s", f.name, kind, timeout)
		path, hits = c.ruleAfterGoodRun(t, id), 0
		c.setFault(func(r request) bool {
			if r.kind != kind || f.once && hits > 0 {
				return false
			}
			hits++
			f.do(r)
			return true
		})
		_, stderr, code = c.callWith(t, programAt(noon), append(slices.Clone(c.environ), "NEWTERMS_REQUEST_TIMEOUT="+timeout.String()), "run", "--rule", path)
		c.setFault(nil)
		return code == 0, fmt.Sprintf("%s: exit %d: %s", id, code, stderr)
	}
	if f.name == "timeout" {
		patiently(t, 300*time.Millisecond, try)
	} else if ok, why := try(time.Minute); f.once && !ok {
		t.Error(why)
	}
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
	if _, stderr, code := c.callWith(t, programAt(noon.Add(30*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
		t.Errorf("%s: the next run failed: %s", id, stderr)
	}
	if got := c.alerts(id); !slices.Equal(got, newActors()) {
		t.Errorf("%s: in the end there are alerts %v\nfirst run, exit %d: %s", id, got, code, stderr)
	}
	return fmt.Sprintf("%d, %d", code, len(after))
}
