package page_test

import (
	"slices"
	"testing"

	"newterms/job/rule"
	"newterms/job/rule/page"
	"newterms/job/rule/ruletest"
)

// TestCompare counts the other rules that look for the same. The rule itself is among
// them.
func TestCompare(t *testing.T) {
	var paths []string
	for _, r := range [][2]string{
		{"a", "event.action: (x or y) and host.name: h"}, {"b", "event.action: x"}, {"c", "not event.action: x"},
		{"d", "host.name: h and event.action: *"}, {"e", "event.action: y and host.name: other"},
	} {
		paths = append(paths, ruletest.Write(t, map[string]any{"rule_id": r[0], "name": "Rule " + r[0], "query": r[1]}))
	}
	rules, err := rule.Load(paths...)
	if err != nil || len(rules) != 5 {
		t.Fatal(rules, err)
	}
	a := page.Compare(rules[0], rules)
	if a.Rules != 4 || !slices.Equal(a.Actions, []string{"Rule b", "Rule e"}) || len(a.Same) != 2 || !slices.Equal(a.Same[0], []int{1, 1}) || !slices.Equal(a.Same[1], []int{1}) {
		t.Errorf("got %+v", a)
	}
}
