package kql

// A place is where a node is in a query.
type place struct {
	path    string // of the nested group around it, "" outside of any
	negated bool   // under an odd number of "not"
}

// inside returns the full name of a field in the group of a path.
func inside(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// visit calls f for each nested, is and compare of a node, in the order of the query. It
// skips the group of a nested for which f returns false.
func visit(n node, at place, f func(n node, at place) bool) {
	switch n := n.(type) {
	case chain:
		for _, child := range n.nodes {
			visit(child, at, f)
		}
	case not:
		visit(n.node, place{at.path, !at.negated}, f)
	case nested:
		if f(n, at) {
			visit(n.group, place{inside(at.path, n.path.String()), at.negated}, f)
		}
	case is, compare:
		f(n, at)
	}
}
