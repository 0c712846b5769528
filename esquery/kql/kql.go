// Package kql parses the Kibana Query Language and compiles it to
// Elasticsearch's Query DSL, with the matches that Kibana's detection engine
// would give it.
//
// The grammar is a PEG: choices are ordered, and a finished choice is not
// reopened.
//
//	query   Space* or? Space* end            the empty query matches everything
//	or      and ( Space+ "or"  Space+ and )*
//	and     not ( Space+ "and" Space+ not )*
//	not     "not" Space+ sub | sub
//	sub     "(" Space* or Space* ")" | nested | expr
//	nested  field Space* ":" Space* "{" Space* or Space* "}"
//	expr    field Space* ("<=" | ">=" | "<" | ">") Space* literal
//	      | field Space* ":" Space* list
//	      | value
//	list    "(" Space* or Space* ")" | value     with list in the place of sub
//
// Fields, literals and values are quoted or unquoted. Unquoted text runs over
// spaces until a special character or a keyword, so `agent: S3 Browser*` is
// one value. Leading wildcards are allowed and matching is case-sensitive, as
// in detection rules.
package kql

import (
	"slices"
	"strings"
)

// A Query is a parsed KQL query. The zero Query matches every document.
type Query struct {
	root node // nil: match everything
	text string
}

// String returns the query as it was written.
func (q Query) String() string { return q.text }

// Names returns the names and patterns (with `*`) of the fields that Compile needs,
// sorted, each once. A nested group has its path and everything below it, because
// field_caps returns nothing for the path alone.
func (q Query) Names() []string {
	var names []string
	for name, isPath := range q.names() {
		names = append(names, name.String())
		if isPath {
			names = append(names, name.String()+".*")
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Known returns the fields that Kibana knows when it compiles the query: those named
// outside of nested groups, also by a pattern, and those of also, such as the fields of
// filters. All others have no known type inside a group.
func (q Query) Known(fields Fields, also ...string) Fields {
	known := Fields{}
	for _, name := range also {
		if f, ok := fields[name]; ok {
			known[name] = f
		}
	}
	for v := range q.names() {
		if f, ok := fields[v.String()]; ok && v.kind != wildcard {
			known[v.String()] = f
		}
		for name, f := range fields {
			if v.kind == wildcard && matches(v.pieces, name) {
				known[name] = f
			}
		}
	}
	return known
}

// names returns the names and patterns in the query, each once for all the values of a
// list, which share it. The value is whether the name is the path of a nested group.
func (q Query) names() map[*value]bool {
	names := map[*value]bool{}
	visit(q.root, place{}, func(n node, _ place) bool {
		switch n := n.(type) {
		case nested:
			names[n.path] = true
			return false // Names lists all below the path
		case is:
			if n.field != nil && n.field.kind != null {
				names[n.field] = false
			}
		case compare:
			names[n.field] = false
		}
		return true
	})
	return names
}

// A node is a chain, not, nested, is or compare.
type node any

type (
	// chain joins two or more nodes by the same operator.
	chain struct {
		or    bool // else and
		nodes []node
		spans []span // of the nodes in the query; nil in a list of values
	}
	not    struct{ node node }
	nested struct {
		path  *value
		group node
	}
	// is matches a value in a field, or anywhere if field is nil.
	is struct {
		field *value
		value value
	}
	compare struct {
		field *value
		op    string // gt, gte, lt, lte
		value value
	}
)

// A span is a range of characters in the query.
type span struct{ from, to int }

type kind int

const (
	text kind = iota
	boolean
	null
	wildcard
)

// A value is a literal: a field name, or the value that a field is compared with.
// pieces holds the text, split at its wildcards: more than one piece only if kind is
// wildcard.
type value struct {
	kind   kind
	quoted bool
	pieces []string
	// lineEnd is the position where unquoted text continues on the next line, in
	// characters of the query; 0 if it does not.
	lineEnd int
}

// String returns the literal text, with a plain `*` for each wildcard.
func (v value) String() string { return strings.Join(v.pieces, "*") }

// isStar reports whether v is a single wildcard and nothing else.
func (v value) isStar() bool {
	return v.kind == wildcard && len(v.pieces) == 2 && v.pieces[0] == "" && v.pieces[1] == ""
}

// json returns v for Query DSL: a string, a boolean or nil. Numbers stay strings,
// because only Elasticsearch knows what "070" means in a field.
func (v value) json() any {
	switch v.kind {
	case boolean:
		return v.pieces[0] == "true"
	case null:
		return nil
	default:
		return v.String()
	}
}
