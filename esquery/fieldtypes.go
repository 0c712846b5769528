package esquery

import (
	"maps"
	"slices"
	"strings"

	"newterms/esquery/kql"
)

// fieldOf reads one field of a field_caps answer. Objects and metadata are no
// fields that a query could mean.
func fieldOf(name string, types map[string]struct{}) (kql.Field, bool) {
	names := slices.Sorted(maps.Keys(types))
	if len(names) == 0 || strings.HasPrefix(name, "_") {
		return kql.Field{}, false
	}
	if slices.Contains(names, "object") || slices.Contains(names, "nested") {
		return kql.Field{}, false
	}
	return kql.Field{Types: names}, true
}

// nestedPath is the innermost parent that is mapped as nested. field_caps
// lists the parents of each field that it lists.
func nestedPath(name string, fields map[string]map[string]struct{}) string {
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return ""
		}
		name = name[:dot]
		if _, ok := fields[name]["nested"]; ok {
			return name
		}
	}
}
