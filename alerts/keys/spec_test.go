package keys_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"newterms/alerts/keys"
)

func spec(use keys.Use, sources ...string) keys.Spec {
	return keys.Spec{Use: use, Name: "newterms-" + string(use), Sources: sources, AlertsTarget: "alerts", RunsTarget: "runs", OfKibana: []string{"k-alerts", "k-log"}, Space: "sec"}
}

// roleOf is the only role of the body that makes a key, as JSON has it.
func roleOf(t *testing.T, s keys.Spec) map[string]any {
	t.Helper()
	text, err := json.Marshal(s.Body())
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Roles map[string]map[string]any `json:"role_descriptors"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Roles) != 1 {
		t.Fatalf("want one role: %s", text)
	}
	return body.Roles["newterms_"+string(s.Use)]
}

// TestRoles holds that each key has what deploy/README.md says, and nothing else.
func TestRoles(t *testing.T) {
	readme, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[keys.Use]struct{ may, role string }{
		keys.Run: {"read the events; read, create documents in and make the two targets. It can change or delete nothing", `{"cluster": [], "indices": [
			{"names": ["logs-*"], "privileges": ["read"]},
			{"names": ["alerts", "runs"], "privileges": ["read", "create_doc", "auto_configure"]}]}`},
		keys.Setup: {"manage index templates, create the two targets and change their mappings, and import saved objects", `{"cluster": ["manage_index_templates"], "indices": [
			{"names": ["alerts", "runs"], "privileges": ["manage"]}],
			"applications": [{"application": "kibana-.kibana", "privileges": ["feature_savedObjectsManagement.all"], "resources": ["space:sec"]}]}`},
		keys.Close: {"read alerts and change them", `{"cluster": [], "indices": [{"names": ["alerts"], "privileges": ["read", "index"]}]}`},
		keys.Notify: {"read the two targets, and in Kibana's space make rules and use connectors", `{"cluster": [], "indices": [
			{"names": ["alerts", "runs"], "privileges": ["read"]}],
			"applications": [{"application": "kibana-.kibana", "privileges": ["feature_stackAlerts.all", "feature_actions.read"], "resources": ["space:sec"]}]}`},
		keys.Compare: {"read the events, the two targets, and Kibana's alerts and event log", `{"cluster": [], "indices": [
			{"names": ["logs-*"], "privileges": ["read"]},
			{"names": ["alerts", "runs"], "privileges": ["read"]},
			{"names": ["k-alerts", "k-log"], "privileges": ["read"]}]}`},
	}
	for _, use := range keys.Uses() {
		var want map[string]any
		if err := json.Unmarshal([]byte(wanted[use].role), &want); err != nil {
			t.Fatalf("%s: %v", use, err)
		}
		if got := roleOf(t, spec(use, "logs-*")); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", use, got, want)
		}
		if row := "| `newterms-" + string(use) + "` | " + wanted[use].may; !strings.Contains(string(readme), row) {
			t.Errorf("deploy/README.md lacks %q", row)
		}
	}
}

// TestSources grants names and patterns as a role has to name them.
func TestSources(t *testing.T) {
	for _, c := range []struct {
		sources string // separated by spaces
		want    string // what is granted besides the targets, and in other clusters
	}{
		{"logs-b logs-a* logs-b", `[{"names":["logs-a*","logs-b"],"privileges":["read"]}] null`},
		{"logs-* -logs-old", `[{"names":["logs-*"],"privileges":["read"]}] null`},
		{"<src-{now/d}> <{now/M{yyyy.MM}}-src>", `[{"names":["*-src","src-*"],"privileges":["read"]}] null`},
		{"logs-x::data", `[{"names":["logs-x"],"privileges":["read"]}] null`},
		{"logs-x logs-x::failures", `[{"names":["logs-x"],"privileges":["read"]},{"names":["logs-x"],"privileges":["read_failure_store"]}] null`},
		{"logs-a west:logs-b", `[{"names":["logs-a"],"privileges":["read"]},{"names":["logs-b"],"privileges":["read","read_cross_cluster"]}] ` +
			`[{"clusters":["west"],"names":["logs-b"],"privileges":["read","read_cross_cluster"]}]`},
		{"west:<src-{now/d}> *:logs-x::failures -east:* west:-old", `[{"names":["src-*"],"privileges":["read","read_cross_cluster"]},` +
			`{"names":["logs-x"],"privileges":["read_failure_store","read_cross_cluster"]}] ` +
			`[{"clusters":["west"],"names":["src-*"],"privileges":["read","read_cross_cluster"]},` +
			`{"clusters":["*"],"names":["logs-x"],"privileges":["read_failure_store","read_cross_cluster"]}]`},
	} {
		role := roleOf(t, spec(keys.Run, strings.Fields(c.sources)...))
		var sources []any
		for _, entry := range role["indices"].([]any) {
			if !reflect.DeepEqual(entry.(map[string]any)["names"], []any{"alerts", "runs"}) {
				sources = append(sources, entry)
			}
		}
		here, err := json.Marshal(sources)
		if err != nil {
			t.Fatal(err)
		}
		there, err := json.Marshal(role["remote_indices"])
		if err != nil {
			t.Fatal(err)
		}
		if got := string(here) + " " + string(there); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.sources, got, c.want)
		}
	}
}

func TestExpiration(t *testing.T) {
	for _, c := range []struct {
		use     keys.Use
		expires time.Duration
		want    any
	}{
		{keys.Run, 0, nil}, {keys.Setup, 0, "1d"}, {keys.Close, 0, nil}, {keys.Notify, 0, nil}, {keys.Compare, 0, nil},
		{keys.Run, 90 * time.Minute, "5400s"}, {keys.Setup, time.Hour, "3600s"},
	} {
		s := spec(c.use)
		s.Expires = c.expires
		if got := s.Body()["expiration"]; got != c.want {
			t.Errorf("%s for %s: %v, want %v", c.use, c.expires, got, c.want)
		}
	}
}
