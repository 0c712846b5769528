package runs_test

import (
	"net/http"
	"testing"

	"newterms/alerts/alert"
	"newterms/alerts/alertstest"
	"newterms/alerts/runs"
)

// TestEditionIsKnown asks whether the target has a rule as it is.
func TestEditionIsKnown(t *testing.T) {
	s, _, _ := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	edited := alert.Rule{"rule_id": "r1", "name": "A rule", "note": "other steps"}
	rule := alert.Rule{"rule_id": "r1", "name": "A rule", "note": "steps"}
	record := func(id string, rule alert.Rule) {
		t.Helper()
		run := runs.Run{Info: runs.Info{ID: id, Type: runs.Scheduled, Scope: "s", Search: "s"}, State: runs.Started, RuleID: "r1", From: firstSeen, To: firstSeen, StartedAt: firstSeen, Rule: rule}
		if err := s.RecordRun(t.Context(), run, firstSeen); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, rule alert.Rule, want bool) {
		t.Helper()
		edition, err := rule.Edition()
		if err != nil {
			t.Fatal(err)
		}
		all, err := s.Checkpoints(t.Context(), []runs.Series{{RuleID: "r1", Scope: "s", Edition: edition}, {RuleID: "r2", Scope: "s", Edition: "rule-x"}})
		if err != nil || all[0].HasEdition != want || all[1].HasEdition {
			t.Errorf("%s: got %+v, %v", when, all, err)
		}
	}
	check("before it ran", rule, false)
	record("a", nil)
	check("when it ran without it", rule, false)
	record("b", rule)
	check("when it was recorded", rule, true)
	check("when it is edited", edited, false)
	record("c", edited)
	check("when the edition was recorded", edited, true)
	check("when it is as before", rule, true)
}

// TestForgotten deletes the oldest runs, as a retention does: rules without a run may
// have run before.
func TestForgotten(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	record := func(rule string) {
		t.Helper()
		run := runs.Run{Info: runs.Info{ID: rule, Type: runs.Scheduled, Scope: "s", Search: "s"}, State: runs.Succeeded, RuleID: rule, From: firstSeen, To: firstSeen, StartedAt: firstSeen}
		if err := s.RecordRun(t.Context(), run, firstSeen); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, want ...bool) {
		t.Helper()
		all, err := s.Checkpoints(t.Context(), []runs.Series{{RuleID: "r1", Scope: "s"}, {RuleID: "r2", Scope: "s"}, {RuleID: "r3", Scope: "s"}})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range all {
			if c.Forgotten != want[i] {
				t.Errorf("%s, rule %d: %+v", when, i+1, c)
			}
		}
	}
	check("before any run", false, false, false)
	record("r1")
	check("with one run", false, false, false)
	node.Must(t, http.MethodPost, "/"+target+"-runs/_rollover", nil)
	record("r2")
	check("when it was rolled over", false, false, false)
	indices := node.Documents(t, target+"-runs", map[string]any{"sort": "kibana.alert.rule.rule_id"})
	node.Must(t, http.MethodDelete, "/"+indices[0]["_index"].(string), nil)
	check("when the first index is deleted", true, false, true)
	record("r1")
	check("when it has run again", false, false, true)
}
