package rule_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/rule"
	"newterms/job/rule/ruletest"
)

func TestBuiltin(t *testing.T) {
	r, err := rule.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "6f1bb4b2-7dc8-11ee-92b2-f661ea17fbcd" || r.Name != "First Occurrence of Okta User Session Started via Proxy" {
		t.Errorf("got %s, %s", r.ID, r.Name)
	}
	if r.Search.Timestamp != "event.ingested" || r.Search.Fallback != "@timestamp" || r.History != 168*time.Hour || r.Lookback != 6*time.Minute {
		t.Errorf("got %s else %s, %s, %s", r.Search.Timestamp, r.Search.Fallback, r.History, r.Lookback)
	}
	if !reflect.DeepEqual(r.Search.Fields, []string{"okta.actor.id", "cloud.account.id"}) || !reflect.DeepEqual(r.Search.Indices, []string{"filebeat-*", "logs-okta.system-*"}) {
		t.Errorf("got %v, %v", r.Search.Fields, r.Search.Indices)
	}
	if references, _ := r.Parameters["references"].([]any); len(references) != 8 {
		t.Errorf("got references %v", references)
	}
	for name, want := range map[string]any{
		"severity": "medium", "risk_score": int64(47), "from": "now-6m", "interval": "5m", "history_window_start": "now-7d",
		"new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
		"tags": []any{
			"Domain: Identity", "Tactic: Initial Access", "Use Case: Identity and Access Audit",
			"Data Source: Okta", "Data Source: Okta System Logs", "Resources: Investigation Guide",
		},
	} {
		if got := r.Parameters[name]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// text is a rule file with some parameters changed; nil leaves one out.
func text(t *testing.T, parameters map[string]any) string {
	t.Helper()
	text, err := ruletest.Text(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

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
	rules, err := rule.Load(write(t, t.TempDir(), "r.toml", text(t, map[string]any{"query": "a:b"})+filters))
	if err != nil || len(rules) != 1 {
		t.Fatal(rules, err)
	}
	r := rules[0]
	if r.Lookback != 9*time.Minute || r.History != 120*time.Hour || r.Search.Timestamp != "@timestamp" || r.Search.Fallback != "" {
		t.Errorf("got %s, %s, %q, %q", r.Lookback, r.History, r.Search.Timestamp, r.Search.Fallback)
	}
	if len(r.Search.Filters) != 2 || !r.Search.Filters[0].Negate || r.Search.Filters[1].Negate {
		t.Fatalf("got filters %+v", r.Search.Filters)
	}
	path := r.Search.Filters[0].Query["wildcard"].(map[string]any)["file.path"].(map[string]any)
	if path["value"] != `C:\\Windows\\*` || path["case_insensitive"] != true {
		t.Errorf("a quoted key with dots must stay one key, got %v", path)
	}
	if want := map[string]any{"exists": map[string]any{"field": "old.style"}}; !reflect.DeepEqual(r.Search.Filters[1].Query, want) {
		t.Errorf("got %v, want %v", r.Search.Filters[1].Query, want)
	}
}

// TestExportedRule has what Kibana's exports carry empty.
func TestExportedRule(t *testing.T) {
	empty := map[string]any{"interval": "1m", "from": "now-5m"}
	for _, name := range []string{"exceptions_list", "severity_mapping", "risk_score_mapping", "filters", "actions", "related_integrations"} {
		empty[name] = []any{}
	}
	empty["rule_name_override"], empty["alert_suppression"], empty["data_view_id"] = "", map[string]any{}, ""
	rules, err := rule.Load(ruletest.Write(t, empty))
	if err != nil {
		t.Fatal(err)
	}
	if r := rules[0]; r.Lookback != 5*time.Minute || r.Overlap != 4*time.Minute {
		t.Errorf("it looks back %s, %s more than it runs", r.Lookback, r.Overlap)
	}
	field := map[string]any{"field": "x"}
	for name, value := range map[string]any{
		"severity_mapping":   []map[string]any{{"field": "x", "value": "y", "severity": "huge"}},
		"risk_score_mapping": []map[string]any{{"field": "x", "operator": "greater"}},
	} {
		if _, err := rule.Load(ruletest.Write(t, map[string]any{name: value})); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	rules, err = rule.Load(ruletest.Write(t, map[string]any{"risk_score_mapping": []map[string]any{field}, "rule_name_override": "event.action"}))
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(append(rules[0].Parameters.SummaryFields(), []string{"event", "event.action", "x", "source.geo.country_name", "client.geo.country_name"})...)
	if got := rules[0].Search.Wanted; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLoadFolderPassesOverOtherTypes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.toml", text(t, map[string]any{"rule_id": "r1"}))
	write(t, dir, "below/b.toml", text(t, map[string]any{"rule_id": "r2"}))
	write(t, dir, "eql.toml", text(t, map[string]any{"type": "eql"}))
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
	write(t, filepath.Join(dir, "..2026_11_24"), "r1.toml", text(t, nil))
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
	write(t, dir, "b.toml", text(t, map[string]any{"rule_id": "r1"}))
	write(t, dir, "c.toml", text(t, map[string]any{"rule_id": "r2", "query": "a:("}))
	rules, err := rule.Load(dir)
	if len(rules) != 1 || rules[0].ID != "r1" || err == nil || !strings.Contains(err.Error(), "a.toml") || !strings.Contains(err.Error(), "c.toml") {
		t.Errorf("got %d rules, %v", len(rules), err)
	}
}

func TestLoadErrors(t *testing.T) {
	window := func(value string) map[string]any { return map[string]any{"history_window_start": value} }
	for _, c := range []struct {
		name    string
		changed map[string]any
		text    string // instead of a rule with changed parameters
		want    string
	}{
		{"not TOML", nil, "[rule", "toml"},
		{"no rule table", nil, "[metadata]\n", "no [rule] table"},
		{"another type", map[string]any{"type": "eql"}, "", `type is "eql"`},
		{"another language", map[string]any{"language": "lucene"}, "", "only kuery is supported"},
		{"no id", map[string]any{"rule_id": nil}, "", "rule_id is missing: choose one, such as a UUID, and keep it, because it identifies the rule's alerts"},
		{"an id that is no text", map[string]any{"rule_id": 7}, "", "rule_id: 7 is no text"},
		{"no index", map[string]any{"index": nil}, "", "index is missing"},
		{"no risk score", map[string]any{"risk_score": nil}, "", "risk_score is missing"},
		{"a risk score that is too high", map[string]any{"risk_score": 2100}, "", "risk_score: 2100 is no whole number from 0 to 100"},
		{"a risk score just too high", map[string]any{"risk_score": 101}, "", "risk_score: 101 is no whole number"},
		{"an empty severity", map[string]any{"severity": ""}, "", "severity is missing"},
		{"a negative risk score", map[string]any{"risk_score": -1}, "", "risk_score: -1 is no whole number"},
		{"a fraction of a risk score", map[string]any{"risk_score": 47.5}, "", "risk_score: 47.5 is no whole number"},
		{"a risk score that is text", map[string]any{"risk_score": "47"}, "", `risk_score: "47" is no whole number`},
		{"no severity", map[string]any{"severity": nil}, "", "severity is missing: it is one of low, medium, high, critical"},
		{"another severity", map[string]any{"severity": "lo"}, "", `severity "lo" is none of low, medium, high, critical`},
		{"a severity in capitals", map[string]any{"severity": "High"}, "", `severity "High" is none of`},
		{"no max_signals", map[string]any{"max_signals": 0}, "", "max_signals: 0 is no whole number from 1 up"},
		{"a version that is none", map[string]any{"version": "1"}, "", `version: "1" is no whole number from 1 up`},
		{"tags that are no list", map[string]any{"tags": "Okta"}, "", `tags: "Okta" is no list of texts`},
		{"references of numbers", map[string]any{"references": []int{1}}, "", "references: [1] is no list of texts"},
		{"a threat that is no table", map[string]any{"threat": []string{"T1078"}}, "", "threat: [T1078] is no list of tables"},
		{"exceptions that are no tables", map[string]any{"exceptions_list": []string{"known"}}, "", "exceptions_list: [known] is no list of tables"},
		{"filters that are none", map[string]any{"filters": "a"}, "", `filters: "a" is no list of tables`},
		{"enabled that is no flag", map[string]any{"enabled": "true"}, "", `enabled: "true" is neither true nor false`},
		{"a fallback that is no flag", map[string]any{"timestamp_override_fallback_disabled": "true"}, "", "timestamp_override_fallback_disabled"},
		{"from that is no text", map[string]any{"from": 9}, "", "from: 9 is no text"},
		{"investigation fields that are text", map[string]any{"investigation_fields": "a"}, "", "investigation_fields: \"a\" is no table or list of texts"},
		{"a long value that is no list", map[string]any{"author": strings.Repeat("a", 100)}, "", strings.Repeat("a", 56) + "... is no list of texts"},
		{"no query, and no filters", map[string]any{"query": nil}, "", `query is missing: write "" or * for every event`},
		{"an index without a name", map[string]any{"index": []string{"logs-*", ""}}, "", "index has an empty name"},
		{"history that begins with from", map[string]any{"from": "now-5d"}, "", "history_window_start (now-5d) must be earlier than from, which is 5 days back"},
		{"history that begins after from", map[string]any{"from": "now-6d"}, "", "must be earlier than from"},
		{"history after the from of a rule without", map[string]any{"from": nil, "history_window_start": "now-6m"}, "", "must be earlier than from, which is 6 min back"},
		{"a query that is no KQL", map[string]any{"query": "a:b and (c:d"}, "", "offset 12"},
		{"no new-terms fields", map[string]any{"new_terms_fields": []string{}}, "", "0 new-terms fields"},
		{"four new-terms fields", map[string]any{"new_terms_fields": []string{"a", "b", "c", "d"}}, "", "4 new-terms fields"},
		{"a new-terms field twice", map[string]any{"new_terms_fields": []string{"user.name", "user.name"}}, "", "it has the new-terms field user.name twice"},
		{"an interval that is none", map[string]any{"interval": "often"}, "", `interval: "often" is no whole number from 1 up with s, m, h or d`},
		{"an interval of nothing", map[string]any{"interval": "0m"}, "", `interval: "0m" is no whole number`},
		{"an interval of two units", map[string]any{"interval": "1h30m"}, "", `interval: "1h30m" is no whole number`},
		{"an empty description", map[string]any{"description": " "}, "", "description is empty"},
		{"a reference that is no address", map[string]any{"references": []string{"https://example.com", "ask Ada"}}, "", `references: "ask Ada" is no address`},
		{"a reference of another scheme", map[string]any{"references": []string{"javascript:alert(1)"}}, "", "is no address that begins with https://"},
		{"an integration without a version", map[string]any{"related_integrations": []map[string]any{{"package": "okta"}}}, "", "related_integrations: entry 1 lacks version"},
		{"a required field without a name", map[string]any{"required_fields": []map[string]any{{"name": "a", "type": "keyword"}, {"type": "keyword"}}}, "", "required_fields: entry 2 lacks name"},
		{"a threat without a tactic", map[string]any{"threat": []map[string]any{{"framework": "MITRE ATT&CK"}}}, "", "threat.tactic: entry 1 lacks id"},
		{"a technique without a name", map[string]any{"threat": []map[string]any{{
			"framework": "MITRE ATT&CK", "tactic": map[string]any{"id": "TA0001", "name": "Initial Access", "reference": "https://attack.mitre.org/tactics/TA0001/"},
			"technique": []map[string]any{{"id": "T1078", "reference": "https://attack.mitre.org/techniques/T1078/"}},
		}}}, "", "threat.technique: entry 1 lacks name"},
		{"a mapped risk score that is too high", map[string]any{"risk_score_mapping": []map[string]any{{"field": "x", "operator": "equals", "value": "", "risk_score": 2100}}}, "", "risk_score_mapping: 2100 is no whole number"},
		{"a suppression by four fields", map[string]any{"alert_suppression": map[string]any{"group_by": []string{"a", "b", "c", "d"}}}, "", "alert_suppression.group_by is no list of one to three"},
		{"a suppression for days", map[string]any{"alert_suppression": map[string]any{"group_by": []string{"a"}, "duration": map[string]any{"value": 1, "unit": "d"}}}, "", "alert_suppression.duration"},
		{"a suppression of another strategy", map[string]any{"alert_suppression": map[string]any{"group_by": []string{"a"}, "missing_fields_strategy": "drop"}}, "", `"drop" is neither suppress nor doNotSuppress`},
		{"no field to look at", map[string]any{"investigation_fields": map[string]any{"field_names": []string{}}}, "", "investigation_fields.field_names is no list"},
		{"a list of another namespace", map[string]any{"exceptions_list": []map[string]any{{"list_id": "known", "namespace_type": "all"}}}, "", `the namespace_type "all" is neither single nor agnostic`},
		{"a combined filter of nothing", map[string]any{"filters": []map[string]any{{"meta": map[string]any{"type": "combined"}}}}, "", "a combined filter must have params"},
		{"history that is rounded", window("now-5d/d"), "", `history_window_start: "now-5d/d" is rounded, so its length varies: write now-5d`},
		{"history that is a month", window("now-1M"), "", `history_window_start: "now-1M" has no fixed length: write now-30d`},
		{"history that is a date", window("2026-01-01"), "", `history_window_start: "2026-01-01" is a fixed date: write how far back, such as now-7d`},
		{"history of no length", window("now-0d"), "", "does not reach back in time"},
		{"lookback that is no time", map[string]any{"from": "9 minutes"}, "", "from:"},
		{"a relation that Kibana takes for another", map[string]any{"filters": []map[string]any{{"meta": map[string]any{"type": "combined", "relation": "and", "params": []string{}}}}}, "", "the relation AND or OR"},
		{"negate that is no flag", map[string]any{"filters": []map[string]any{{"meta": map[string]any{"negate": "true"}, "exists": map[string]any{"field": "a"}}}}, "", "meta.negate of a filter is neither true nor false"},
		{"a filter without a query", map[string]any{"filters": []map[string]any{{"meta": map[string]any{}}}}, "", "one query, not 0"},
		{"two queries in a filter", map[string]any{"filters": []map[string]any{
			{"exists": map[string]any{"field": "a"}, "term": map[string]any{"a": 1}},
		}}, "", "one query"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.text == "" {
				c.text = text(t, c.changed)
			}
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
		"the same rule twice": {write(t, t.TempDir(), "a.toml", text(t, nil)), write(t, t.TempDir(), "b.toml", text(t, nil))},
	} {
		var bad *rule.Error
		if _, err := rule.Load(paths...); !errors.As(err, &bad) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
