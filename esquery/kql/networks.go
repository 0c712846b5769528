package kql

// Networks returns the networks (203.0.113.0/24) in the query, by the names of their
// fields, known or not.
func (q Query) Networks(fields Fields) map[string][]string {
	networks := map[string][]string{}
	c := newCompiler(fields)
	visit(q.root, place{}, func(n node, at place) bool {
		if n, ok := n.(is); ok && n.field != nil && n.value.kindOf() == "network" {
			c.path = at.path
			for _, name := range c.named(n.field) {
				networks[name] = append(networks[name], n.value.String())
			}
		}
		return true
	})
	return networks
}
