package rule_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"newterms/job/rule"
)

// exportLine makes the lines of exports.
type exportLine struct{}

// rule has a reference to a list; more are keys of the reference.
func (exportLine) rule(id, more string) string {
	text := strings.Replace(flat, `"r1"`, `"`+id+`"`, 1)
	return text + `,"exceptions_list":[{"list_id":"known","type":"detection"` + more + `}]}`
}

func (exportLine) list(more string) string {
	return `{"list_id":"known","name":"Known","type":"detection"` + more + `}`
}

// item takes a value of the field net.
func (exportLine) item(id, value, more string) string {
	return fmt.Sprintf(`{"list_id":"known","item_id":"%s","name":"item %[1]s","entries":[{"field":"net","type":"match","operator":"included","value":"%s"}]%s}`, id, value, more)
}

// TestListsOfSeveralFiles resolves the lists that the rule r1 names. want are the
// values that its exceptions take, or what its error says, with the files' names.
func TestListsOfSeveralFiles(t *testing.T) {
	var of exportLine
	const agnostic, spaceA, spaceB = `,"namespace_type":"agnostic"`, `,"id":"in-a","namespace_type":"single"`, `,"id":"in-b","namespace_type":"single"`
	updated := func(at string) string { return `,"created_at":"2020-01-01T00:00:00.000Z","updated_at":"` + at + `"` }
	const january, march = "2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"
	netsOf := func(id string) string {
		return `{"list_id":"known","item_id":"` + id + `","name":"nets","entries":[{"field":"net","type":"list","operator":"included","list":{"id":"nets.txt","type":"keyword"}}]}`
	}
	for _, c := range []struct {
		name  string
		files map[string][]string // lines by name
		want  string
	}{
		{"exports of two spaces keep their lists apart", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.rule("r2", spaceB), of.list(spaceB), of.item("i", "lab", "")},
		}, "vpn"},
		{"without ids each rule has the list of its own file", map[string][]string{
			"a.ndjson": {of.rule("r2", ""), of.list(""), of.item("i", "lab", "")},
			"b.ndjson": {of.rule("r1", ""), of.list(""), of.item("i", "vpn", "")},
		}, "vpn"},
		{"an id goes before the own file", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceB), of.list(spaceA), of.item("i", "lab", "")},
			"b.ndjson": {of.list(spaceB), of.item("i", "vpn", "")},
		}, "vpn"},
		{"an id that no list has does not", map[string][]string{
			"a.ndjson": {of.rule("r1", `,"id":"elsewhere"`), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(spaceB), of.item("i", "lab", "")},
		}, "vpn"},
		{"a single list and an agnostic one of one id", map[string][]string{
			"a.ndjson": {of.rule("r1", ""), of.list(agnostic), of.item("i", "lab", agnostic), of.list(""), of.item("i", "vpn", "")},
		}, "vpn"},
		{"the agnostic one", map[string][]string{
			"a.ndjson": {of.rule("r1", agnostic), of.list(agnostic), of.item("i", "lab", agnostic), of.list(""), of.item("i", "vpn", "")},
		}, "lab"},
		{"items that name no namespace belong to the list of their file", map[string][]string{
			"a.ndjson": {of.rule("r1", agnostic), of.item("i", "lab", ""), of.list(agnostic), of.item("k", "vpn", agnostic)},
			"b.ndjson": {of.item("n", "x", "")},
		}, "lab vpn"},
		{"items that name another do not", map[string][]string{
			"a.ndjson": {of.rule("r1", agnostic), of.item("i", "lab", `,"namespace_type":"single"`), of.list(agnostic), of.item("k", "vpn", agnostic)},
		}, "vpn"},
		{"only the other namespace", map[string][]string{"a.ndjson": {of.rule("r1", ""), of.list(agnostic)}},
			`exceptions_list names "known" with the namespace_type single, but a.ndjson has it with agnostic`},
		{"one list elsewhere, of another space", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceB)}, "b.ndjson": {of.list(spaceA), of.item("i", "vpn", "")},
		}, "vpn"},
		{"two lists elsewhere", map[string][]string{
			"a.ndjson": {of.rule("r1", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "lab", "")}, "c.ndjson": {of.list(spaceB), of.item("i", "vpn", "")},
		}, `exception list "known" (single): b.ndjson line 1 and c.ndjson line 1 contain two different lists of that name`},
		{"two lists elsewhere that say the same", map[string][]string{
			"a.ndjson": {of.rule("r1", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", ""), of.item("k", "lab", "")},
			"c.ndjson": {of.list(spaceB), of.item("n", "lab", ""), of.item("i", "vpn", "")},
		}, "lab vpn"},
		{"two lists elsewhere, one of which has more", map[string][]string{
			"a.ndjson": {of.rule("r1", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", "")},
			"c.ndjson": {of.list(spaceB), of.item("i", "vpn", ""), of.item("n", "lab", "")},
		}, `contain two different lists of that name`},
		{"two lists elsewhere that expire at other times", map[string][]string{
			"a.ndjson": {of.rule("r1", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", `,"expire_time":"2099-01-01T00:00:00Z"`)},
			"c.ndjson": {of.list(spaceB), of.item("i", "vpn", "")},
		}, `contain two different lists of that name`},
		{"two lists elsewhere of other operating systems", map[string][]string{
			"a.ndjson": {of.rule("r1", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", `,"os_types":["linux"]`)},
			"c.ndjson": {of.list(spaceB), of.item("i", "vpn", "")},
		}, `contain two different lists of that name`},
		{"two lists elsewhere, one of which cannot be read", map[string][]string{
			"a.ndjson": {of.rule("r1", "")},
			"b.ndjson": {of.list(spaceA)},
			"c.ndjson": {of.list(spaceB), of.item("i", "vpn", `,"expire_time":"soon"`)},
		}, `contain two different lists of that name`},
		{"two lists in one file", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", ""), of.list(spaceB)},
		}, `a.ndjson line 2 and a.ndjson line 4 are two lists of that name in one file`},
		{"the newest edition counts", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "lab", updated(january))},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", updated(march))},
		}, "vpn"},
		{"by when it was made if it was not changed", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", `,"created_at":"`+march+`"`)},
			"b.ndjson": {of.list(spaceA), of.item("i", "lab", `,"created_at":"`+january+`"`)},
		}, "vpn"},
		{"editions of the same time", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "lab", updated(march))},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", updated(march))},
		}, `its item "item i" differs between a.ndjson line 3 and b.ndjson line 2, and neither shows that it is newer`},
		{"an edition without a time", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "lab", updated(march))},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", "")},
		}, `neither shows that it is newer`},
		{"an older edition that says the same, without a time", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", updated(march)), of.item("i", "lab", updated(january))},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", `,"comments":[]`)},
		}, "vpn"},
		{"equal editions count once", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", `,"os_types":[],"_version":"WzEsMV0="`)},
		}, "vpn"},
		{"an operating system is an edition", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", `,"os_types":["linux"]`)},
		}, `neither shows that it is newer`},
		{"ids of entries are none", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(spaceA), strings.Replace(of.item("i", "vpn", ""), `{"field"`, `{"id":"e1","field"`, 1)},
		}, "vpn"},
		{"an expiry is an edition", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", `,"expire_time":"2099-01-01T00:00:00Z"`)},
		}, `neither shows that it is newer`},
		{"an item that one of two exports lacks", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", ""), of.item("k", "lab", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", "")},
		}, `its item "item k" is in a.ndjson line 4 but not in the export at b.ndjson line 1, and may have been deleted: remove the older export`},
		{"a file of items only adds to a list", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.item("k", "lab", "")},
		}, "lab vpn"},
		{"it may be the rule's own", map[string][]string{
			"a.ndjson": {of.rule("r1", ""), of.item("k", "lab", "")},
			"b.ndjson": {of.list(spaceA), of.item("i", "vpn", "")},
		}, "lab vpn"},
		{"items only, in two files", map[string][]string{
			"a.ndjson": {of.rule("r1", ""), of.item("k", "lab", "")},
			"b.ndjson": {of.item("k", "lab", ""), of.item("i", "vpn", "")},
		}, "lab vpn"},
		{"items of nobody knows which list", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(spaceB), of.item("i", "lab", "")}, "c.ndjson": {of.item("k", "x", "")},
		}, `the item of c.ndjson line 1 may belong to any of them`},
		{"lists that the rule does not name may be what they like", map[string][]string{
			"a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), of.item("i", "vpn", "")},
			"b.ndjson": {of.list(agnostic), of.item("i", "x", agnostic)}, "c.ndjson": {of.list(agnostic), of.item("i", "y", agnostic)},
		}, "vpn"},
		{"a value list beside one of two equal editions", map[string][]string{
			"x/a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), netsOf("i")},
			"y/b.ndjson": {of.list(spaceA), netsOf("i")}, "y/nets.txt": {"vpn"},
		}, "vpn"},
		{"value lists that differ", map[string][]string{
			"x/a.ndjson": {of.rule("r1", spaceA), of.list(spaceA), netsOf("i")}, "x/nets.txt": {"lab"},
			"y/b.ndjson": {of.list(spaceA), netsOf("i")}, "y/nets.txt": {"vpn"},
		}, `its item "nets" differs between x/a.ndjson line 3 and y/b.ndjson line 2, because of the value lists beside them`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, lines := range c.files {
				write(t, dir, name, strings.Join(lines, "\n")+"\n")
			}
			l, err := rule.Read(dir)
			at := slices.IndexFunc(l.Rules, func(r rule.Rule) bool { return r.ID == "r1" })
			if at < 0 {
				if got := strings.ReplaceAll(fmt.Sprint(err), dir+string(filepath.Separator), ""); !strings.Contains(got, c.want) {
					t.Errorf("got %s\nwant %s", got, c.want)
				}
				return
			}
			var got []string
			for _, e := range l.Rules[at].Exceptions {
				got = append(got, e.Entries[0].Values...)
			}
			slices.Sort(got)
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("got %v, %v, want %s", got, err, c.want)
			}
		})
	}
}

// TestListsOfTOML tells the lines of items that detection-rules' tools write.
func TestListsOfTOML(t *testing.T) {
	dir := t.TempDir()
	list := func(value string) string {
		return "[[exceptions]]\n[exceptions.container]\nlist_id = \"known\"\nname = \"Known\"\nid = \"in-a\"\n[[exceptions.items]]\nlist_id = \"known\"\nitem_id = \"i\"\n" +
			"expire_time = 2099-01-01T00:00:00Z\n[[exceptions.items.entries]]\nfield = \"net\"\ntype = \"match\"\noperator = \"included\"\nvalue = \"" + value + "\"\n"
	}
	write(t, dir, "rule.toml", text(t, map[string]any{"exceptions_list": []map[string]any{{"list_id": "known"}}}))
	write(t, dir, "a.toml", list("vpn"))
	l, err := rule.Read(dir)
	if err != nil || len(l.Rules) != 1 || len(l.Rules[0].Exceptions) != 1 || l.Rules[0].Exceptions[0].Expires.Year() != 2099 {
		t.Fatalf("got %+v, %v", l.Rules, err)
	}
	write(t, dir, "b.toml", strings.Replace(list("lab"), "item_id", "updated_at = 2026-03-01T00:00:00Z\nitem_id", 1))
	write(t, dir, "a.toml", strings.Replace(list("vpn"), "item_id", "updated_at = 2026-01-01T00:00:00Z\nitem_id", 1))
	if l, err := rule.Read(dir); err != nil || len(l.Rules) != 1 || l.Rules[0].Exceptions[0].Entries[0].Values[0] != "lab" {
		t.Errorf("got %+v, %v", l.Rules, err)
	}
	write(t, dir, "a.toml", list("vpn"))
	write(t, dir, "b.toml", list("lab"))
	if _, err := rule.Read(dir); err == nil || !strings.Contains(err.Error(), `its item "i" differs between `+filepath.Join(dir, "a.toml")+` line 8 and `+filepath.Join(dir, "b.toml")+" line 8") {
		t.Errorf("got %v", err)
	}
}
