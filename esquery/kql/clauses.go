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
	return new(clauseList).collect(q.root)
}

// Indicators returns the clauses that are under no top-level `not`. One with Not set is
// under another, as in `field: (* and not x)`.
func (q Query) Indicators() []Clause {
	var l clauseList // of all conditions: those of `field: (a and b)` share the field
	for _, n := range q.conditions() {
		if _, isNot := n.(not); !isNot {
			l.collect(n)
		}
	}
	return l.clauses
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
			all = append(all, new(clauseList).collect(n.node))
		}
	}
	return all
}

// A clauseList collects clauses, and combines values of one field and kind.
type clauseList struct {
	clauses []Clause
	of      []*value // the field of each clause in the query
}

// collect adds the clauses of a node, and returns all.
func (l *clauseList) collect(n node) []Clause {
	visit(n, place{}, func(n node, at place) bool {
		switch n := n.(type) {
		case is:
			kind := n.value.kindOf()
			text := n.value.String()
			switch kind {
			case "starts_with":
				text = n.value.pieces[0]
			case "ends_with":
				text = n.value.pieces[1]
			}
			l.add(n.field, at, kind, text)
		case compare:
			op := map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[n.op]
			l.add(n.field, at, "range", op+" "+n.value.String())
		}
		return true
	})
	return l.clauses
}

func (l *clauseList) add(field *value, at place, kind, v string) {
	for i, c := range l.clauses { // a list of values shares its field
		if field != nil && l.of[i] == field && c.Not == at.negated && sameKind(c.Kind, kind) {
			l.clauses[i].Values = append(c.Values, v)
			if c.Kind == "eq" {
				l.clauses[i].Kind = "in"
			}
			return
		}
	}
	c := Clause{Kind: kind, Not: at.negated}
	if field != nil {
		c.Field = inside(at.path, field.String())
	}
	if kind != "exists" {
		c.Values = []string{v}
	}
	l.clauses, l.of = append(l.clauses, c), append(l.of, field)
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
