package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"newterms/cmd/newterms/failure"
	"newterms/esquery/estest"
)

// exportWith writes a rule and an exception of one entry as Kibana exports them,
// and a value list of names beside them. It returns the export's path.
func exportWith(t *testing.T, rule, entry map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	lines := []map[string]any{rule}
	if entry != nil {
		rule["exceptions_list"] = []any{map[string]any{"list_id": "l", "type": "detection", "namespace_type": "single"}}
		entry["operator"] = "included"
		lines = append(lines, map[string]any{"list_id": "l", "name": "L", "type": "detection", "namespace_type": "single"},
			map[string]any{"list_id": "l", "item_id": "i", "name": "item", "type": "simple", "namespace_type": "single", "entries": []any{entry}})
	}
	var export bytes.Buffer
	for _, line := range lines {
		if err := json.NewEncoder(&export).Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "export.ndjson")
	for name, text := range map[string]string{path: export.String(), filepath.Join(dir, "names.txt"): "#newterms: ignore-case\nNEW00\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// actorsOf are those of alerts in ndjson, sorted.
func actorsOf(t *testing.T, ndjson string) []string {
	t.Helper()
	var actors []string
	for line := range strings.Lines(ndjson) {
		var alert map[string]any
		if err := json.Unmarshal([]byte(line), &alert); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		actors = append(actors, alert["kibana.alert.new_terms"].([]any)[0].(string))
	}
	slices.Sort(actors)
	return actors
}

// TestForbiddenQueries runs rules on a cluster that allows no queries that may be
// slow (search.allow_expensive_queries). Each finds what it finds elsewhere, or is
// refused by a line that names the setting and the clause.
func TestForbiddenQueries(t *testing.T) {
	t.Parallel()                                             // with the other long tests
	node, err := estest.Start(t.Context(), estest.Options{}) // the setting is of the whole cluster
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := faultClusterOn(t, node)
	allow := func(expensive any) {
		if _, err := node.Request(context.Background(), "PUT", "/_cluster/settings", map[string]any{"persistent": map[string]any{"search.allow_expensive_queries": expensive}}); err != nil {
			t.Fatal(err)
		}
		node.Must(t, "POST", "/"+c.name+"/_cache/clear?request=true", nil) // which holds answers from before
	}
	type table = map[string]any
	query := func(text string) table { return table{"query": text} }
	filter := func(dsl table) table { return table{"filters": []any{table{"query": dsl}}} }
	for name, r := range map[string]struct {
		rule, exception table
		want            string // "" if it works
	}{
		"values":                 {query("data_stream.dataset: okta.system and not okta.actor.id: (new00 or b)"), nil, ""},
		"every event":            {query("*"), nil, ""},
		"a field that is there":  {query("okta.actor.id: *"), nil, ""},
		"a network":              {query("okta.client.ip: 192.0.2.0/24"), nil, ""},
		"a range of time":        {query(`@timestamp >= "2020-01-01"`), nil, ""},
		"free text":              {query("data_stream.dataset: okta.system or nowhere"), nil, ""},
		"a trailing wildcard":    {query("data_stream.dataset: okta.system and not okta.actor.id: new0*"), nil, "query not okta.actor.id: new0*: the cluster forbids wildcard queries"},
		"a leading wildcard":     {query("okta.actor.id: *00"), nil, "query okta.actor.id: *00: the cluster forbids wildcard queries"},
		"a range of keywords":    {query(`okta.actor.id >= "new01"`), nil, `query okta.actor.id >= "new01": the cluster forbids keyword range queries`},
		"wildcards in free text": {query("data_stream.dataset: okta.system and not new0*"), nil, "query not new0*: the cluster forbids nested and wildcard queries"},
		"a prefix":               {filter(table{"prefix": table{"okta.actor.id": "new0"}}), nil, `filter {"prefix":{"okta.actor.id":"new0"}}: the cluster forbids prefix queries`},
		"a regular expression":   {filter(table{"regexp": table{"okta.actor.id": "new0.*"}}), nil, `filter {"regexp":{"okta.actor.id":"new0.*"}}: the cluster forbids regexp queries`},
		"a query string":         {filter(table{"query_string": table{"query": "new0*"}}), nil, `filter {"query_string":{"query":"new0*"}}: the cluster forbids nested and wildcard queries`},
		"one of all words":       {filter(table{"query_string": table{"query": "new00 OR new01"}}), nil, ""},
		"a lenient match":        {filter(table{"multi_match": table{"query": "new00", "fuzziness": "AUTO", "lenient": true}}), nil, `: the cluster forbids nested and wildcard queries`},
		"an exception":           {query("*"), table{"field": "okta.actor.id", "type": "wildcard", "value": "new0?"}, "exclusion item (list l): the cluster forbids wildcard queries"},
		"names in any case":      {query("*"), table{"field": "okta.actor.id", "type": "list", "list": table{"id": "names.txt", "type": "keyword"}}, ""},
	} {
		rule := table{
			"rule_id": name, "name": name, "type": "new_terms", "language": "kuery", "severity": "low", "risk_score": 21, "index": []string{c.name},
			"from": "now-1h", "timestamp_override": "event.ingested", "query": "data_stream.dataset: okta.system",
			"new_terms_fields": []string{"okta.actor.id", "cloud.account.id"}, "history_window_start": "now-7d",
		}
		maps.Copy(rule, r.rule)
		path := exportWith(t, rule, r.exception)
		run := func() (found string, code int) {
			stdout, stderr, code := c.callWith(t, programAt(noon), c.environ, "run", "--rule", path, "--dry-run", "--output", "ndjson")
			if code != 0 {
				return stderr, code
			}
			return stdout, code
		}
		allow(nil)
		elsewhere, code := run()
		if code != 0 || elsewhere == "" && name != "free text" {
			t.Fatalf("%s: where they are allowed: exit %d: %s", name, code, elsewhere)
		}
		allow(false)
		found, code := run()
		switch forbidden := strings.Contains(failureLine(found), r.want+" (search.allow_expensive_queries is false): write values instead of patterns"); {
		case r.want == "" && (code != 0 || !slices.Equal(actorsOf(t, found), actorsOf(t, elsewhere))):
			t.Errorf("%s: exit %d, got %s\nwant %s", name, code, found, elsewhere)
		case r.want != "" && (code != failure.ExitRule || !forbidden):
			t.Errorf("%s: exit %d, got %s\nwant %s", name, code, failureLine(found), r.want)
		}
		if stdout, _, code := c.callWith(t, programAt(noon), c.environ, "check", "--rule", path); r.want != "" && (code != failure.ExitRule || !strings.Contains(stdout, "✗ query      ") || !strings.Contains(stdout, r.want)) {
			t.Errorf("%s: check: exit %d, got %s", name, code, stdout)
		}
	}
	stdout, stderr, code := c.callWith(t, programAt(noon), c.environ, "explain", "--term", "okta.actor.id=NEW00", "--from", "2026-03-10", "--rule", faultRule(t, "explained"))
	if code != 0 || !strings.Contains(stdout, "did you mean new00, of 1 event?") ||
		!strings.Contains(stdout, "similar values are not known: the cluster forbids the search for them (search.allow_expensive_queries is false)") {
		t.Errorf("explain: exit %d, got %s%s", code, stdout, stderr)
	}
}
