package rule_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"newterms/job/rule"
)

// TestRulesThatDoNotRun has files beside a usable rule that would be passed over. Each
// that may be a slip is named in a warning; the others only count.
func TestRulesThatDoNotRun(t *testing.T) {
	another := strings.Replace(flat, `"r1"`, `"r2"`, 1)
	tables := text(t, map[string]any{"rule_id": "r2", "type": "query"})
	for _, c := range []struct{ name, file, content, want, passedOver string }{
		{"a slip in the type", "r.toml", text(t, map[string]any{"rule_id": "r2", "type": "new_term"}), `rule r.toml line 10: the rule does not run, because Kibana has no type "new_term": write "new_terms" if that is meant`, "new_term"},
		{"in an export", "r.ndjson", strings.Replace(another, "new_terms", "New terms", 1) + "}", `r.ndjson line 1: the rule does not run, because Kibana has no type "New terms"`, "New terms"},
		{"a slip in another type", "r.toml", text(t, map[string]any{"rule_id": "r2", "type": "querry"}), `write "query" if that is meant`, "querry"},
		{"nothing like a type", "r.toml", text(t, map[string]any{"rule_id": "r2", "type": "x"}), `no type "x": write "new_terms"`, "x"},
		{"a number", "r.toml", text(t, map[string]any{"rule_id": "r2", "type": 7}), `no type "7"`, "without a type"},
		{"no type", "r.toml", text(t, map[string]any{"rule_id": "r2", "type": nil}), `rule r.toml: the rule does not run, because it has no type`, "without a type"},
		{"another type, and new terms", "r.toml", tables, `its type is "query", although it has new-terms fields`, "query"},
		{"another type", "r.toml", "[rule]\nrule_id = 'r2'\ntype = 'eql'\nquery = 'a where b'\n", "", "eql"},
		{"disabled", "r.json", strings.Replace(another, `"enabled":true`, `"enabled":false`, 1) + "}", "", "disabled"},
		{"a saved object", "r.ndjson", `{"type":"alert","id":"x","attributes":{"alertTypeId":"siem.newTermsRule"}}`, "r.ndjson line 1: the rule does not run, because it was exported as a saved object", "saved object"},
		{"a connector", "r.ndjson", `{"type":"action","id":"x","attributes":{"name":"mail"}}`, "", ""},
		{"a file without an end", "my_rule", tables, "rule my_rule: it looks like a rule and is not read", ""},
		{"YAML", "r.yaml", "rule:\n  rule_id: r2\n", "r.yaml: it looks like a rule", ""},
		{"lines", "r.jsonl", another + "}", "r.jsonl: it looks like a rule", ""},
		{"a value list", "nets", "10.0.0.0/8\nrule_idle\n", "", ""},
		{"a copy of an editor", "r.toml~", tables, "", ""},
		{"one that is put away", "r.toml.disabled", tables, "", ""},
		{"a text about rules", "README.md", tables, "", ""},
		{"a hidden one", ".r", tables, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "fine.json", flat+"}")
			write(t, dir, c.file, c.content)
			l, err := rule.Read(dir)
			if err != nil || len(l.Rules) != 1 {
				t.Fatalf("%d rules, %v", len(l.Rules), err)
			}
			passedOver := map[string]int{}
			if c.passedOver != "" {
				passedOver[c.passedOver] = 1
			}
			if !maps.Equal(l.Skipped, passedOver) {
				t.Errorf("passed over %v, want %v", l.Skipped, passedOver)
			}
			got := ""
			for _, w := range l.Warnings {
				got += strings.Replace(w.Error(), dir+string(filepath.Separator), "", 1) + "\n"
			}
			if !strings.Contains(got, c.want) || (c.want == "") != (got == "") || len(l.Warnings) > 1 {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestNamesInCapitals reads files whose names end in capital letters, and a rule with
// the type alone to tell it from other JSON.
func TestNamesInCapitals(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "A.TOML", text(t, map[string]any{"rule_id": "a"}))
	write(t, dir, "B.Json", flat+"}")
	write(t, dir, "c.json", `{"type":"new_terms","querry":"a:b"}`)
	l, err := rule.Read(dir)
	if len(l.Rules) != 2 || err == nil || !strings.Contains(err.Error(), "c.json: new_terms_fields, or the table") {
		t.Errorf("%d rules, %v", len(l.Rules), err)
	}
}

// TestLinkToAFolder is not followed, and named.
func TestLinkToAFolder(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	write(t, dir, "fine.json", flat+"}")
	write(t, other, "r.toml", text(t, map[string]any{"rule_id": "r2"}))
	if err := os.Symlink(other, filepath.Join(dir, "more")); err != nil {
		t.Fatal(err)
	}
	l, err := rule.Read(dir)
	if err != nil || len(l.Rules) != 1 || len(l.Warnings) != 1 || !strings.HasSuffix(l.Warnings[0].Error(), "more: this link to a folder is not followed: name the folder itself") {
		t.Errorf("%d rules, %v, %v", len(l.Rules), l.Warnings, err)
	}
}
