package kql_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"newterms/esquery/kql"
)

// capabilities reads what field_caps says of some names.
func capabilities(t *testing.T, answer string) kql.Capabilities {
	t.Helper()
	var caps kql.Capabilities
	if err := json.Unmarshal([]byte(answer), &caps); err != nil {
		t.Fatal(err)
	}
	return caps
}

func TestFieldsOf(t *testing.T) {
	keyword := []string{"keyword"}
	for _, c := range []struct {
		name, caps string
		want       kql.Fields
	}{
		{"nothing is known of what no index maps", `{}`, kql.Fields{}},
		{"a type", `{"user":{"keyword":{}}}`, kql.Fields{"user": {Types: keyword}}},
		{"types are sorted", `{"user":{"text":{},"keyword":{},"long":{}}}`, kql.Fields{"user": {Types: []string{"keyword", "long", "text"}}}},
		{"an object is no field", `{"host":{"object":{}},"host.name":{"keyword":{}}}`, kql.Fields{"host.name": {Types: keyword}}},
		{"nor is what is nested in some indices", `{"grants":{"object":{},"nested":{}}}`, kql.Fields{}},
		{"an object in some indices is a field", `{"host":{"object":{},"keyword":{}},"host.name":{"keyword":{}}}`,
			kql.Fields{"host": {Types: keyword, Object: true}, "host.name": {Types: keyword}}},
		{"and so is what is nested in some", `{"host":{"nested":{},"keyword":{}}}`, kql.Fields{"host": {Types: keyword, Object: true}}},
		{"a nested parent", `{"a":{"nested":{}},"a.b":{"object":{}},"a.b.c":{"keyword":{}}}`, kql.Fields{"a.b.c": {Types: keyword, NestedPath: "a"}}},
		{"the innermost of nested parents", `{"a":{"nested":{}},"a.b":{"nested":{}},"a.b.c":{"keyword":{}}}`,
			kql.Fields{"a.b.c": {Types: keyword, NestedPath: "a.b"}}},
		{"a parent that is nested in some indices", `{"a":{"nested":{},"object":{}},"a.b":{"keyword":{}}}`,
			kql.Fields{"a.b": {Types: keyword, MixedPaths: []string{"a"}}}},
		{"a parent that is nested in some indices and a value in others", `{"a":{"nested":{},"keyword":{}},"a.b":{"keyword":{}}}`,
			kql.Fields{"a": {Types: keyword, Object: true}, "a.b": {Types: keyword, MixedPaths: []string{"a"}}}},
		{"such a parent inside a nested one", `{"a":{"nested":{}},"a.b":{"nested":{},"object":{}},"a.b.c":{"keyword":{}}}`,
			kql.Fields{"a.b.c": {Types: keyword, NestedPath: "a", MixedPaths: []string{"a.b"}}}},
		{"such a parent around a nested one", `{"a":{"nested":{},"object":{}},"a.b":{"nested":{}},"a.b.c":{"keyword":{}}}`,
			kql.Fields{"a.b.c": {Types: keyword, NestedPath: "a.b"}}},
		{"a name like that of a nested field", `{"a":{"nested":{}},"ab.c":{"keyword":{}},"a.b":{"keyword":{}}}`,
			kql.Fields{"ab.c": {Types: keyword}, "a.b": {Types: keyword, NestedPath: "a"}}},
		{"metadata are no fields", `{"_id":{"_id":{"metadata_field":true}},"_tier":{"keyword":{"metadata_field":true}}}`, kql.Fields{}},
		{"an underscore makes no metadata", `{"_tenant":{"keyword":{"metadata_field":false}},"_a":{"object":{}},"_a._b":{"long":{}}}`,
			kql.Fields{"_tenant": {Types: keyword}, "_a._b": {Types: []string{"long"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := kql.FieldsOf(capabilities(t, c.caps)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestFieldErrors(t *testing.T) {
	known := kql.FieldsOf(capabilities(t, `{
		"grants":{"nested":{}}, "grants.role":{"keyword":{}}, "grants.inner":{"object":{}}, "grants.inner.role":{"keyword":{}},
		"grants.deep":{"nested":{}}, "grants.deep.role":{"keyword":{}},
		"host":{"object":{}}, "host.name":{"keyword":{}},
		"mixed":{"nested":{},"object":{}}, "mixed.role":{"keyword":{}}
	}`))
	for _, c := range []struct{ name, kql, field, reason string }{
		{"a nested field outside of its group", `grants.role:a`, "grants.role", "is nested: write it inside grants:{ }"},
		{"a range of a nested field outside of its group", `grants.role > 1`, "grants.role", "is nested: write it inside grants:{ }"},
		{"a group of what is an object in every index", `host:{ name:a }`, "host", "is not nested, but has a nested group: host:{ }"},
		{"a group of what is no object", `host.name:{ first:a }`, "host.name", "is not nested, but has a nested group: host.name:{ }"},
		{"an object taken for nested inside a group", `grants:{ inner:{ role:a } }`, "grants.inner",
			"is not nested, but has a nested group: grants.inner:{ }"},
		{"a group that is not the innermost, of a field that is known", `grants.de*:x and grants:{ deep.role:a }`,
			"grants.deep.role", "stands inside grants:{ }, but its nested path is grants.deep"},
		{"the same by patterns", `grants.de*:x or grants:{ d*.role < a }`,
			"grants.deep.role", "stands inside grants:{ }, but its nested path is grants.deep"},
		{"a field beside a group inside what is nested in some indices", `mixed:{ role:a and deep:{ y:1 } } or grants.role:a`,
			"grants.role", "is nested: write it inside grants:{ }"},
		{"a pattern for a path", `gr*:{ role:a }`, "gr*", "is a pattern, but a nested group takes the name of one field"},
		{"a pattern for a path inside a group", `grants:{ de*:{ role:a } }`, "grants.de*", "is a pattern, but a nested group takes the name of one field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.kql).Compile(known)
			var field *kql.FieldError
			if !errors.As(err, &field) || field.Field != c.field || field.Reason != c.reason {
				t.Errorf("got %v", err)
			}
		})
	}
}
