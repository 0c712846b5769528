package rule_test

import (
	"strings"
	"testing"

	"newterms/job/rule"
)

// TestStatus tells how far a rule is. One that is disabled is loaded if a path names
// its file, and skipped among others.
func TestStatus(t *testing.T) {
	disabled := strings.Replace(flat, `"enabled":true`, `"enabled":false`, 1) + "}"
	for _, c := range []struct{ name, text, status string }{
		{"r.json", flat + "}", "enabled"}, {"r.json", disabled, "disabled"}, {"r.ndjson", disabled, "it contains no enabled new_terms rule"},
		{"r.toml", text(t, nil), "enabled"}, {"r.toml", text(t, map[string]any{"enabled": false}), "disabled"},
		{"r.toml", "[metadata]\nmaturity = \"deprecated\"\n" + text(t, nil), "deprecated"},
		{"r.toml", "[metadata]\nmaturity = \"production\"\n" + text(t, map[string]any{"enabled": false}), "disabled"},
	} {
		rules, err := rule.Load(write(t, t.TempDir(), c.name, c.text))
		switch {
		case err == nil && len(rules) == 1 && rules[0].Status == c.status:
		case err != nil && strings.Contains(err.Error(), c.status):
		default:
			t.Errorf("%s: got %+v, %v, want %s", c.text, rules, err, c.status)
		}
	}
}

// TestValuesAtTheEdge are as far as Kibana goes.
func TestValuesAtTheEdge(t *testing.T) {
	for _, parameters := range []map[string]any{
		{"risk_score": 0}, {"risk_score": 100}, {"max_signals": 1}, {"version": 1}, {"from": "now-119h", "history_window_start": "now-5d"},
		{"new_terms_fields": []string{"a", "b", "c"}}, {"from": "now-1s"},
		{"timestamp_override": "@timestamp"},
	} {
		if rules, err := rule.Load(write(t, t.TempDir(), "r.toml", text(t, parameters))); err != nil || len(rules) != 1 || rules[0].Search.Timestamp != "@timestamp" || rules[0].Search.Fallback != "" {
			t.Errorf("%v: %+v, %v", parameters, rules, err)
		}
	}
}

// TestNeitherRuleNorList is of an object that is named by its path: among others it
// is skipped.
func TestNeitherRuleNorList(t *testing.T) {
	for _, text := range []string{`{"entries":[{"field":"a","type":"exists","operator":"included"}]}`, `{"name":"x"}`, `{"type":"eql"}`, `{"query":"*"}`} {
		path := write(t, t.TempDir(), "x.json", text)
		if rules, err := rule.Load(path); len(rules) > 0 || err == nil || !strings.Contains(err.Error(), "it is neither a rule nor an exception list") {
			t.Errorf("%s: got %d rules, %v", text, len(rules), err)
		}
	}
}
