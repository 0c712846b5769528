package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/cmd/newterms/failure"
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
			<-r.gone
		}
		return waits
	})
	environ := append(slices.Clone(c.environ), "NEWTERMS_CONCURRENCY=1", "LOG_FORMAT=text")
	patiently(t, 9*time.Second, func(deadline time.Duration) (ok bool, why string) {
		mu.Lock()
		order = nil
		mu.Unlock()
		_, stderr, code := c.callWith(t, programAt(noon), append(slices.Clone(environ), "NEWTERMS_DEADLINE="+deadline.String()), args...)
		ok = code == failure.ExitFailed && strings.Contains(stderr, "rule a slow: terminated: its share of NEWTERMS_DEADLINE, ") && strings.Contains(stderr, "3 rules ran, 1 of them failed") &&
			slices.Equal(seen(), []string{"a slow", "b", "c"}) && slices.Equal(c.alerts("c"), newActors())
		return ok, fmt.Sprintf("exit %d, in the order %v, with %v for c: %s", code, seen(), c.alerts("c"), stderr)
	})
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

// TestRulesWithoutATurnFailTheRun tells a run to stop just when its first rule has
// succeeded: the second one has no turn, and the run fails for that alone.
func TestRulesWithoutATurnFailTheRun(t *testing.T) {
	c := faultCluster(t)
	c.setClock(func() time.Time { return noon })
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	c.setFault(func(r request) bool {
		if r.kind != "run document" || !strings.Contains(string(r.body), "success") {
			return false
		}
		answer := r.forward()
		reply(r.w, answer)
		stop(errors.New("its time is over"))
		return true
	})
	var out, errs bytes.Buffer
	environ := append(slices.Clone(c.environ), "NEWTERMS_CONCURRENCY=1", "LOG_FORMAT=text")
	err := programAt(noon).execute(ctx, []string{"run", "--rule", faultRule(t, "first"), "--rule", faultRule(t, "second")}, environ, &out, &errs)
	if failure.Code(err) != failure.ExitFailed || !strings.Contains(errs.String(), "its time is over: not started; first in the next run: Rule second") ||
		!strings.Contains(errs.String(), "1 rule ran, 1 not begun") || !slices.Equal(c.alerts("first"), newActors()) {
		t.Errorf("%v: %s", err, &errs)
	}
}

// patiently tries what has to fit a length of time with longer and longer ones:
// a machine that is busy needs many times as long. The last one is 512 times the
// first.
func patiently(t *testing.T, length time.Duration, try func(length time.Duration) (ok bool, why string)) {
	t.Helper()
	for n := range 4 {
		ok, why := try(length)
		if ok {
			return
		}
		if n == 3 {
			t.Error(why)
		}
		length *= 8
	}
}
