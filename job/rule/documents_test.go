package rule_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"newterms/job/rule"
)

// numbered is the flat rule with another id and a name of its own.
func numbered(id string) string {
	return strings.NewReplacer(`"r1"`, `"`+id+`"`, `"name":"Rule"`, `"name":"Rule `+id+`"`).Replace(flat) + "}"
}

// TestAnswersOfFind reads what Kibana's _find APIs answer, on one line and on many.
func TestAnswersOfFind(t *testing.T) {
	page := func(total int, data ...string) string {
		return fmt.Sprintf(`{"page":1,"perPage":20,"total":%d,"data":[%s]}`, total, strings.Join(data, ","))
	}
	const list, item = `{"id":"in-a","list_id":"known","name":"Known"}`, `{"list_id":"known","item_id":"i","name":"the VPN","entries":[{"field":"net","type":"exists","operator":"included"}]}`
	eql := strings.Replace(numbered("r2"), `"type":"new_terms"`, `"type":"eql"`, 1)
	for _, c := range []struct {
		name, file, text string
		rules            string // their ids, with their places
		warning          string
	}{
		{"on one line", "all.json", page(2, numbered("r1"), eql), "r1 all.json line 1, data[0]", ""},
		{"on many lines", "all.json", "{\n  \"data\": [\n    " + numbered("r1") + ",\n    null,\n\n    " + numbered("r3") + "\n  ],\n  \"total\": 2,\n  \"page\": 1\n}\n",
			"r1 all.json line 3, data[0] r3 all.json line 6, data[2]", ""},
		{"as a line of many", "all.ndjson", page(2, numbered("r1")) + "\n\n" + page(2, numbered("r3")), "r1 all.ndjson line 1, data[0] r3 all.ndjson line 3, data[0]", ""},
		{"in a list", "all.json", "[\n" + page(1, numbered("r1")) + ",\n\n" + numbered("r3") + "]", "r1 all.json line 2, data[0] r3 all.json line 4", ""},
		{"not all pages", "all.json", "\n" + page(45, numbered("r1"), eql), "r1 all.json line 2, data[0]",
			"rule all.json line 2: it contains 2 of 45 objects: request per_page=45 from Kibana, or add the other pages"},
		{"not all pages of two", "all.ndjson", page(2, numbered("r1")) + "\n" + page(3, numbered("r3"), eql), "r1 all.ndjson line 1, data[0] r3 all.ndjson line 2, data[0]",
			"rule all.ndjson line 1: it contains 1 of 2 objects: request per_page=2 from Kibana, or add the other pages; " +
				"rule all.ndjson line 2: it contains 2 of 3 objects: request per_page=3 from Kibana, or add the other pages"},
		{"with lists and their items", "all.ndjson", page(1, strings.TrimSuffix(numbered("r1"), "}")+","+listed+"}") + "\n" + page(1, list) + "\n" + page(1, item),
			"r1 all.ndjson line 1, data[0] the VPN (list known)", ""},
	} {
		dir := t.TempDir()
		l, err := rule.Read(write(t, dir, c.file, c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got, warnings []string
		for _, r := range l.Rules {
			got = append(got, r.ID, strings.TrimPrefix(r.Source, dir+string(filepath.Separator)))
			for _, e := range r.Exceptions {
				got = append(got, e.Name)
			}
		}
		for _, w := range l.Warnings {
			warnings = append(warnings, strings.ReplaceAll(w.Error(), dir+string(filepath.Separator), ""))
		}
		if strings.Join(got, " ") != c.rules || strings.Join(warnings, "; ") != c.warning {
			t.Errorf("%s: got %s, warnings %v\nwant %s, %s", c.name, strings.Join(got, " "), warnings, c.rules, c.warning)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"a rule that cannot be used": {page(1, strings.Replace(numbered("r1"), `"severity":"low"`, `"severity":"lo"`, 1)), `line 1, data[0]: severity "lo" is none of`},
		"data of no objects":         {page(1, "7"), "data[0]: json: cannot unmarshal number"},
		"no rule":                    {page(0), "it contains no enabled new_terms rule"},
	} {
		if _, err := rule.Read(write(t, t.TempDir(), "all.json", c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// The API tells lists without their items: that is no complete export.
	dir := t.TempDir()
	write(t, dir, "a.ndjson", strings.TrimSuffix(numbered("r1"), "}")+","+strings.Replace(listed, "77", "in-a", 1)+"}\n"+list+"\n"+item)
	write(t, dir, "b.json", page(1, list))
	if l, err := rule.Read(dir); err != nil || len(l.Rules) != 1 || len(l.Rules[0].Exceptions) != 1 {
		t.Errorf("got %+v, %v", l.Rules, err)
	}
}

// TestEncodings has files as other programs save them.
func TestEncodings(t *testing.T) {
	const bom = "\ufeff"
	utf16 := func(text string) string {
		var wide strings.Builder
		for _, r := range text {
			wide.WriteString(string([]byte{byte(r), 0}))
		}
		return wide.String()
	}
	for name, c := range map[string]struct{ text, want string }{
		"bom.toml":        {bom + text(t, nil), ""},
		"bom.json":        {bom + numbered("r1"), ""},
		"bom.ndjson":      {bom + numbered("r1") + "\r\n" + bom + summary + "\r\n", ""},
		"null.ndjson":     {"null\n" + numbered("r1") + "\nnull\n", ""},
		"null.json":       {"[null," + numbered("r1") + ",null]", ""},
		"utf16.json":      {"\xff\xfe" + utf16(numbered("r1")), "it is in UTF-16, or not a text file: save it as UTF-8"},
		"utf16be.toml":    {"\xfe\xff\x00[", "it is in UTF-16"},
		"unmarked.ndjson": {utf16(numbered("r1")), "it is in UTF-16"},
		"latin1.json":     {strings.Replace(numbered("r1"), "a:b", "a:\xfc", 1), "it is not in UTF-8: save it as UTF-8"},
	} {
		rules, err := rule.Load(write(t, t.TempDir(), name, c.text))
		if c.want == "" && (err != nil || len(rules) != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(), name+": "+c.want)) {
			t.Errorf("%s: got %d rules, %v", name, len(rules), err)
		}
	}
}

// TestNullIsAbsence has each key of a rule null, which it may have, and which counts
// as if it were not there.
func TestNullIsAbsence(t *testing.T) {
	nulls := ""
	for _, name := range []string{
		"alert_suppression", "author", "building_block_type", "data_view_id", "exceptions_list", "investigation_fields", "license", "note", "references",
		"rule_name_override", "setup", "tags", "threat", "timeline_id", "timestamp_override", "timestamp_override_fallback_disabled", "to", "version",
		"response_actions", "nobody_knows_it",
	} {
		nulls += fmt.Sprintf(",%q:null", name)
	}
	null := strings.NewReplacer(`"actions":[]`, `"actions":null`, `"severity_mapping":[]`, `"severity_mapping":null`, `"risk_score_mapping":[]`, `"risk_score_mapping":[null]`,
		`"enabled":true`, `"enabled":null`, `"interval":"5m"`, `"interval":null`, `"index":["logs-*"]`, `"index":["logs-*",null]`, `"language":"kuery"`, `"language":null`,
		`"filters":[`, `"filters":[null,`, `"negate":true`, `"negate":true,"alias":null,"disabled":null,"key":null`).Replace(flat) + nulls + "}"
	l, err := rule.Read(write(t, t.TempDir(), "null.json", null))
	if err != nil || len(l.Rules) != 1 || len(l.Warnings) != 0 {
		t.Fatalf("got %v, %v", l.Warnings, err)
	}
	with, err := rule.Load(write(t, t.TempDir(), "r.json", numbered("r1")))
	if err != nil {
		t.Fatal(err)
	}
	hash, err := l.Rules[0].Search.Hash()
	if want, wantErr := with[0].Search.Hash(); err != nil || wantErr != nil || hash != want || l.Rules[0].Overlap != with[0].Overlap {
		t.Errorf("it reads something else: %+v, %v", l.Rules[0], err)
	}
	for key := range l.Rules[0].Parameters {
		if l.Rules[0].Parameters[key] == nil {
			t.Errorf("alerts would carry %s: null", key)
		}
	}
	item := strings.NewReplacer(`,"operator"`, `,"list":null,"operator"`).Replace(
		`{"list_id":"known","item_id":"i","name":null,"namespace_type":null,"expire_time":null,"os_types":null,"entries":[{"field":"a","type":"exists","operator":"included"}]}`)
	rules, err := rule.Load(write(t, t.TempDir(), "e.ndjson", flat+","+listed+"}\n"+item))
	if err != nil || len(rules[0].Exceptions) != 1 || rules[0].Exceptions[0].Name != "i (list known)" {
		t.Errorf("got %+v, %v", rules, err)
	}
}

// TestNullInQueries keeps what Elasticsearch takes for no bound.
func TestNullInQueries(t *testing.T) {
	const filter = `{"meta":{"key":null},"query":{"range":{"a":{"gte":5,"lt":null}}}}`
	combined := `{"meta":{"type":"combined","relation":"AND","params":[null,` + filter + `],"key":null},"query":null}`
	for _, filters := range []string{filter, combined} {
		rules, err := rule.Load(write(t, t.TempDir(), "r.json", numbered("r1")[:strings.Index(numbered("r1"), `"filters"`)]+`"filters":[null,`+filters+`]}`))
		if err != nil || len(rules[0].Search.Filters) != 1 {
			t.Fatalf("got %+v, %v", rules, err)
		}
		one := rules[0].Search.Filters[0]
		if len(one.Of) == 1 {
			one = one.Of[0]
		}
		if got, err := json.Marshal(one.Query); err != nil || string(got) != `{"range":{"a":{"gte":5,"lt":null}}}` || one.Field != "a" || one.Key != "a" {
			t.Errorf("got %s, %+v, %v", got, one, err)
		}
	}
}

// TestRulesOfFiltersOnly have an empty query, or none.
func TestRulesOfFiltersOnly(t *testing.T) {
	for name, content := range map[string]string{
		"empty":        strings.Replace(numbered("r1"), `"query":"a:b"`, `"query":""`, 1),
		"missing":      strings.Replace(numbered("r1"), `"query":"a:b",`, "", 1),
		"null":         strings.Replace(numbered("r1"), `"query":"a:b"`, `"query":null`, 1),
		"no condition": strings.NewReplacer(`"query":"a:b"`, `"query":""`, `"filters":[`, `"filters":[],"meta":[`).Replace(numbered("r1")),
	} {
		rules, err := rule.Load(write(t, t.TempDir(), "r.json", content))
		if err != nil || len(rules) != 1 || rules[0].Search.Query.String() != "" || (len(rules[0].Search.Filters) == 1) == (name == "no condition") {
			t.Errorf("%s: got %+v, %v", name, rules, err)
		}
	}
}
