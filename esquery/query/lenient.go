package query

import (
	"slices"
	"strings"
)

// failIfForbidden makes a query fail if the cluster forbids it, where it would silently
// match nothing: free text is lenient. It adds a nested query, which is refused
// whatever the mapping, and which changes no match.
func failIfForbidden(query DSL) DSL {
	if !isLenient(query) {
		return query
	}
	return DSL{"bool": DSL{"filter": []DSL{query}, "must_not": []DSL{
		{"nested": DSL{"path": "newterms.is_asking", "query": DSL{"match_all": DSL{}}, "ignore_unmapped": true}},
	}}}
}

// isLenient reports whether a query searches for patterns and silently skips fields
// that do not support them.
func isLenient(query any) bool {
	switch q := query.(type) {
	case []DSL:
		return slices.ContainsFunc(q, func(one DSL) bool { return isLenient(one) })
	case []any:
		return slices.ContainsFunc(q, isLenient)
	case DSL:
		kind, _ := q["type"].(string)
		if q["lenient"] == true && (q["fuzziness"] != nil || strings.HasSuffix(kind, "prefix")) { // of a match
			return true
		}
		for kind, value := range q {
			if body, ok := value.(DSL); ok && strings.HasSuffix(kind, "query_string") {
				text, _ := body["query"].(string)
				if (body["lenient"] == true || isOfAllFields(body)) && text != "*" && strings.ContainsAny(text, `*?~/[{<>`) {
					return true
				}
			}
			if isLenient(value) {
				return true
			}
		}
	}
	return false
}

// isOfAllFields reports whether a query_string names no field, which makes it lenient.
func isOfAllFields(body DSL) bool {
	switch field := body["default_field"]; {
	case field == "*":
		return true
	case field != nil:
		return false
	}
	switch fields := body["fields"].(type) {
	case nil:
		return true
	case []any:
		return slices.Contains(fields, any("*"))
	}
	return false
}
