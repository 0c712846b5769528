package rule_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"newterms/job/rule"
)

// flat is a rule of Kibana's API with what exports carry besides.
const flat = `{"id":"8d2c","updated_at":"2026-02-01T00:00:00.000Z","created_by":"ada","revision":3,"immutable":false,"enabled":true,` +
	`"rule_source":{"type":"internal"},"actions":[],"severity_mapping":[],"risk_score_mapping":[],"related_integrations":[],"required_fields":[],` +
	`"meta":{"from":"1m"},"max_signals":100,"output_index":"","outcome":"exactMatch","throttle":"no_actions","namespace":"",` +
	`"rule_id":"r1","name":"Rule","type":"new_terms","language":"kuery","severity":"low","risk_score":21,"index":["logs-*"],"from":"now-9m",` +
	`"interval":"5m","query":"a:b","new_terms_fields":["user.name"],"history_window_start":"now-5d","filters":[{"meta":{"negate":true},"query":{"term":{"n":{"value":3}}}}]`

const listed = `"exceptions_list":[{"id":"77","list_id":"known","type":"detection","namespace_type":"single"}]`

const summary = `{"exported_count":3,"exported_rules_count":1,"missing_rules":[],"exported_exception_list_count":1,"exported_exception_list_item_count":1}`

func TestExportDoesAsItsTOML(t *testing.T) {
	inTOML := text(t, map[string]any{
		"rule_id": "r1", "name": "Rule", "interval": "5m", "filters": []map[string]any{
			{"meta": map[string]any{"negate": true}, "query": map[string]any{"term": map[string]any{"n": map[string]any{"value": 3}}}},
		},
	})
	dir := t.TempDir()
	var hashes []string
	for name, content := range map[string]string{
		"rule.toml": inTOML, "rule.json": flat + "}", "list.json": "[\n " + flat + "}\n]", "export.ndjson": flat + "}\n" + summary + "\n",
		"flat.toml": "[rule]\nrule_id = \"r1\"\nname = \"Rule\"\ntype = \"new_terms\"\nseverity = \"low\"\nrisk_score = 21\nindex = [\"logs-*\"]\n" +
			"from = \"now-9m\"\ninterval = \"5m\"\nquery = \"a:b\"\nnew_terms_fields = [\"user.name\"]\nhistory_window_start = \"now-5d\"\nexceptions_list = []\n" +
			"[[rule.filters]]\n[rule.filters.meta]\nnegate = true\n[rule.filters.query.term.n]\nvalue = 3\n",
	} {
		l, err := rule.Read(write(t, dir, name, content))
		if err != nil || len(l.Rules) != 1 || len(l.Warnings) > 0 || len(l.Skipped) > 0 {
			t.Fatalf("%s: got %d rules, %v, %v, %v", name, len(l.Rules), l.Warnings, l.Skipped, err)
		}
		r := l.Rules[0]
		hash, err := r.Search.Hash()
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
		if r.History != 120*time.Hour || r.Lookback != 9*time.Minute || r.Overlap != 4*time.Minute || r.Parameters["risk_score"] != int64(21) {
			t.Errorf("%s: got %+v", name, r)
		}
		for _, key := range []string{"id", "updated_at", "actions", "enabled", "revision"} {
			if _, ok := r.Parameters[key]; ok {
				t.Errorf("%s: alerts would carry %s", name, key)
			}
		}
	}
	for _, hash := range hashes {
		if hash != hashes[0] {
			t.Errorf("they read other things: %v", hashes)
		}
	}
}

func TestExportWithExceptions(t *testing.T) {
	export := strings.Join([]string{
		flat + "," + listed + "}",
		strings.NewReplacer(`"r1"`, `"r2"`, `"new_terms"`, `"eql"`).Replace(flat) + "}",
		strings.NewReplacer(`"r1"`, `"r3"`, `"enabled":true`, `"enabled":false`).Replace(flat) + "}",
		`{"list_id":"known","name":"Known","type":"detection","namespace_type":"single","_version":"WzEsMV0="}`,
		`{"list_id":"known","item_id":"i1","name":"the VPN","type":"simple","os_types":[],"comments":[],"entries":[{"field":"net","type":"match","operator":"included","value":"vpn"}]}`,
		`{"list_id":"known","item_id":"i2","name":"last year","type":"simple","expire_time":"2025-12-31T00:00:00.000Z","entries":[{"field":"net","type":"exists","operator":"included"}]}`,
		`{"attributes":{"actionTypeId":".email","name":"mail"},"id":"c1","type":"action"}`,
		summary,
	}, "\n")
	dir := t.TempDir()
	path := write(t, dir, "export.ndjson", export)
	l, err := rule.Read(path)
	if err != nil || len(l.Rules) != 1 || !maps.Equal(l.Skipped, map[string]int{"eql": 1, "disabled": 1}) {
		t.Fatalf("got %d rules, %v, %v", len(l.Rules), l.Skipped, err)
	}
	hold, expired := l.Rules[0].ExceptionsAt(time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC))
	if len(hold) != 1 || hold[0].Name != "the VPN (list known)" || len(expired) != 1 || expired[0].Name != "last year (list known)" {
		t.Errorf("got %+v, expired %+v", hold, expired)
	}
	if l.Rules[0].Source != path+" line 1" {
		t.Errorf("it is of %s", l.Rules[0].Source)
	}
	// A rule in TOML beside it has the same list, and both files together each item once.
	other := write(t, t.TempDir(), "r.toml", text(t, map[string]any{"rule_id": "r9", "exceptions_list": []map[string]any{{"list_id": "known"}}}))
	again := write(t, t.TempDir(), "again.ndjson", export)
	both, err := rule.Read(other, path, again)
	if len(both.Rules) != 2 || !reflect.DeepEqual(both.Rules[0].Exceptions, l.Rules[0].Exceptions) || err == nil || !strings.Contains(err.Error(), "its rule_id r1 is also that of") {
		t.Errorf("got %d rules, %v", len(both.Rules), err)
	}
}

// TestExceptionErrors has rules that must not run without their exceptions.
func TestExceptionErrors(t *testing.T) {
	item := func(entry string, more ...string) string {
		return fmt.Sprintf(`{"list_id":"known","item_id":"i","name":"item","entries":[%s]%s}`, entry, strings.Join(more, ""))
	}
	valueList := func(file, kind string) string {
		return item(fmt.Sprintf(`{"field":"a","type":"list","operator":"included","list":{"id":"%s","type":"%s"}}`, file, kind))
	}
	for _, c := range []struct{ name, item, want string }{
		{"no list", "", `exceptions_list names "known", which is in none of the files`},
		{"no entries", item(""), "entries is empty"},
		{"another type", item(`{"field":"a","type":"fuzzy","operator":"included","value":"x"}`), `the type "fuzzy" is none of`},
		{"no operator", item(`{"field":"a","type":"match","value":"x"}`), `the operator "" is neither included nor excluded`},
		{"another operator", item(`{"field":"a","type":"match","operator":"includes","value":"x"}`), `the operator "includes" is neither included nor excluded`},
		{"no field", item(`{"type":"match","operator":"included","value":"x"}`), "field is missing"},
		{"no value", item(`{"field":"a","type":"match","operator":"included"}`), "value is no text"},
		{"an empty value", item(`{"field":"a","type":"match","operator":"included","value":""}`), "value is no text"},
		{"an empty pattern", item(`{"field":"a","type":"wildcard","operator":"included","value":""}`), "value is no text"},
		{"a nested entry that is excluded", item(`{"field":"a","type":"nested","operator":"excluded","entries":[{"field":"b","type":"exists","operator":"included"}]}`), "a nested entry has no operator: its own entries have"},
		{"a nested entry in another", item(`{"field":"a","type":"nested","entries":[{"field":"b","type":"nested","entries":[{"field":"c","type":"exists","operator":"included"}]}]}`), `the type "nested" is none of`},
		{"no values", item(`{"field":"a","type":"match_any","operator":"included","value":[]}`), "value is no list of texts"},
		{"a key that nobody knows", item(`{"field":"a","type":"exists","operator":"included","case":"x"}`), "the key case is unknown"},
		{"a list in a nested entry", item(`{"field":"a","type":"nested","entries":[{"field":"b","type":"list","operator":"included","list":{"id":"x"}}]}`), `the type "list" is none of`},
		{"an expiry that is no time", item(`{"field":"a","type":"exists","operator":"included"}`, `,"expire_time":"soon"`), `expire_time: "soon" is no time`},
		{"an operating system that nobody knows", item(`{"field":"a","type":"exists","operator":"included"}`, `,"os_types":["linux","beos"]`), "os_types: [linux beos] is no list of linux, macos, windows"},
		{"an operating system that is no list", item(`{"field":"a","type":"exists","operator":"included"}`, `,"os_types":"linux"`), `os_types: "linux" is no list of`},
		{"a value list in another encoding", valueList("latin1", "keyword"), "latin1: it is not in UTF-8"},
		{"a value list in UTF-16", valueList("utf16", "keyword"), "utf16: it is in UTF-16"},
		{"a value list that is not there", item(`{"field":"a","type":"list","operator":"included","list":{"id":"nets.txt","type":"keyword"}}`), `the values of the value list "nets.txt" are missing`},
		{"a value list elsewhere", item(`{"field":"a","type":"list","operator":"included","list":{"id":"../../etc/hosts","type":"keyword"}}`), "cannot be a file name"},
		{"a value list in a folder below", valueList("below/nets", "keyword"), "cannot be a file name"},
		{"a value list with a typing error", item(`{"field":"a","type":"list","operator":"included","list":{"id":"ips.txt","type":"ip"}}`), `ips.txt line 3: "10.0.0" is neither an IP address nor a network`},
		{"a value list with half a range", item(`{"field":"a","type":"list","operator":"included","list":{"id":"ranges.txt","type":"ip_range"}}`), `ranges.txt line 1: "10.0.0.1-" is no range of IP addresses`},
		{"a range that ends before it begins", valueList("reversed", "ip_range"), `reversed line 2: the range "10.0.0.9-10.0.0.1" ends before it begins`},
		{"a range of both families", valueList("mixed", "ip_range"), `mixed line 1: the range "10.0.0.1 - 2001:db8::1" mixes an IPv4 and an IPv6 address`},
		{"a range in a list of addresses", valueList("ranges", "ip"), `ranges line 1: "10.0.0.1-10.0.0.9" is neither an IP address nor a network, and the list is of the type ip`},
		{"no address in a list of ranges", valueList("words", "ip_range"), `words line 1: "lab" is neither an IP address nor a network nor a range (192.0.2.1-192.0.2.9), and the list is of the type ip_range`},
		{"an address with a zone", valueList("zone", "ip"), `zone line 1: "fe80::1%eth0" is neither`},
		{"a directive that is none", valueList("directive", "keyword"), `directive line 2: "#newterms: ignorecase" is no directive: the only one is #newterms: ignore-case`},
		{"a directive that is none, of addresses", valueList("other", "ip"), `other line 1: "# NewTerms: ignore-case, please" is no directive`},
		{"the directive as it once was", valueList("former", "keyword"), `former line 1: "#ignore-case" would be a value: to ignore letter case, write #newterms: ignore-case`},
		{"a value too long to ignore its case", valueList("long", "keyword"), "long line 3: it is too long to ignore its letter case"},
		{"an empty value list", item(`{"field":"a","type":"list","operator":"included","list":{"id":"empty.txt","type":"ip"}}`), "empty.txt is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "ips.txt", "10.0.0.0/8\n# a comment\n10.0.0\n")
			write(t, dir, "ranges.txt", "10.0.0.1-\n")
			write(t, dir, "empty.txt", "# nothing yet\n")
			for name, text := range map[string]string{
				"reversed": "10.0.0.1-10.0.0.1\n10.0.0.9-10.0.0.1", "mixed": "10.0.0.1 - 2001:db8::1", "ranges": "10.0.0.1-10.0.0.9", "words": "lab",
				"zone": "fe80::1%eth0", "directive": "lab\n#newterms: ignorecase", "other": "# NewTerms: ignore-case, please\n10.0.0.1", "former": "#ignore-case\nlab",
				"below/nets": "lab", "latin1": "Z\xfcrich", "utf16": "\xff\xfea\x00", "long": "a\n#newterms: ignore-case\n" + strings.Repeat("\u00fc", 300),
			} {
				write(t, dir, name, text)
			}
			path := write(t, dir, "export.ndjson", flat+","+listed+"}\n"+c.item+"\n")
			rules, err := rule.Load(path)
			var bad *rule.Error
			if len(rules) != 0 || !errors.As(err, &bad) || bad.Path != path+" line 1" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d rules, %v, want %q", len(rules), err, c.want)
			}
		})
	}
}

// TestValueLists reads the values and ranges of text files.
func TestValueLists(t *testing.T) {
	for _, c := range []struct{ name, kind, text, want string }{
		{"a # begins a value", "keyword", "#1 printer\n# ours\n lab \n\n", `["#1 printer" "# ours" "lab"] [] false`},
		{"and of text too", "text", "#a", `["#a"] [] false`},
		{"the directive", "keyword", "lab\r\n#newterms: ignore-case\r\n#newtermsx: y", `["lab" "#newtermsx: y"] [] true`},
		{"the directive before a long value of ASCII", "keyword", "#newterms: ignore-case\n" + strings.Repeat("a", 2000), `["` + strings.Repeat("a", 2000) + `"] [] true`},
		{"a byte order mark", "keyword", "\ufefflab\nvpn", `["lab" "vpn"] [] false`},
		{"comments among addresses", "ip", "# ours\n10.0.0.0/8\n#ignore-case\n192.0.2.1", `["10.0.0.0/8" "192.0.2.1"] [] false`},
		{"ranges", "ip_range", "# ours\n10.0.0.1-10.0.0.9\n2001:db8::1 - 2001:db8::ff\n::ffff:10.0.0.1-10.0.0.1\n192.0.2.0/24\n192.0.2.9",
			`["192.0.2.0/24" "192.0.2.9"] [["10.0.0.1" "10.0.0.9"] ["2001:db8::1" "2001:db8::ff"] ["::ffff:10.0.0.1" "10.0.0.1"]] false`},
		{"nothing but ranges", "ip_range", "10.0.0.1-10.0.0.9", `[] [["10.0.0.1" "10.0.0.9"]] false`},
	} {
		dir := t.TempDir()
		write(t, dir, "values.txt", c.text)
		path := write(t, dir, "export.ndjson", flat+","+listed+"}\n"+fmt.Sprintf(
			`{"list_id":"known","item_id":"i","entries":[{"field":"a","type":"list","operator":"included","list":{"id":"values","type":"%s"}}]}`, c.kind))
		rules, err := rule.Load(path)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		e := rules[0].Exceptions[0].Entries[0]
		if got := fmt.Sprintf("%q %q %t", e.Values, e.Ranges, e.IgnoreCase); got != c.want || e.List != "values ("+c.kind+")" || e.Addresses != strings.HasPrefix(c.kind, "ip") {
			t.Errorf("%s: got %s of %+v, want %s", c.name, got, e, c.want)
		}
	}
}

func TestOtherFilesOfAFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "package.json", `{"name":"not a rule"}`)
	write(t, dir, "rules/a.ndjson", flat+"}\nnot JSON\n")
	write(t, dir, "rules/exceptions.toml", "[metadata]\nlist_name = \"x\"\n[[exceptions]]\n[exceptions.container]\nlist_id = \"known\"\nname = \"Known\"\n"+
		"[[exceptions.items]]\nlist_id = \"known\"\nname = \"item\"\n[[exceptions.items.entries]]\nfield = \"a\"\ntype = \"exists\"\noperator = \"included\"\n")
	write(t, dir, "rules/b.toml", text(t, map[string]any{"rule_id": "b", "exceptions_list": []map[string]any{{"list_id": "known"}}}))
	l, err := rule.Read(dir)
	if len(l.Rules) != 2 || len(l.Rules[1].Exceptions) != 1 || l.Skipped["no rule"] != 1 || err == nil || !strings.Contains(err.Error(), filepath.Join("rules", "a.ndjson")+" line 2") {
		t.Errorf("got %d rules, %v, %v", len(l.Rules), l.Skipped, err)
	}
}
