package check_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKibanaBeside says that Kibana runs the rule too if its log or an alert shows a run of
// late, and nothing if there are none, or only old ones and other rules'.
func TestKibanaBeside(t *testing.T) {
	const day = 24 * time.Hour
	keywords := map[string]any{"mappings": map[string]any{"dynamic_templates": []map[string]any{
		{"texts": map[string]any{"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword"}}},
	}}}
	for _, c := range []struct {
		name          string
		ruleID        string
		alert, run    time.Duration // how long ago; 0 is none
		byName, noLog bool
		want          string
	}{
		{"nothing", "test-rule", 0, 0, false, false, ""},
		{"a run and an older alert", "test-rule", 3 * day, 2 * time.Hour, false, false, "its last run was at"},
		{"an alert, and no log", "test-rule", 2 * time.Hour, 0, false, true, "its last alert was at"},
		{"a run of a rule without alerts, by its name", "", 0, time.Hour, true, false, "its last run was at"},
		{"a rule that was disabled", "test-rule", 3 * day, 2 * day, false, false, ""},
		{"another rule", "another", time.Hour, time.Hour, false, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t, mappings())
			ago := func(d time.Duration) string { return p.now.Add(-d).Format(time.RFC3339Nano) }
			p.Index(t, "", p.event(8*day, nil), p.event(time.Minute, nil))
			p.CreateIndex(t, p.name+"-kibana-alerts", keywords)
			if c.alert > 0 {
				p.Index(t, p.name+"-kibana-alerts", map[string]any{"@timestamp": ago(c.alert), "kibana.alert.rule.rule_id": c.ruleID, "kibana.alert.rule.uuid": "so-1"})
			}
			if !c.noLog {
				p.CreateIndex(t, p.name+"-kibana-log", keywords)
			}
			if c.run > 0 {
				rule := map[string]any{"id": "so-1", "category": "siem.newTermsRule", "name": "another"}
				if c.byName {
					rule["name"] = "Test rule"
				}
				p.Index(t, p.name+"-kibana-log", map[string]any{"@timestamp": ago(c.run), "event": map[string]any{"action": "execute"}, "rule": rule})
			}
			findings := p.check(t, nil)
			found := problems(findings)
			if (c.want != "") != slices.Equal(found, []string{"warning: beside kibana"}) || c.want == "" && len(found) > 0 {
				t.Fatalf("found %q", found)
			}
			for _, f := range findings {
				if f.Check == "kibana" && !strings.Contains(f.Message, c.want) {
					t.Errorf("got %q, want %q", f.Message, c.want)
				}
			}
		})
	}
}
