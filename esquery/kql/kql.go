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
}

// Names returns the field names and field-name patterns (with `*`) that the
// query mentions, sorted, each once. For a nested group only its path is
// named, as in Kibana, so the types of the fields inside stay unknown.
func (q Query) Names() []string {
	var names []string
	collectNames(q.root, &names)
	slices.Sort(names)
	return slices.Compact(names)
}

func collectNames(n node, names *[]string) {
	switch n := n.(type) {
	case nil:
	case chain:
		for _, child := range n.nodes {
			collectNames(child, names)
		}
	case not:
		collectNames(n.node, names)
	case nested:
		*names = append(*names, n.path.String())
	case is:
		if n.field != nil && n.field.kind != null {
			*names = append(*names, n.field.String())
		}
	case compare:
		*names = append(*names, n.field.String())
	}
}

// node is one of chain, not, nested, is, compare.
type node any

type (
	// chain is two or more nodes joined by the same operator.
	chain struct {
		or    bool // else and
		nodes []node
	}
	not    struct{ node node }
	nested struct {
		path  value
		group node
	}
	// is asks for a value in a field, or anywhere if field is nil.
	is struct {
		field *value
		value value
	}
	compare struct {
		field value
		op    string // gt, gte, lt, lte
		value value
	}
)

type kind int

const (
	text kind = iota
	boolean
	null
	wildcard
)

// value is a literal: a field name or what a field is compared with. pieces
// holds the text, split at its wildcards: more than one piece only if kind is
// wildcard.
type value struct {
	kind   kind
	quoted bool
	pieces []string
}

// String is the literal text, with a plain `*` for each wildcard.
func (v value) String() string { return strings.Join(v.pieces, "*") }

// isStar reports whether v is a single wildcard and nothing else.
func (v value) isStar() bool {
	return v.kind == wildcard && len(v.pieces) == 2 && v.pieces[0] == "" && v.pieces[1] == ""
}

// json is v as Query DSL takes it: a string, a boolean or nil. Numbers stay
// strings, because only Elasticsearch knows what the field makes of "070".
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
