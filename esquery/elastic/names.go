package elastic

import "strings"

// SplitCluster splits the name or pattern of an index of another cluster
// (cluster:index). The cluster of a local one is "": also of date math, which may
// hold a colon (<logs-{now/d{yyyy.MM.dd|+01:00}}>), and of a name with a selector
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

// IsRemote reports whether a name or pattern is of another cluster.
func IsRemote(name string) bool {
	cluster, _ := SplitCluster(name)
	return cluster != ""
}

// Grantable is the pattern that a role has to name so that it covers what a name or
// pattern of a search stands for, now and later: without the selector, and with a
// wildcard in the place of date math, which a role takes literally. It is "" for an
// exclusion, which needs no right. failures says that it is the failure store that
// is searched. The cluster must have been split off.
func Grantable(name string) (pattern string, failures bool) {
	if strings.HasPrefix(name, "-") {
		return "", false
	}
	name, selector, _ := strings.Cut(name, "::")
	return withoutDateMath(name), selector == "failures"
}

// withoutDateMath makes logs-*-x of <logs-{now/d{yyyy.MM.dd|+01:00}}-x>, in which a
// backslash takes the next character as it is.
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
