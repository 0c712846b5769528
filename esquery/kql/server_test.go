package kql_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"newterms/esquery/estest"
	"newterms/esquery/kql"
)

// differing makes three indices on the real server that map the same names in
// different ways, each with one document, and returns a pattern for them.
func differing(t *testing.T) string {
	t.Helper()
	prefix := "kql-" + uuid.NewString()[:8]
	for name, index := range map[string]struct{ properties, document string }{
		"nested": {`"_tenant":{"type":"keyword"},"grants":{"type":"nested","properties":{"role":{"type":"keyword"},"site":{"type":"keyword"}}},
			"host":{"properties":{"name":{"type":"keyword"}}}`,
			`{"_tenant":"north","host":{"name":"web"},"grants":[{"role":"admin","site":"S3 one"},{"role":"guest","site":"rome"}]}`},
		"object": {`"_tenant":{"type":"keyword"},"grants":{"properties":{"role":{"type":"keyword"},"site":{"type":"keyword"}}},"host":{"type":"keyword"}`,
			`{"_tenant":"south","host":"web","grants":{"role":"admin","site":"rome"}}`},
		"other": {`"user":{"type":"keyword"},"only":{"type":"nested","properties":{"here":{"type":"keyword"}}}`,
			`{"user":"admin","only":[{"here":"admin"}]}`},
	} {
		request(t, "PUT", "/"+prefix+"-"+name, `{"mappings":{"properties":{`+index.properties+`}}}`)
		t.Cleanup(func() { request(t, "DELETE", "/"+prefix+"-"+name, "") })
		request(t, "PUT", "/"+prefix+"-"+name+"/_doc/"+name+"?refresh=true", index.document)
	}
	return prefix + "-*"
}

func request(t *testing.T, method, path, body string) []byte {
	t.Helper()
	answer, err := estest.ForTest(t).Request(context.Background(), method, path, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// matching asks the server for the fields that the query wants to know of, and
// then for its documents. A shard that fails is an error.
func matching(t *testing.T, indices, query string) string {
	t.Helper()
	q := parse(t, query)
	// field_caps wants one name at least.
	names, err := json.Marshal(map[string]any{"fields": append(q.Names(), "no such field")})
	if err != nil {
		t.Fatal(err)
	}
	var caps struct{ Fields kql.Capabilities }
	if err := json.Unmarshal(request(t, "POST", "/"+indices+"/_field_caps", string(names)), &caps); err != nil {
		t.Fatal(err)
	}
	compiled, err := q.Compile(kql.FieldsOf(caps.Fields))
	if err != nil {
		return err.Error()
	}
	body, err := json.Marshal(map[string]any{"query": compiled, "sort": []string{"_index"}})
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	answer := request(t, "POST", "/"+indices+"/_search?allow_partial_search_results=false", string(body))
	if err := json.Unmarshal(answer, &found); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, hit := range found.Hits.Hits {
		ids = append(ids, hit.ID)
	}
	return strings.Join(ids, " ")
}

func TestIndicesThatDifferFailNoSearch(t *testing.T) {
	indices := differing(t)
	for _, c := range []struct{ name, kql, want string }{
		{"as for Kibana, a field that is nested in some indices is a plain one", `grants.role:admin`, "object"},
		{"so is what a pattern stands for", `grants.ro*:admin`, "object"},
		{"and a pattern that no text begins", `*.role:admin`, "object"},
		{"a pattern and any value", `grants.ro*:*`, "object"},
		{"a nested group finds what is nested", `grants:{ role:admin and site:S3* }`, "nested"},
		{"a nested group is about one object", `grants:{ role:admin and site:rome }`, ""},
		{"both ways at once", `grants:{ role:admin } or grants.role:admin`, "nested object"},
		{"a nested group that nothing else fits", `not grants:{ role:admin }`, "object other"},
		{"as for Kibana, a pattern inside a nested group finds nothing", `grants:{ ro*:admin }`, ""},
		{"but fails nothing", `not grants:{ *:7 }`, "nested object other"},
		{"it does with a wildcard", `grants:{ ro*:adm* }`, "nested"},
		{"and with any value", `grants:{ ro*:* and not x*:* }`, "nested"},
		{"a wildcard with a space inside a nested group is two", `grants:{ site:S3 on* }`, ""},
		{"either of which may be there", `grants:{ site:rome on* }`, "nested"},
		{"it is one if the field is known from outside", `grants:{ site:S3 on* } and not grant*.site:x`, "nested"},
		{"any value inside a nested group", `grants:{ role:* }`, "nested"},
		{"text without a field inside a nested group finds nothing", `grants:{ rome }`, ""},
		{"nor does any text", `grants:{ * }`, ""},
		{"any value of any field inside a nested group", `grants:{ *:* }`, "nested"},
		{"a nested group that one index maps", `only:{ here:admin }`, "other"},
		{"a pattern for what one index maps as nested", `*.here:admin`, "other"},
		{"a nested group that no index maps", `nowhere:{ here:admin }`, ""},
		{"not in a nested group that no index maps", `not nowhere:{ here:admin }`, "nested object other"},
		{"groups inside each other that no index maps", `grants:{ nowhere:{ here:admin } }`, ""},
		{"a group of what is an object in every index", `host:{ name:web }`, "KQL: field host is not nested, but has a nested group: host:{ }"},
		{"a pattern for what is an object in one index and a keyword in another", `hos*:web`, "nested object"},
		{"such a name itself", `host:web`, "object"},
		{"an ordinary field whose name begins with an underscore", `_tenant:nor*`, "nested"},
		{"a pattern that begins with an underscore", `_*:(north or south)`, "nested object"},
		{"a pattern for every field", `*:admin`, "object other"},
		{"metadata by name", `_id:nested and _index:kql-*`, "nested"},
		{"metadata exist", `_id:* and _index:*`, "nested object other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := matching(t, indices, c.kql); got != c.want {
				t.Errorf("%s matches %q, want %q", c.kql, got, c.want)
			}
		})
	}
}

// TestNoMetadataAnswersToAPattern asks the real server which names are
// metadata: their list is its own.
func TestNoMetadataAnswersToAPattern(t *testing.T) {
	answer := request(t, "POST", "/"+differing(t)+"/_field_caps", `{"fields":["*"]}`)
	var caps struct{ Fields kql.Capabilities }
	if err := json.Unmarshal(answer, &caps); err != nil {
		t.Fatal(err)
	}
	if len(caps.Fields["_id"]) == 0 {
		t.Fatalf("no metadata in %s", answer)
	}
	fields := kql.FieldsOf(caps.Fields)
	names := fmt.Sprint(fields)
	for name := range fields {
		if strings.HasPrefix(name, "_") && name != "_tenant" {
			t.Errorf("%s is taken for a field: %s", name, names)
		}
	}
	if _, ok := fields["_tenant"]; !ok {
		t.Errorf("_tenant is no field: %s", names)
	}
}
