package kql

import "strings"

// RunsOver returns the first unquoted text that continues on the next line, and the
// number of its line, from 1. KQL reads it as one value or field name that contains the
// end of the line.
func (q Query) RunsOver() (text string, line int, ok bool) {
	v := firstRunningOver(q.root)
	if v == nil {
		return "", 0, false
	}
	return v.String(), 1 + strings.Count(string([]rune(q.text)[:v.lineEnd]), "\n"), true
}

func firstRunningOver(n node) *value {
	var own []*value
	switch n := n.(type) {
	case chain:
		for _, child := range n.nodes {
			if v := firstRunningOver(child); v != nil {
				return v
			}
		}
	case not:
		return firstRunningOver(n.node)
	case nested:
		if n.path.lineEnd == 0 {
			return firstRunningOver(n.group)
		}
		own = []*value{n.path}
	case is:
		own = []*value{n.field, &n.value}
	case compare:
		own = []*value{n.field, &n.value}
	}
	for _, v := range own {
		if v != nil && v.lineEnd > 0 {
			return v
		}
	}
	return nil
}
