package query

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"newterms/esquery/access"
)

// A mapping is what a search asks of the types of its fields.
type mapping struct{ access.Mapping }

// A TypeError reports that a new-terms field or timestamp has a type that cannot be
// used, or types whose values cannot be compared. It names the indices where types
// differ.
type TypeError struct {
	Field string
	text  string
}

func (e *TypeError) Error() string { return e.text }

// Misfits returns, by name, a *TypeError for each field that dates or groups events and
// whose mapping the search cannot use.
func Misfits(s Search, m access.Mapping) map[string]error {
	misfits := map[string]error{}
	for _, name := range s.FieldNames() {
		if err := (mapping{m}).check(s, name); err != nil {
			misfits[name] = err
		}
	}
	return misfits
}

// check returns a *TypeError if the search cannot use a field as it is mapped. One such
// index would fail the whole search, or every pair would look new in it.
func (m mapping) check(s Search, name string) error {
	isTerm, isDate := slices.Contains(s.Fields, name), name == s.Timestamp || name == s.Fallback
	if !isTerm && !isDate {
		return nil
	}
	what, fits := "the new-terms field "+name, isGroupable
	if isDate {
		what, fits = name+", which dates the events,", isDateType
	}
	refuse := func(why string) error {
		return &TypeError{name, fmt.Sprintf("%s %s: %s", what, m.describe(name), why)}
	}
	if path := m.Fields[name].NestedPath; path != "" {
		return refuse("it is inside the nested field " + path)
	}
	families := map[string]bool{}
	for kind, capability := range m.Types[name] {
		switch {
		case kind == "object" || kind == "nested":
			continue // an object has no value of its own
		case !fits(kind):
			return refuse("events cannot be " + map[bool]string{true: "dated", false: "grouped"}[isDate] + " by it")
		case !capability.Aggregatable:
			return refuse("it has no doc values to group by")
		}
		families[family(kind)] = true
	}
	if len(families) > 1 {
		return refuse("values of these types cannot be compared, so known pairs would look new")
	}
	return nil
}

// IsGroupable reports whether events can be grouped by a field: some index maps it, and
// no index in a way that keeps values from being compared.
func (o *Opened) IsGroupable(name string) bool {
	s := o.Search
	s.Fields, s.Timestamp, s.Fallback = []string{name}, "", ""
	_, mapped := o.Mapping.Fields[name]
	return mapped && !o.Mapping.Fields[name].Object && (mapping{o.Mapping}).check(s, name) == nil
}

// describe lists a field's types, without some of them, and the indices where they
// differ.
func (m mapping) describe(name string, except ...string) string {
	kinds := slices.DeleteFunc(slices.Sorted(maps.Keys(m.Types[name])), func(kind string) bool { return slices.Contains(except, kind) })
	for i, kind := range kinds {
		if in := m.Types[name][kind].Indices; len(in) > 0 {
			kinds[i] += " in " + access.FirstNames(in)
		}
	}
	return "is of type " + strings.Join(kinds, ", ")
}

func isDateType(kind string) bool { return kind == "date" || kind == "date_nanos" }

// isGroupable reports whether a composite aggregation can group by a field of this
// type.
func isGroupable(kind string) bool {
	return isDateType(kind) || slices.Contains([]string{
		"keyword", "constant_keyword", "wildcard", "flattened", "ip", "boolean", "version",
		"long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float", "unsigned_long",
	}, kind)
}

// family returns the name of the types that group alike: the same value is the same
// term in each.
func family(kind string) string {
	switch kind {
	case "constant_keyword", "wildcard":
		return "keyword"
	case "integer", "short", "byte":
		return "long"
	case "date_nanos":
		return "date"
	}
	return kind
}
