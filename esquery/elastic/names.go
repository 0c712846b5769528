package elastic

import (
	"fmt"
	"net/url"
	"strings"
)

// SplitCluster splits the name or pattern of an index of another cluster
// (cluster:index). The cluster is "" for local indices. These include date math with a
// colon (<logs-{now/d{yyyy.MM.dd|+01:00}}>) and names with a selector
// (logs-x::failures).
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions#api-multi-index
func SplitCluster(name string) (cluster, index string) {
	cluster, index, found := strings.Cut(name, ":")
	if !found || strings.HasPrefix(name, "<") || strings.HasPrefix(index, ":") {
		return "", name
	}
	return cluster, index
}

// IsRemote reports whether a name or pattern belongs to another cluster.
func IsRemote(name string) bool {
	cluster, _ := SplitCluster(name)
	return cluster != ""
}

// Grantable returns the pattern that a role must have to cover a name or pattern of a
// search, now and later. It has no selector, and a wildcard instead of date math, which
// a role would take literally. It is "" for an exclusion, which needs no privilege.
// failures reports that the search is of the failure store. The name must have no
// cluster.
func Grantable(name string) (pattern string, failures bool) {
	if strings.HasPrefix(name, "-") {
		return "", false
	}
	name, selector, _ := strings.Cut(name, "::")
	return withoutDateMath(name), selector == "failures"
}

// withoutDateMath turns <logs-{now/d{yyyy.MM.dd|+01:00}}-x> into logs-*-x. A backslash
// escapes the next character.
//
// https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions#api-date-math-index-names
func withoutDateMath(name string) string {
	inner, isMath := strings.CutPrefix(name, "<")
	if !isMath {
		return name
	}
	inner = strings.TrimSuffix(inner, ">")
	var b strings.Builder
	depth := 0
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; {
		case c == '\\' && i+1 < len(inner):
			if i++; depth == 0 {
				b.WriteByte(inner[i])
			}
		case c == '{':
			if depth++; depth == 1 && !strings.HasSuffix(b.String(), "*") {
				b.WriteByte('*')
			}
		case c == '}':
			depth--
		case depth == 0 && !(c == '*' && strings.HasSuffix(b.String(), "*")):
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Matches reports whether a name matches a pattern, in which `*` matches anything.
func Matches(pattern, name string) bool {
	pieces := strings.Split(pattern, "*")
	last := len(pieces) - 1
	if last == 0 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, pieces[0])
	for _, piece := range pieces[1:last] {
		if ok {
			_, name, ok = strings.Cut(name, piece)
		}
	}
	return ok && strings.HasSuffix(name, pieces[last])
}

// maxPath is how many bytes of a request's path names and patterns may take.
// Elasticsearch allows 4,096 for the whole line (http.max_initial_line_length).
const maxPath = 3_600

// FitsPath returns an error if the path of a request has no space for the names and
// patterns.
func FitsPath(indices []string) error {
	length := 0
	for _, index := range indices {
		length += len(url.PathEscape(index)) + 1
	}
	if length > maxPath {
		return fmt.Errorf("%d names and patterns take %d bytes, and Elasticsearch reads %d: use wildcards or an alias", len(indices), length, maxPath)
	}
	return nil
}
