package kql

import "strings"

// RunsOver reports the first unquoted text that runs over the end of a line, and
// the number of that line, from 1. KQL takes it for one value (or field name),
// with the line's end inside.
func (q Query) RunsOver() (text string, line int, ok bool) {
	v := runningOver(q.root)
	if v == nil {
		return "", 0, false
	}
	return v.String(), 1 + strings.Count(string([]rune(q.text)[:v.lineEnd]), "\n"), true
}

func runningOver(n node) *value {
	var own []*value
	switch n := n.(type) {
	case chain:
		for _, child := range n.nodes {
			if v := runningOver(child); v != nil {
				return v
			}
		}
	case not:
		return runningOver(n.node)
	case nested:
		if n.path.lineEnd == 0 {
			return runningOver(n.group)
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
