package kql

import "slices"

// Unmatched returns the names in the query that no field has: names and patterns, and
// paths of nested groups that are not nested. They are in the query's order, each once.
// Nothing matches there; after a "not", everything does.
func (q Query) Unmatched(fields Fields) []string {
	var names []string
	newCompiler(fields).unmatched(q.root, func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

func (c compiler) unmatched(n node, report func(name string)) {
	check := func(name *value) {
		switch _, known := c.fields[c.inside(name.String())]; {
		case name.kind == wildcard && len(c.matching(name)) == 0, name.kind != wildcard && !known:
			report(c.inside(name.String()))
		}
	}
	switch n := n.(type) {
	case chain:
		for _, child := range n.nodes {
			c.unmatched(child, report)
		}
	case not:
		c.unmatched(n.node, report)
	case nested:
		c.path = c.inside(n.path.String())
		for _, f := range c.fields {
			if f.mayStandIn(c.path) {
				c.unmatched(n.group, report)
				return
			}
		}
		report(c.path)
	case is:
		if !isFreeText(n) {
			check(n.field)
		}
	case compare:
		check(n.field)
	}
}

// NegatedFreeText returns the values that no field of an event may have, in the query's
// order.
func (q Query) NegatedFreeText() []string { return negatedFreeText(q.root, false) }

func negatedFreeText(n node, negated bool) []string {
	switch n := n.(type) {
	case chain:
		var all []string
		for _, child := range n.nodes {
			all = append(all, negatedFreeText(child, negated)...)
		}
		return all
	case not:
		return negatedFreeText(n.node, !negated)
	case nested:
		return negatedFreeText(n.group, negated)
	case is:
		if negated && isFreeText(n) {
			return []string{n.value.String()}
		}
	}
	return nil
}

func isFreeText(n is) bool { return n.field == nil || n.field.kind == null }
