package access

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestRestricted adds up what entries of roles show of indices, as Elasticsearch does.
func TestRestricted(t *testing.T) {
	const (
		whole     = `{"names": ["logs-*"], "privileges": ["read"]}`
		part      = `{"names": ["logs-*"], "privileges": ["all"], "query": ["{a}", "{b}"]}`
		partOfKey = `{"names": ["logs-*"], "privileges": ["read"], "query": "{a}", "field_security": {"grant": ["*"], "except": ["event.*"]}}`
		metadata  = `{"names": ["logs-*"], "privileges": ["view_index_metadata"]}`
		without   = `{"names": ["logs-*"], "privileges": ["read"], "field_security": [{"grant": ["*"], "except": ["event.*"]}]}`
		only      = `{"names": ["/lo.*/"], "privileges": ["indices:data/read/search"], "field_security": [{"grant": ["event.ing*"]}]}`
		alias     = `{"names": ["okta"], "privileges": ["read"], "query": ["{a}"]}`
		never     = `{"names": ["logs-*"], "privileges": ["read"], "query": null, "field_security": null}`
		index     = ".ds-logs-okta.system-default-2026.03.10-000001"
	)
	for _, c := range []struct{ entries, index, want string }{
		{whole, index, ""},
		{never, index, ""},
		{part, index, "document-level security hides documents of INDEX from this user (it shows those of {a} or {b})"},
		{part, "west:" + index, ""}, // another cluster says
		{part, "filebeat-2026", ""}, // by an alias, it may be
		{part + whole, index, ""},   // shown by one is shown
		{part + metadata, index, "document-level security hides documents of INDEX from this user (it shows those of {a} or {b})"},
		{without, index, "field-level security hides event.ingested of INDEX from this user"},
		{without + whole, index, ""},
		{only, index, "field-level security hides @timestamp, okta.actor.id of INDEX from this user"},
		{only + without, index, ""},
		{partOfKey, index, "document-level security hides documents of INDEX from this user (it shows those of {a}); field-level security hides event.ingested of INDEX from this user"},
		{alias, "west:okta-000001", ""},
		{alias, "okta-000001", "document-level security hides documents of INDEX from this user (it shows those of {a})"},
	} {
		var r Restricted
		if err := json.Unmarshal([]byte("["+strings.ReplaceAll(c.entries, "}{", "},{")+"]"), &r.entries); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range r.of([]string{c.index}, []string{"okta", "logs-*"}, []string{"@timestamp", "event.ingested", "okta.actor.id"}) {
			got = append(got, one.String())
		}
		if want := strings.ReplaceAll(c.want, "INDEX", c.index); strings.Join(got, "; ") != want {
			t.Errorf("%s of %s:\n%s, want\n%s", c.entries, c.index, strings.Join(got, "; "), want)
		}
	}
	r := Restricted{[]roleEntry{{Names: []string{"*"}, Privileges: []string{"read"}, Query: several[string]{"{a}"}}}}
	if got := r.of([]string{"a", "b", "c", "d"}, nil, nil); len(got) != 1 || !strings.Contains(got[0].String(), "of a, b, c and 1 more from") {
		t.Errorf("several indices: %v", got)
	}
}
