package rule_test

import (
	"slices"
	"testing"

	"newterms/job/rule"
)

// TestCompareAmong counts the other rules of a folder that look for the same, which
// may hold the rule itself.
func TestCompareAmong(t *testing.T) {
	dir := t.TempDir()
	for id, query := range map[string]string{
		"a": "event.action: (x or y) and host.name: h", "b": "event.action: x", "c": "not event.action: x", "d": "host.name: h and event.action: *", "e": "event.action: y and host.name: other",
	} {
		write(t, dir, id+".toml", text(t, map[string]any{"rule_id": id, "name": "Rule " + id, "query": query}))
	}
	rules, err := rule.Load(dir)
	if err != nil || len(rules) != 5 {
		t.Fatal(rules, err)
	}
	a := rule.CompareAmong(rules[0], rules)
	if a.Rules != 4 || !slices.Equal(a.Actions, []string{"Rule b", "Rule e"}) || len(a.Same) != 2 || !slices.Equal(a.Same[0], []int{1, 1}) || !slices.Equal(a.Same[1], []int{1}) {
		t.Errorf("got %+v", a)
	}
}
