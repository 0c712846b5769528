package main

import (
	"strings"
	"testing"
	"time"
)

// TestEditionIsSentOnce counts how often a rule itself is sent with its runs.
func TestEditionIsSentOnce(t *testing.T) {
	c := newCluster(t, proxySession("ada", "acc-1", noon.Add(-time.Minute).Format(time.RFC3339)))
	if _, stderr, code := call(t, c.environ, "setup"); code != 0 {
		t.Fatal(stderr)
	}
	first, second := faultRule(t, "first"), faultRule(t, "second")
	for i, run := range []struct {
		args []string
		want int
	}{
		{[]string{"--rule", first}, 1},
		{[]string{"--rule", first}, 0},
		{[]string{"--rule", first, "--rule", second}, 1},
		{[]string{"--rule", first, "--rule", second}, 0},
	} {
		c.take()
		if _, stderr, code := c.callWith(t, programAt(noon.Add(time.Duration(i)*time.Minute)), c.environ, append([]string{"run"}, run.args...)...); code != 0 {
			t.Fatal(stderr)
		}
		sent := 0
		for _, request := range c.take() {
			sent += strings.Count(request, `"event.action":"newterms-rule"`)
		}
		if sent != run.want {
			t.Errorf("run %v: the rule was sent %d times, want %d", run.args, sent, run.want)
		}
	}
}
