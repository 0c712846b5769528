package rule_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"newterms/job/rule"
)

func TestBuiltin(t *testing.T) {
	r, err := rule.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "6f1bb4b2-7dc8-11ee-92b2-f661ea17fbcd" || r.Name != "First Occurrence of Okta User Session Started via Proxy" {
		t.Errorf("got %s, %s", r.ID, r.Name)
	}
	if r.Timestamp != "event.ingested" || r.Fallback != "@timestamp" || r.History != 168*time.Hour || r.Lookback != 6*time.Minute {
		t.Errorf("got %s else %s, %s, %s", r.Timestamp, r.Fallback, r.History, r.Lookback)
	}
	if !reflect.DeepEqual(r.Fields, []string{"okta.actor.id", "cloud.account.id"}) || !reflect.DeepEqual(r.Indices, []string{"filebeat-*", "logs-okta.system-*"}) {
		t.Errorf("got %v, %v", r.Fields, r.Indices)
	}
	for name, want := range map[string]any{
		"severity": "medium", "risk_score": int64(47), "from": "now-6m", "interval": "5m", "history_window_start": "now-7d",
		"new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
	} {
		if got := r.Parameters[name]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// valid is a rule file; the tests below spoil it.
const valid = `[rule]
rule_id = "r1"
name = "Rule"
type = "new_terms"
language = "kuery"
severity = "low"
risk_score = 21
index = ["logs-*"]
from = "now-9m"
query = '''a:b'''
[rule.new_terms]
field = "new_terms_fields"
value = ["user.name"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-5d"
`

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFile(t *testing.T) {
	filters := `
[[rule.filters]]
[rule.filters.meta]
negate = true
[rule.filters.query.wildcard."file.path"]
case_insensitive = true
value = "C:\\\\Windows\\\\*"
[[rule.filters]]
[rule.filters.meta]
disabled = true
[rule.filters.query.exists]
field = "x"
[[rule.filters]]
[rule.filters.exists]
field = "old.style"
[rule.filters."$state"]
store = "appState"
`
	rules, err := rule.Load(write(t, t.TempDir(), "r.toml", valid+filters))
	if err != nil || len(rules) != 1 {
		t.Fatal(rules, err)
	}
	r := rules[0]
	if r.Lookback != 9*time.Minute || r.History != 120*time.Hour || r.Timestamp != "@timestamp" || r.Fallback != "" {
		t.Errorf("got %s, %s, %q, %q", r.Lookback, r.History, r.Timestamp, r.Fallback)
	}
	if len(r.Filters) != 2 || !r.Filters[0].Negate || r.Filters[1].Negate {
		t.Fatalf("got filters %+v", r.Filters)
	}
	path := r.Filters[0].Query["wildcard"].(map[string]any)["file.path"].(map[string]any)
	if path["value"] != `C:\\Windows\\*` || path["case_insensitive"] != true {
		t.Errorf("a quoted key with dots must stay one key, got %v", path)
	}
	if want := map[string]any{"exists": map[string]any{"field": "old.style"}}; !reflect.DeepEqual(r.Filters[1].Query, want) {
		t.Errorf("got %v, want %v", r.Filters[1].Query, want)
	}
}

func TestLoadFolderPassesOverOtherTypes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.toml", valid)
	write(t, dir, "below/b.toml", strings.Replace(valid, `"r1"`, `"r2"`, 1))
	write(t, dir, "eql.toml", strings.Replace(valid, "new_terms\"\nlanguage", "eql\"\nlanguage", 1))
	write(t, dir, "README.md", "no rule")
	rules, err := rule.Load(dir)
	if err != nil || len(rules) != 2 || rules[0].ID != "r1" || rules[1].ID != "r2" {
		t.Errorf("got %d rules, %v", len(rules), err)
	}
}

// TestLoadMountedConfigMap loads a folder as Kubernetes lays it out, where each
// file is there twice.
func TestLoadMountedConfigMap(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "..2026_11_24"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "..2026_11_24"), "r1.toml", valid)
	for name, target := range map[string]string{"..data": "..2026_11_24", "r1.toml": "..data/r1.toml"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if rules, err := rule.Load(dir); err != nil || len(rules) != 1 {
		t.Errorf("got %d rules, %v", len(rules), err)
	}
}

func TestLoadReturnsWhatCanBeUsed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.toml", "[rule")
	write(t, dir, "b.toml", valid)
	write(t, dir, "c.toml", strings.Replace(strings.Replace(valid, `"r1"`, `"r2"`, 1), "a:b", "a:(", 1))
	rules, err := rule.Load(dir)
	if len(rules) != 1 || rules[0].ID != "r1" || err == nil || !strings.Contains(err.Error(), "a.toml") || !strings.Contains(err.Error(), "c.toml") {
		t.Errorf("got %d rules, %v", len(rules), err)
	}
}

func TestLoadErrors(t *testing.T) {
	replace := func(old, new string) string {
		if !strings.Contains(valid, old) {
			t.Fatalf("%q is not in the valid rule", old)
		}
		return strings.Replace(valid, old, new, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"not TOML", "[rule", "toml"},
		{"no rule table", "[metadata]\n", "no [rule] table"},
		{"another type", replace(`"new_terms"`, `"eql"`), `type is "eql"`},
		{"another language", replace(`"kuery"`, `"lucene"`), "only kuery is understood"},
		{"no id", replace(`rule_id = "r1"`, ``), "rule_id is missing"},
		{"no index", replace(`index = ["logs-*"]`, ``), "index is missing"},
		{"no risk score", replace(`risk_score = 21`, ``), "risk_score is missing"},
		{"no severity", replace(`severity = "low"`, ``), "severity is missing"},
		{"a query that is no KQL", replace(`a:b`, `a:b and (c:d`), "offset 12"},
		{"no new-terms fields", replace(`value = ["user.name"]`, `value = []`), "0 new-terms fields"},
		{"four new-terms fields", replace(`["user.name"]`, `["a", "b", "c", "d"]`), "4 new-terms fields"},
		{"history that is rounded", replace(`now-5d`, `now-5d/d`), "history_window_start"},
		{"history that is a month", replace(`now-5d`, `now-1M`), "history_window_start"},
		{"history of no length", replace(`now-5d`, `now-0d`), "reaches back no time"},
		{"lookback that is no time", replace(`now-9m`, `9 minutes`), "from:"},
		{"alert suppression", replace(`from = `, "alert_suppression = { group_by = [\"a\"] }\nfrom = "), "alert_suppression is not supported"},
		{"two queries in a filter", valid + "[[rule.filters]]\nexists = { field = \"a\" }\nterm = { a = 1 }\n", "one query"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "r.toml", c.text)
			_, err := rule.Load(path)
			var bad *rule.Error
			if !errors.As(err, &bad) || bad.Path != path || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	dir := t.TempDir()
	for name, paths := range map[string][]string{
		"no such file":        {filepath.Join(dir, "nope.toml")},
		"an empty folder":     {dir},
		"the same rule twice": {write(t, t.TempDir(), "a.toml", valid), write(t, t.TempDir(), "b.toml", valid)},
	} {
		var bad *rule.Error
		if _, err := rule.Load(paths...); !errors.As(err, &bad) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
