package kql

import (
	"net/netip"
	"strings"
)

// Values returns the field and the values of a query of the form `field: value` or
// `field: (value or value)`, with plain text for values. For other queries the field is
// "".
func (q Query) Values() (field string, values []string, ok bool) {
	nodes := []node{q.root}
	if c, isChain := q.root.(chain); isChain && c.or {
		nodes = c.nodes
	}
	for _, n := range nodes {
		i, isIs := n.(is)
		if !isIs || i.field == nil || i.field.kind != text || i.value.kind != text || field != "" && i.field.String() != field {
			return "", nil, false
		}
		field, values = i.field.String(), append(values, i.value.String())
	}
	return field, values, true
}

// A Clause is a condition of a query on one field.
type Clause struct {
	Field string `json:"field"` // with the path of its nested group; "" for free text
	// Kind is eq, in, starts_with, ends_with, wildcard, exists, range or network.
	Kind   string   `json:"kind"`
	Values []string `json:"values,omitempty"` // none for exists; `>= 5` for range; the start for starts_with
	Not    bool     `json:"not,omitempty"`    // an event must not match it
}

// Clauses returns all conditions of the query, in its order.
func (q Query) Clauses() []Clause {
	var w walker
	w.walk(q.root, "", false)
	return w.clauses
}

// Indicators returns the clauses that are under no top-level `not`. One with Not set is
// under another, as in `field: (* and not x)`.
func (q Query) Indicators() []Clause {
	var w walker
	for _, n := range q.conditions() {
		if _, isNot := n.(not); !isNot {
			w.walk(n, "", false)
		}
	}
	return w.clauses
}

// conditions returns the nodes that the query joins with `and` at the top.
func (q Query) conditions() []node {
	if c, ok := q.root.(chain); ok && !c.or {
		return c.nodes
	}
	return []node{q.root}
}

// Exclusions returns the clauses of each top-level `not` of the query. A clause with
// Not set is under a second `not`.
func (q Query) Exclusions() [][]Clause {
	var all [][]Clause
	for _, n := range q.conditions() {
		if n, ok := n.(not); ok {
			var w walker
			w.walk(n.node, "", false)
			all = append(all, w.clauses)
		}
	}
	return all
}

// A walker collects clauses, and combines values of one field and kind.
type walker struct {
	clauses []Clause
	of      []*value // the field of each clause in the query
}

func (w *walker) walk(n node, path string, negated bool) {
	switch n := n.(type) {
	case chain:
		for _, child := range n.nodes {
			w.walk(child, path, negated)
		}
	case not:
		w.walk(n.node, path, !negated)
	case nested:
		w.walk(n.group, path+n.path.String()+".", negated)
	case is:
		kind := n.value.kindOf()
		text := n.value.String()
		switch kind {
		case "starts_with":
			text = n.value.pieces[0]
		case "ends_with":
			text = n.value.pieces[1]
		}
		w.add(n.field, path, kind, negated, text)
	case compare:
		op := map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[n.op]
		w.add(n.field, path, "range", negated, op+" "+n.value.String())
	}
}

func (w *walker) add(field *value, path, kind string, negated bool, v string) {
	for i, c := range w.clauses { // a list of values shares its field
		if field != nil && w.of[i] == field && c.Not == negated && sameKind(c.Kind, kind) {
			w.clauses[i].Values = append(c.Values, v)
			if c.Kind == "eq" {
				w.clauses[i].Kind = "in"
			}
			return
		}
	}
	c := Clause{Kind: kind, Not: negated}
	if field != nil {
		c.Field = path + field.String()
	}
	if kind != "exists" {
		c.Values = []string{v}
	}
	w.clauses, w.of = append(w.clauses, c), append(w.of, field)
}

func sameKind(known, kind string) bool {
	return known == kind && kind != "exists" || known == "in" && kind == "eq"
}

func (v value) kindOf() string {
	switch {
	case v.isStar():
		return "exists"
	case v.kind == wildcard && len(v.pieces) == 2 && v.pieces[1] == "":
		return "starts_with"
	case v.kind == wildcard && len(v.pieces) == 2 && v.pieces[0] == "":
		return "ends_with"
	case v.kind == wildcard:
		return "wildcard"
	}
	if _, err := netip.ParsePrefix(v.String()); err == nil && strings.Contains(v.String(), "/") {
		return "network"
	}
	return "eq"
}
