package cases

import (
	"maps"
	"strings"
)

// mappable returns a type that an index can have without more parameters.
func mappable(kind string) string {
	switch kind {
	case "constant_keyword", "wildcard", "":
		return "keyword"
	case "scaled_float":
		return "double"
	}
	return kind
}

// A node of a mapping is a field, or an object of fields, or both: a field with
// multi-fields.
type node struct {
	kind     string
	children map[string]*node
}

// mapping returns the mapping of an index with some fields. Values that it does not name
// are mapped by their type, and texts as keywords.
func (t Types) mapping(paths []string) map[string]any {
	root := &node{}
	for _, path := range paths {
		kind, _ := t.of(path)
		if kind == "" {
			path = t.whole(path)
			kind = t.types[path]
		}
		root.at(path).kind = mappable(kind)
		for i, r := range path { // a nested parent
			if parent := t.types[path[:max(0, i)]]; r == '.' && parent == "nested" {
				root.at(path[:i]).kind = parent
			}
		}
	}
	m := root.body()
	maps.Copy(m, map[string]any{
		"date_detection": false,
		"dynamic_templates": []any{map[string]any{"texts": map[string]any{
			"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword"},
		}}},
	})
	return m
}

// whole returns the flattened parent of a field.
func (t Types) whole(path string) string {
	for i, r := range path {
		if r == '.' && t.types[path[:i]] == "flattened" {
			return path[:i]
		}
	}
	return path
}

// at returns the node of a path, and makes it if need be.
func (n *node) at(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[name] == nil {
			n.children[name] = &node{}
		}
		n = n.children[name]
	}
	return n
}

func (n *node) body() map[string]any {
	body := map[string]any{}
	children := map[string]any{}
	for name, child := range n.children {
		children[name] = child.body()
	}
	switch {
	case n.kind == "" || n.kind == "object":
		body["properties"] = children
	case n.kind == "nested":
		body["type"], body["properties"] = n.kind, children
	default:
		body["type"] = n.kind
		if len(children) > 0 {
			body["fields"] = children
		}
	}
	return body
}
