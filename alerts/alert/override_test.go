package alert

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"newterms/alerts/runs"
)

func TestOverrides(t *testing.T) {
	mapped := map[string]any{
		"rule_name_override": "event.reason", "risk_score_mapping": []any{
			map[string]any{"field": "event.risk_score", "operator": "equals", "value": ""},
			map[string]any{"field": "event.risk_score_norm", "operator": "equals", "value": ""}, // which Kibana does not read
		},
		"severity_mapping": []any{
			map[string]any{"field": "", "value": "", "operator": "equals", "severity": "low"}, // as Kibana exports an empty row
			map[string]any{"field": "event.outcome", "value": "failure", "operator": "equals", "severity": "critical"},
			map[string]any{"field": "event.outcome", "value": "success", "operator": "equals", "severity": "low"},
			map[string]any{"field": "event.severity", "value": "7", "operator": "equals", "severity": "high"},
			map[string]any{"field": "event.kind", "value": "alert", "operator": "equals", "severity": "high"},
			map[string]any{"field": "kibana.alert.depth", "value": "2", "operator": "equals", "severity": "critical"},
			map[string]any{"field": "signal.seen", "value": "true", "operator": "equals", "severity": "critical"},
		},
	}
	for _, c := range []struct{ name, event, want string }{
		{"nothing of the event", `{}`, "Rule, medium, 47"},
		{"all of it", `{"event":{"reason":"MFA fatigue","risk_score":73.5,"outcome":"success"}}`, "MFA fatigue, low, 73.5"},
		{"the highest risk that there is", `{"event":{"risk_score":100}}`, "Rule, medium, 100"},
		{"a higher one", `{"event":{"risk_score":100.5}}`, "Rule, medium, 47"},
		{"the lowest", `{"event":{"risk_score":[0,-1]}}`, "Rule, medium, 0"},
		{"the highest", `{"event":{"outcome":["success","failure"],"severity":7,"risk_score":[12,99,140,"x"]}}`, "Rule, critical, 99"},
		{"another letter case", `{"event":{"outcome":"Failure"}}`, "Rule, medium, 47"},
		{"no number", `{"event":{"risk_score":"NaN"}}`, "Rule, medium, 47"},
		{"a number in a text", `{"event":{"risk_score":" 0x1F "}}`, "Rule, medium, 31"},
		{"an empty text, which is 0", `{"event":{"risk_score":["x",""]}}`, "Rule, medium, 0"},
		{"nothing but the first mapping", `{"event":{"risk_score_norm":99}}`, "Rule, medium, 47"},
		{"a severity in a text", `{"event":{"severity":"7"}}`, "Rule, medium, 47"},
		{"the severity 7.0", `{"event":{"severity":7.0}}`, "Rule, high, 47"},
		{"a severity with more digits than a float64", `{"event":{"severity":9007199254740993}}`, "Rule, medium, 47"},
		{"a kind, which alerts have of their own", `{"event":{"kind":"alert"}}`, "Rule, high, 47"},
		{"an alert", `{"kibana.alert.depth":2}`, "Rule, critical, 47"},
		{"a truth is no text", `{"signal":{"seen":true}}`, "Rule, medium, 47"},
		{"what fits no mapping of alerts", `{"event":{"severity":{"a":1},"risk_score":["x",12],"reason":"no risk"}}`, "no risk, medium, 12"},
		{"a name in a list", `{"event":{"reason":["MFA fatigue"]}}`, "Rule, medium, 47"},
		{"a number for a name", `{"event":{"reason":7}}`, "Rule, medium, 47"},
		{"dotted names", `{"event.reason":"dotted","event":{"reason":"nested"}}`, "dotted, medium, 47"},
		{"a dotted name within an object", `{"signal":{"seen":"x"},"x":{"event.reason":"y"}}`, "Rule, medium, 47"},
		{"an object", `{"event":{"reason":{"a":1},"severity":{"b":7}}}`, "Rule, medium, 47"},
	} {
		rule := testRule()
		maps.Copy(rule, mapped)
		m, err := NewMaker(rule, runs.Info{ID: "run", Type: runs.Manual})
		if err != nil {
			t.Fatal(err)
		}
		key, err := NewKey("r1", m.fields, []any{"a", "b"}, firstSeen)
		if err != nil {
			t.Fatal(err)
		}
		alert := m.Alert(Finding{Key: key, Terms: []any{"a", "b"}, Event: m.Event(SourceEvent{Index: "i", ID: "1", Source: []byte(c.event)})}, firstSeen)
		text, err := json.Marshal(alert)
		if err != nil {
			t.Fatal(err)
		}
		doc := decode(t, string(text))
		got := fmt.Sprintf("%v, %v, %v", doc["kibana.alert.rule.name"], doc["kibana.alert.severity"], doc["kibana.alert.risk_score"])
		if got != c.want || doc["kibana.alert.rule.severity"] != "medium" {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		for _, name := range []string{"kibana.alert.rule.name", "kibana.alert.severity", "kibana.alert.risk_score"} {
			if n := strings.Count(string(text), `"`+name+`":`); n != 1 {
				t.Errorf("%s: %s stands there %d times", c.name, name, n)
			}
		}
	}
}

// TestMappingsThatMeanNothing are refused: a rule that was written for them would
// have another severity than its author expects.
func TestMappingsThatMeanNothing(t *testing.T) {
	row := func(more ...any) map[string]any {
		m := map[string]any{"field": "event.outcome", "value": "failure", "operator": "equals", "severity": "high"}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name  string
		value any
		want  string // "" if it is taken
	}{
		{"severity_mapping", []any{row()}, ""}, {"severity_mapping", []map[string]any{row()}, ""}, {"severity_mapping", nil, ""}, {"severity_mapping", []any{}, ""},
		{"severity_mapping", []any{row("field", "", "operator", "matches", "severity", "x")}, ""},
		{"severity_mapping", []any{row(), row("operator", "matches")}, "severity_mapping: the operator matches of event.outcome is not equals"},
		{"severity_mapping", []any{row("operator", "")}, "severity_mapping: the operator  of event.outcome is not equals"},
		{"severity_mapping", []any{row("severity", "severe")}, "severity_mapping: event.outcome needs a value, a text, and a severity of low, medium, high or critical"},
		{"severity_mapping", []any{row("value", 7)}, "severity_mapping: event.outcome needs a value, a text"},
		{"severity_mapping", "high", "severity_mapping is no list of tables"}, {"severity_mapping", []any{"high"}, "severity_mapping is no list of tables"},
		{"risk_score_mapping", []any{map[string]any{"field": "event.risk_score", "operator": "greater"}}, "risk_score_mapping: the operator greater of event.risk_score is not equals"},
		{"risk_score_mapping", []any{map[string]any{"field": "event.risk_score"}}, ""}, {"risk_score_mapping", []any{map[string]any{"field": ""}}, ""},
	} {
		_, err := OverridesOf(Rule{c.name: c.value})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: got %v, want %q", c.name, c.value, err, c.want)
		}
	}
}
