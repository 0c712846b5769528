package kql

import (
	"slices"
	"strings"
)

// named returns the fields that a name or pattern matches.
func (c compiler) named(name *value) []string {
	if name.kind == wildcard {
		return c.matching(name)
	}
	return []string{c.inside(name.String())}
}

func (c compiler) matching(name *value) []string {
	if names, ok := c.matched[name]; ok {
		return names
	}
	pieces := slices.Clone(name.pieces)
	pieces[0] = c.inside(pieces[0])
	var names []string
	for _, field := range c.names() {
		if matches(pieces, field) {
			names = append(names, field)
		}
	}
	c.matched[name] = names
	return names
}

// matches reports whether s consists of the pieces with anything between them.
func matches(pieces []string, s string) bool {
	last := len(pieces) - 1
	s, ok := strings.CutPrefix(s, pieces[0])
	if !ok {
		return false
	}
	for _, piece := range pieces[1:last] {
		if _, s, ok = strings.Cut(s, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, pieces[last])
}

// pattern returns v for wildcard and query_string: only its own wildcards are left
// unescaped, so a `?` in KQL stays a question mark.
func pattern(v value) string {
	pieces := make([]string, len(v.pieces))
	for i, piece := range v.pieces {
		var b strings.Builder
		for _, r := range piece {
			if strings.ContainsRune(`+-=&|><!(){}[]^"~*?:\/`, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		pieces[i] = b.String()
	}
	return strings.Join(pieces, "*")
}
