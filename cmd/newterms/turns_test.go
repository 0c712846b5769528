package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/job/rule"
	"newterms/job/rule/ruletest"
)

// TestNoRuleStarves runs three rules of which the first never ends by itself.
// The others have their turn all the same, and the next time theirs come after
// the one that has waited longest.
func TestNoRuleStarves(t *testing.T) {
	c := faultCluster(t)
	args := []string{"run", "--output", "none"}
	for _, id := range []string{"a slow", "b", "c"} {
		args = append(args, "--rule", ruletest.Write(t, map[string]any{
			"rule_id": id, "name": id, "from": "now-1h", "timestamp_override": "event.ingested", "history_window_start": "now-7d",
			"query": "data_stream.dataset: okta.system and not user.name: \"" + id + "\"", "new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
		}))
	}
	release := make(chan struct{})
	defer close(release)
	var mu sync.Mutex // of what requests read and write
	var order []string
	slow := "a slow"
	seen := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
	c.setFault(func(r request) bool {
		mu.Lock()
		waits := r.kind == "candidates" && strings.Contains(string(r.body), slow)
		for _, id := range []string{"a slow", "b", "c"} {
			if r.kind == "candidates" && strings.Contains(string(r.body), `"`+id+`"`) && !slices.Contains(order, id) {
				order = append(order, id)
			}
		}
		mu.Unlock()
		if waits {
			<-release
		}
		return false
	})
	environ := append(slices.Clone(c.environ), "NEWTERMS_DEADLINE=9s", "NEWTERMS_CONCURRENCY=1", "LOG_FORMAT=text")
	_, stderr, code := c.callWith(t, programAt(noon), environ, args...)
	if code != exitFailed || !strings.Contains(stderr, "rule a slow: terminated: its share of NEWTERMS_DEADLINE, ") || !strings.Contains(stderr, "b: 17 pairs, 12 first occurrences, 12 alerts written") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if order := seen(); !slices.Equal(order, []string{"a slow", "b", "c"}) || !slices.Equal(c.alerts("c"), newActors()) {
		t.Errorf("in the order %v, with %v for c", order, c.alerts("c"))
	}
	mu.Lock()
	slow = "nobody"
	mu.Unlock()
	for _, path := range []string{args[4], args[8]} { // a slow and c run once more, and b does not
		if _, stderr, code := c.callWith(t, programAt(noon.Add(time.Minute)), c.environ, "run", "--rule", path); code != 0 {
			t.Fatal(stderr)
		}
	}
	mu.Lock()
	order = nil
	mu.Unlock()
	if _, stderr, code := c.callWith(t, programAt(noon.Add(2*time.Minute)), environ, args...); code != 0 || seen()[0] != "b" {
		t.Errorf("exit %d, in the order %v: %s", code, seen(), stderr)
	}
}

func TestRulesWithoutATurnAreNamed(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	turns := &turns{rules: []rule.Rule{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	var had []string
	for r := range turns.each(ctx) {
		had = append(had, r.Name)
		stop(errors.New("NEWTERMS_DEADLINE=4m0s is over"))
	}
	err := turns.notBegun(ctx)
	if want := "NEWTERMS_DEADLINE=4m0s is over: not begun, and first next time: b, c"; err == nil || err.Error() != want || !slices.Equal(had, []string{"a"}) {
		t.Errorf("%v had a turn, %v, want %s", had, err, want)
	}
}
