package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A change is what becomes of the indices between two requests of a run.
type change struct {
	name string
	do   func(c *cluster, old, next string)
	// undo makes good what can be made good; nil if there is no next run to be right.
	undo func(c *cluster, old, next string)
	// word is in the error of a run that it fails, "" if it must fail none.
	word string
	// others may have an alert as well, or lack one: their events are gone.
	others []string
}

func changes(t *testing.T) []change {
	nothing := func(*cluster, string, string) {}
	must := func(method, path string, body any) func(c *cluster) {
		return func(c *cluster) { c.node.Must(t, method, path, body) }
	}
	remapped := oktaTemplate(t)["template"].(map[string]any)
	remapped["mappings"].(map[string]any)["properties"].(map[string]any)["okta.actor.id"] = map[string]any{"type": "long"}
	return []change{
		{"closed", func(c *cluster, old, _ string) { must("POST", "/"+old+"/_close", nil)(c) },
			func(c *cluster, old, _ string) { must("POST", "/"+old+"/_open?wait_for_active_shards=1", nil)(c) }, "the indices changed in mid-run", nil},
		{"deleted", func(c *cluster, old, _ string) { must("DELETE", "/"+old, nil)(c) }, nil, "the indices changed in mid-run", nil},
		{"rolled over", func(c *cluster, _, next string) { c.node.CreateIndex(t, next, oktaTemplate(t)["template"]) }, nothing, "", nil},
		{"remapped", func(c *cluster, _, next string) { c.node.CreateIndex(t, next, remapped) },
			func(c *cluster, _, next string) { must("DELETE", "/"+next+"?ignore_unavailable=true", nil)(c) }, "values of these types cannot be compared", nil},
		{"documents deleted", func(c *cluster, old, _ string) {
			must("DELETE", "/"+old+"/_doc/known0?refresh=true", nil)(c)
			must("DELETE", "/"+strings.TrimSuffix(old, "old")+"now/_doc/new00?refresh=true", nil)(c)
		}, nothing, "", []string{"known0", "new00"}},
	}
}

// TestChangesInMidRun changes the indices before a third of the requests of a run that come
// after the first question about them, and with -whole-matrix before each. No run takes what it can no longer see for
// nothing: it finds what is new, no more and no less, or fails and says why. The
// next run completes the work.
func TestChangesInMidRun(t *testing.T) {
	t.Parallel() // with the other long tests
	c := newCluster(t)
	if _, stderr, code := call(t, c.environ, "setup"); code != 0 {
		t.Fatal(stderr)
	}
	step := 3
	if *wholeMatrix {
		step = 1
	}
	for i, change := range changes(t) {
		t.Run(change.name, func(t *testing.T) {
			failed, k := 0, 1+i%step
			for ; c.tryChange(t, change, k, &failed); k += step {
			}
			t.Logf("before one in %d of %d requests: %d runs failed", step, k-1, failed)
			if k < 8 || (failed > 0) != (change.word != "") {
				t.Errorf("only %d requests, or %d failed", k-1, failed)
			}
		})
	}
}

// tryChange changes the indices before the k-th request after the field types. It
// returns false if there is none.
func (c *cluster) tryChange(t *testing.T, change change, k int, failed *int) bool {
	t.Helper()
	name := fmt.Sprintf("%s%s-%d-", c.prefix, strings.ReplaceAll(change.name, " ", "-"), k)
	old, now, next := name+"old", name+"now", name+"over"
	for _, index := range []string{old, now} {
		c.node.CreateIndex(t, index, oktaTemplate(t)["template"])
	}
	var before, after []map[string]any
	add := func(to *[]map[string]any, actor string, ago time.Duration) {
		e := proxySession(actor, "acc-1", noon.Add(-ago).Format(time.RFC3339))
		e["_id"] = actor
		*to = append(*to, e)
	}
	for i, actor := range newActors() {
		add(&after, actor, time.Duration(50-i)*time.Minute)
	}
	for _, known := range []string{"known0", "known1", "known2", "seen0", "seen1", "seen2"} { // on each page
		add(&before, known, 48*time.Hour)
		add(&after, known, 30*time.Minute)
	}
	c.node.Index(t, old, before...)
	c.node.Index(t, now, after...)
	path, environ := faultRule(t, name), append(slices.Clone(c.environ), "NEWTERMS_INDEX="+name+"*")
	if _, stderr, code := c.callWith(t, programAt(noon.Add(-55*time.Minute)), environ, "run", "--rule", path); code != 0 {
		t.Fatalf("%s: the run before failed: %s", name, stderr)
	}
	n, changed := -1, false
	c.setFault(func(r request) bool {
		if n >= 0 {
			n++
		}
		if r.kind == "field caps" {
			n = max(n, 0)
		}
		if n == k && !changed {
			changed = true
			change.do(c, old, next)
		}
		return false
	})
	p := programAt(noon)
	p.pageSize = 9 // two pages
	_, stderr, code := c.callWith(t, p, environ, "run", "--rule", path)
	c.setFault(nil)
	if !changed {
		return false
	}
	found := func() []string {
		return slices.DeleteFunc(c.alerts(name), func(actor string) bool { return slices.Contains(change.others, actor) })
	}
	wanted := slices.DeleteFunc(newActors(), func(actor string) bool { return slices.Contains(change.others, actor) })
	alerted := found()
	for _, actor := range alerted {
		if !slices.Contains(wanted, actor) {
			t.Errorf("%s before request %d: %s has an alert, exit %d: %s", change.name, k, actor, code, stderr)
		}
	}
	switch {
	case code == 0 && !slices.Equal(alerted, wanted):
		t.Errorf("%s before request %d: exit 0 with alerts %v: %s", change.name, k, alerted, stderr)
	case code != 0 && (change.word == "" || !strings.Contains(stderr, change.word)):
		t.Errorf("%s before request %d: exit %d: %s", change.name, k, code, stderr)
	case code != 0:
		*failed++
	}
	if change.undo == nil {
		return true
	}
	change.undo(c, old, next)
	for { // an index that is made or deleted may still be on its way
		if _, stderr, code = c.callWith(t, programAt(noon.Add(30*time.Minute)), environ, "run", "--rule", path); code == 0 {
			break
		}
		if !strings.Contains(stderr, "503") {
			t.Fatalf("%s before request %d: the next run failed: %s", change.name, k, stderr)
		}
	}
	if got := found(); !slices.Equal(got, wanted) {
		t.Errorf("%s before request %d: in the end there are alerts %v", change.name, k, got)
	}
	return true
}
