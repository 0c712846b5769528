package kql

import "slices"

// Unmatched returns the names in the query that no field has: names and patterns, and
// paths of nested groups that are not nested. They are in the query's order, each once.
// Nothing matches there; after a "not", everything does.
func (q Query) Unmatched(fields Fields) []string {
	var names []string
	report := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	c := newCompiler(fields)
	check := func(name *value) {
		full := c.inside(name.String())
		if _, known := fields[full]; name.kind == wildcard && len(c.matching(name)) == 0 || name.kind != wildcard && !known {
			report(full)
		}
	}
	visit(q.root, place{}, func(n node, at place) bool {
		c.path = at.path
		switch n := n.(type) {
		case nested:
			if path := c.inside(n.path.String()); !fields.haveNested(path) {
				report(path)
				return false
			}
		case is:
			if !isFreeText(n) {
				check(n.field)
			}
		case compare:
			check(n.field)
		}
		return true
	})
	return names
}

// haveNested reports whether a field may be inside a nested path.
func (f Fields) haveNested(path string) bool {
	for _, field := range f {
		if field.mayStandIn(path) {
			return true
		}
	}
	return false
}

// NegatedFreeText returns the values that no field of an event may have, in the query's
// order.
func (q Query) NegatedFreeText() []string {
	var texts []string
	visit(q.root, place{}, func(n node, at place) bool {
		if n, ok := n.(is); ok && at.negated && isFreeText(n) {
			texts = append(texts, n.value.String())
		}
		return true
	})
	return texts
}

func isFreeText(n is) bool { return n.field == nil || n.field.kind == null }
