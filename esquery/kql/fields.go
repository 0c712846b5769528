package kql

import (
	"maps"
	"slices"
	"strings"
)

// Fields describes the mapping: each field name, over all indices. A name that is not
// here is used as written, with an unknown type, and no pattern matches it.
type Fields map[string]Field

// A Field is the mapping of one field name.
type Field struct {
	// Types are the types of the field's values in Elasticsearch's names, sorted, each
	// once.
	Types []string
	// Object reports that the name is an object in some indices, without a value of its
	// own there. To Kibana it then has no single type.
	Object bool
	// NestedPath is the innermost parent that is nested wherever it is mapped, "" if
	// there is none.
	NestedPath string
	// MixedPaths are the parents inside NestedPath that are nested in some indices
	// only, innermost first. To Kibana the field is not nested in them. A nested group
	// may still name them: no other query finds the contents of those indices.
	MixedPaths []string
}

func (f Field) isKeyword() bool {
	return !f.Object && len(f.Types) == 1 && f.Types[0] == "keyword"
}

// IsDate reports whether the field is a date wherever it is mapped.
func (f Field) IsDate() bool {
	return !f.Object && len(f.Types) > 0 && !slices.ContainsFunc(f.Types, func(t string) bool {
		return t != "date" && t != "date_nanos"
	})
}

// mayStandIn reports whether a query inside a nested path, "" for none, can find the
// field in some index.
func (f Field) mayStandIn(path string) bool {
	return f.NestedPath == path || slices.Contains(f.MixedPaths, path)
}

// Capabilities are the `fields` of a field_caps answer, by field name and type. The
// answer lists the parents of each field that it lists.
type Capabilities map[string]map[string]Capability

// A Capability describes one type of a field.
type Capability struct {
	Metadata     bool `json:"metadata_field"` // such as _id, which is no field of the document
	Aggregatable bool `json:"aggregatable"`   // in all indices where it has this type
	// Indices are those where the field has this type; nil if it has no other type.
	Indices []string `json:"indices"`
}

// FieldsOf converts a field_caps answer. It leaves out names that are only objects,
// which no query can use. It also leaves out metadata, which a query can name but no
// pattern matches. Names that begin with "_" may be ordinary fields.
func FieldsOf(caps Capabilities) Fields {
	fields := Fields{}
	for name, types := range caps {
		var f Field
		metadata := false
		for _, kind := range slices.Sorted(maps.Keys(types)) {
			metadata = metadata || types[kind].Metadata
			if kind == "object" || kind == "nested" {
				f.Object = true
			} else {
				f.Types = append(f.Types, kind)
			}
		}
		if !metadata && len(f.Types) > 0 {
			f.NestedPath, f.MixedPaths = nestedPaths(name, caps)
			fields[name] = f
		}
	}
	return fields
}

// nestedPaths searches for nested parents from the inside out, up to one that is nested
// wherever it is mapped.
func nestedPaths(name string, caps Capabilities) (nested string, mixed []string) {
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return "", mixed
		}
		name = name[:dot]
		switch _, isNested := caps[name]["nested"]; {
		case isNested && len(caps[name]) == 1:
			return name, mixed
		case isNested:
			mixed = append(mixed, name)
		}
	}
}

// neverNested reports whether a path is mapped, and nested in no index.
func (f Fields) neverNested(path string) bool {
	mapped := false
	for name, field := range f {
		switch isLeaf := name == path && !field.Object; {
		case isLeaf:
			return true
		case !strings.HasPrefix(name, path+"."):
			continue
		case slices.ContainsFunc(append([]string{field.NestedPath}, field.MixedPaths...), func(nested string) bool {
			return nested == path || strings.HasPrefix(nested, path+".")
		}):
			return false
		}
		mapped = true
	}
	return mapped
}
