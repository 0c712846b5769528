package rule_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"newterms/job/rule"
)

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	const kindUnknown = "the key %s is unknown and has no effect: look for a typing error"
	inTOML := strings.Replace(text(t, nil), "[rule]\n", "[rule]\nnote = '''\ntimestamp_overide = 1\n'''\ntimestamp_overide = \"event.ingested\"\n", 1)
	of := func(member string) string { return strings.Replace(flat, `"actions":[],`, "", 1) + "," + member + "}" }
	for name, c := range map[string]struct {
		content string
		want    rule.Warning
	}{
		"a.toml":   {inTOML, rule.Warning{Line: 5, Key: "timestamp_overide", Text: fmt.Sprintf(kindUnknown, "timestamp_overide")}},
		"b.json":   {strings.Replace(flat, `"query":`, "\n\"qeury\":1,\n\"query\":", 1) + "}", rule.Warning{Line: 2, Key: "qeury", Text: fmt.Sprintf(kindUnknown, "qeury")}},
		"c.ndjson": {summary + "\n" + flat + `,"indx":[]}`, rule.Warning{Line: 2, Key: "indx", Text: fmt.Sprintf(kindUnknown, "indx")}},
		"d.json":   {of("\n" + `"to":"now-1m"`), rule.Warning{Line: 2, Key: "to", Text: `to is "now-1m" and has no effect: a scheduled run ends now`}},
		"e.json":   {of(`"actions":[{"id":"c1"}]`), rule.Warning{Line: 1, Key: "actions", Text: "actions have no effect: newterms setup --notify makes the Kibana rules that notify"}},
		"f.json": {of(`"response_actions":[{"action_type_id":".endpoint"}]`), rule.Warning{Line: 1, Key: "response_actions",
			Text: "response_actions have no effect: newterms responds to nothing, and newterms setup --notify makes the Kibana rules that notify"}},
		"g.json": {of(`"alert_suppression":{"group_by":["a"]}`), rule.Warning{Line: 1, Key: "alert_suppression", Text: "alert_suppression has no effect: each pair has an alert of its own"}},
		"h.json": {of(`"data_view_id":"x"`), rule.Warning{Line: 1, Key: "data_view_id", Text: "data_view_id has no effect: index names the indices"}},
	} {
		path := write(t, dir, name, c.content)
		c.want.Path = path
		l, err := rule.Read(path)
		if err != nil || len(l.Warnings) != 1 || *l.Warnings[0] != c.want || len(l.Rules) != 1 || !reflect.DeepEqual(l.Rules[0].Warnings, l.Warnings) {
			t.Errorf("%s: got %v, %v", name, l.Warnings, err)
		}
	}
	// A rule that cannot be used warns all the same; one without anything does not.
	l, err := rule.Read(write(t, dir, "i.json", of(`"to":"now-1m","rule_name":"x","max_signals":0`)))
	if err == nil || len(l.Rules) != 0 || len(l.Warnings) != 2 || !strings.HasPrefix(l.Warnings[0].Error(), "rule "+filepath.Join(dir, "i.json")+" line 1: the key rule_name is") {
		t.Errorf("got %v, %v", l.Warnings, err)
	}
	l, err = rule.Read(write(t, dir, "j.json", of(`"to":"now","response_actions":[],"alert_suppression":{},"data_view_id":""`)))
	if err != nil || len(l.Warnings) != 0 {
		t.Errorf("got %v, %v", l.Warnings, err)
	}
	if builtin, err := rule.Builtin(); err != nil || len(builtin.Warnings) != 0 {
		t.Errorf("got %v, %v", builtin.Warnings, err)
	}
}

// TestDataViews has rules whose indices the settings may name.
func TestDataViews(t *testing.T) {
	of := func(member string) string {
		return strings.Replace(flat, `"index":["logs-*"],`, "", 1) + "," + member + "}"
	}
	for _, c := range []struct {
		name, rule string
		setting    []string
		want       string // the indices, and the warning or error
	}{
		{"the rule's own", flat + "}", nil, "[logs-*]  "},
		{"the settings'", flat + "}", []string{"a", "b"}, "[a b]  "},
		{"a data view and indices", flat + `,"data_view_id":"x"}`, nil, "[logs-*]  "},
		{"a data view and the settings'", of(`"data_view_id":"x"`), []string{"a"}, "[a] data_view_id has no effect: NEWTERMS_INDEX names the indices "},
		{"a data view with no indices and the settings'", of(`"index":[],"data_view_id":"x"`), []string{"a"}, "[a] data_view_id has no effect: NEWTERMS_INDEX names the indices "},
		{"a data view alone", of(`"data_view_id":"x"`), nil, "[]  it has a data_view_id, which newterms does not read, and no index: write the index patterns of the data view into index, or set NEWTERMS_INDEX"},
	} {
		path := write(t, t.TempDir(), "r.json", c.rule)
		rules, err := rule.Load(path)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_, warning, err := rules[0].Apply(rule.Settings{Indices: c.setting}, time.Time{})
		var bad *rule.Error
		told, refused := "", ""
		if warning != nil {
			told = warning.Text
			if warning.Path != path || warning.Line != 1 || warning.Key != "data_view_id" {
				t.Errorf("%s: got %+v", c.name, warning)
			}
		}
		if errors.As(err, &bad) && bad.Path == path {
			refused = bad.Err.Error()
		}
		if got := fmt.Sprint(rules[0].Search.Indices, " ", told, " ", refused); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}
