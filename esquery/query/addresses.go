package query

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// checkLists returns a *MappingError if a value list of IP addresses is compared with a
// field that has another type in some index. A range there would be one of letters, and
// a network would match nothing.
func (m mapping) checkLists(s Search) error {
	for _, e := range s.Exceptions {
		for _, entry := range e.Entries {
			if entry.Addresses && !m.isOnly(entry.Field, "ip") {
				return &MappingError{err: fmt.Errorf("the exception %s compares the value list %s with %s, which %s: such a list needs fields of type ip in all indices",
					e.Name, entry.List, entry.Field, m.describeOthers(entry.Field, "ip", "object", "nested"))}
			}
		}
	}
	return nil
}

// flattenedAbove returns the flattened field that a name is a key of, "" if there is
// none.
func (m mapping) flattenedAbove(name string) string {
	for at := strings.LastIndexByte(name, '.'); at > 0; at = strings.LastIndexByte(name, '.') {
		name = name[:at]
		if _, ok := m.Types[name]["flattened"]; ok {
			return name
		}
	}
	return ""
}

// isOnly reports whether a field has one of the types in every index where it has
// values.
func (m mapping) isOnly(name string, types ...string) bool {
	if m.flattenedAbove(name) != "" {
		return false
	}
	for kind := range m.Types[name] {
		if kind != "object" && kind != "nested" && !slices.Contains(types, kind) {
			return false
		}
	}
	return true
}

// describeOthers describes a field's types, without some of them.
func (m mapping) describeOthers(name string, except ...string) string {
	if above := m.flattenedAbove(name); above != "" {
		return "is a key of " + above + ", which " + m.describe(above, except...)
	}
	return m.describe(name, except...)
}

// A TextNetwork reports that an exclusion compares networks (203.0.113.0/24) with a
// field that is not of type ip in some index. They match no address there.
type TextNetwork struct {
	Exclusion, Field string // KQL, as it was written
	Networks         []string
	types            string
}

func (n TextNetwork) String() string {
	networks := strings.Join(n.Networks[:min(len(n.Networks), 3)], ", ")
	if more := len(n.Networks) - 3; more > 0 {
		networks += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s %s, where no address is in %s", n.Field, n.types, networks)
}

// textNetworks returns one for each field, with the first of its exclusions.
func (m mapping) textNetworks(s Search) []TextNetwork {
	var found []TextNetwork
	at := map[string]int{}
	for _, q := range s.Exclude {
		networks := q.Networks(m.Fields)
		for _, name := range slices.Sorted(maps.Keys(networks)) {
			if m.isOnly(name, "ip", "ip_range") {
				continue
			}
			i, known := at[name]
			if !known {
				i = len(found)
				at[name], found = i, append(found, TextNetwork{Exclusion: q.String(), Field: name, types: m.describeOthers(name, "ip", "ip_range", "object", "nested")})
			}
			found[i].Networks = append(found[i].Networks, networks[name]...)
		}
	}
	return found
}
