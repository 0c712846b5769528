package kql

// Networks returns the networks (203.0.113.0/24) in the query, by the names of their
// fields, known or not.
func (q Query) Networks(fields Fields) map[string][]string {
	networks := map[string][]string{}
	newCompiler(fields).networks(q.root, networks)
	return networks
}

func (c compiler) networks(n node, networks map[string][]string) {
	switch n := n.(type) {
	case chain:
		for _, child := range n.nodes {
			c.networks(child, networks)
		}
	case not:
		c.networks(n.node, networks)
	case nested:
		c.path = c.inside(n.path.String())
		c.networks(n.group, networks)
	case is:
		if n.field == nil || n.value.kindOf() != "network" {
			return
		}
		for _, name := range c.named(n.field) {
			networks[name] = append(networks[name], n.value.String())
		}
	}
}
