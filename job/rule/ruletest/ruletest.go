// Package ruletest writes rule files for tests.
package ruletest

import (
	"maps"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
)

// defaults returns a usable rule, under the names of Kibana's API.
func defaults() map[string]any {
	return map[string]any{
		"rule_id": "test-rule", "name": "Test rule", "type": "new_terms", "language": "kuery", "severity": "low", "risk_score": 21,
		"index": []string{"logs-*"}, "from": "now-9m", "query": "a:b",
		"new_terms_fields": []string{"user.name"}, "history_window_start": "now-5d",
	}
}

// Text returns a rule file in TOML, in the format of the detection-rules repository.
// parameters replace defaults; nil removes one.
func Text(parameters map[string]any) (string, error) {
	rule := defaults()
	maps.Copy(rule, parameters)
	rule["new_terms"] = map[string]any{
		"field": "new_terms_fields", "value": rule["new_terms_fields"],
		"history_window_start": []map[string]any{{"field": "history_window_start", "value": rule["history_window_start"]}},
	}
	delete(rule, "new_terms_fields")
	delete(rule, "history_window_start")
	maps.DeleteFunc(rule, func(_ string, value any) bool { return value == nil })
	text, err := toml.Marshal(map[string]any{"rule": rule})
	return string(text), err
}

// Write writes a rule file that lasts as long as the test, and returns its path.
func Write(tb interface {
	Helper()
	Fatal(args ...any)
	TempDir() string
}, parameters map[string]any) string {
	tb.Helper()
	text, err := Text(parameters)
	path := filepath.Join(tb.TempDir(), "rule.toml")
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
