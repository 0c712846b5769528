package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"newterms/cmd/newterms/failure"
	"newterms/job/rule/ruletest"
)

// manyRules writes rules with one query each, and returns the arguments of run.
func manyRules(t *testing.T, n int) []string {
	t.Helper()
	args := []string{"run"}
	for i := range n {
		id := fmt.Sprintf("rule-%02d", i)
		args = append(args, "--rule", ruletest.Write(t, map[string]any{
			"rule_id": id, "name": id, "from": "now-1h", "timestamp_override": "event.ingested", "history_window_start": "now-7d",
			"query": "data_stream.dataset: okta.system and not user.name: \"" + id + "\"", "new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
		}))
	}
	return args
}

// TestRulesAtOnce runs nine rules at once, of which one fails and one cannot be
// used. The others find what they find alone, no line stands among another
// rule's, and what they share is asked once.
func TestRulesAtOnce(t *testing.T) {
	c := faultCluster(t)
	c.take() // what setup asks
	args := append(manyRules(t, 9), "--rule", ruletest.Write(t, map[string]any{"rule_id": "broken", "query": "a:("}))
	var mu sync.Mutex
	atOnce, most := 0, 0
	second := make(chan struct{})
	c.setFault(func(r request) bool {
		if r.kind == "candidates" { // the first one waits for a second, so that they must be under way together
			mu.Lock()
			if atOnce++; atOnce == 2 && most < 2 {
				close(second)
			}
			most = max(most, atOnce)
			mu.Unlock()
			<-second
			defer func() { mu.Lock(); atOnce--; mu.Unlock() }()
		}
		if r.kind == "history" && strings.Contains(string(r.body), `"rule-03"`) {
			r.w.WriteHeader(400)
			return true
		}
		return false
	})
	stdout, stderr, code := c.callWith(t, programAt(noon), append(slices.Clone(c.environ), "LOG_FORMAT=text"), args...)
	if code != failure.ExitFailed || most < 2 || most > 4 {
		t.Errorf("exit %d, %d at once: %s", code, most, stderr)
	}
	for i := range 9 {
		id := fmt.Sprintf("rule-%02d", i)
		title := "\n" + id + "\nFIRST SEEN UTC, ID"
		if found := strings.Contains("\n"+stdout, title); found == (i == 3) {
			t.Errorf("%s: %s", id, stdout)
		}
		if i != 3 && (!slices.Equal(c.alerts(id), newActors()) || !strings.Contains(stderr, id+": 17 pairs, 12 first occurrences, 12 alerts written")) {
			t.Errorf("%s found %v: %s", id, c.alerts(id), stderr)
		}
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, "9 rules ran, 1 of them failed, 1 cannot be used: 96 alerts written; ") {
		t.Errorf("the last line is %s", last)
	}
	if !strings.Contains(stderr, "rule rule-03: ") || !strings.Contains(stderr, "query: KQL") {
		t.Errorf("the failures are not told: %s", stderr)
	}
	asked := map[string]int{}
	for _, r := range c.take() {
		head, body, _ := strings.Cut(r, "\n")
		asked[kindOf(strings.Fields(head)[1][:strings.IndexAny(strings.Fields(head)[1]+"?", "?")], []byte(body))]++
	}
	if asked["field caps"] != 1+9 || asked["run lookup"] != 2 {
		t.Errorf("asked %v: the types once for all, and once more by each rule with alerts and by the one that failed; the first runs ever look at the recent ones, and at all", asked)
	}
}
