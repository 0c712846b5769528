package cases

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"newterms/alerts/fields"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// A Types says how the fields of events are mapped.
type Types struct {
	types map[string]string // by path; "object" for parents
	// live says that types are those of existing indices: no pattern adds to them.
	live bool
}

// IntegrationTypes returns the types that the integrations of Elastic give to ECS and
// Okta fields.
func IntegrationTypes() Types { return Types{types: fields.OfEvents()} }

// A MappingError reports a mapping that TypesLike cannot read.
type MappingError struct{ err error }

func (e *MappingError) Error() string { return "--mapping-of: " + e.err.Error() }
func (e *MappingError) Unwrap() error { return e.err }

// TypesLike returns the types that fields have in the indices of a pattern, or in a .json
// file with an answer of GET INDEX/_mapping. Its error may be a *MappingError.
func TypesLike(ctx context.Context, of string, suites []Suite, connect func() (*elastic.Client, error)) (Types, error) {
	if strings.HasSuffix(of, ".json") {
		types, err := savedTypes(of)
		if err != nil {
			err = &MappingError{err}
		}
		return types, err
	}
	client, err := connect()
	if err != nil {
		return Types{}, err
	}
	types, err := typesOf(ctx, client, []string{of}, suites)
	if errors.As(err, new(*access.NotFoundError)) {
		err = &MappingError{fmt.Errorf("%v: name the indices to map fields as, or a file whose name ends with .json", err)}
	}
	return types, err
}

// typesOf returns the types that the fields of suites have in existing indices.
func typesOf(ctx context.Context, client *elastic.Client, indices []string, suites []Suite) (Types, error) {
	var names []string
	for _, s := range suites {
		names = append(names, s.Fields()...)
	}
	all := slices.Clone(names)
	for _, name := range names {
		for i, r := range name {
			if r == '.' {
				all = append(all, name[:i])
			}
		}
	}
	slices.Sort(all)
	m, err := access.ReadMapping(ctx, client, indices, slices.Compact(all))
	if err != nil {
		return Types{}, err
	}
	t := Types{types: map[string]string{}, live: true}
	for name, f := range m.Fields {
		t.types[name] = slices.Min(f.Types)
	}
	return t, nil
}

// savedTypes returns the types in a file with an answer of GET INDEX/_mapping.
func savedTypes(path string) (Types, error) {
	t := Types{types: map[string]string{}, live: true}
	text, err := os.ReadFile(path)
	if err != nil {
		return t, err
	}
	var answer map[string]struct {
		Mappings savedMapping `json:"mappings"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return t, fmt.Errorf("%s is no answer of GET INDEX/_mapping: %w", path, err)
	}
	for _, index := range answer {
		index.Mappings.addTo(t.types, "")
	}
	if len(t.types) == 0 {
		return t, fmt.Errorf("%s is no answer of GET INDEX/_mapping: it has no field", path)
	}
	return t, nil
}

// savedMapping is a mapping, or a field of one.
type savedMapping struct {
	Type       string                  `json:"type"`
	Properties map[string]savedMapping `json:"properties"`
	Fields     map[string]savedMapping `json:"fields"`
}

func (m savedMapping) addTo(types map[string]string, path string) {
	for _, children := range []map[string]savedMapping{m.Properties, m.Fields} {
		for name, child := range children {
			types[path+name] = cmp.Or(child.Type, "object")
			child.addTo(types, path+name+".")
		}
	}
}

// Unknown lists those of some fields whose types are not known.
func (t Types) Unknown(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, known := t.of(name)
		return known
	})
}

// of returns the type of a field. known is false for one that nothing tells: it is a
// keyword.
func (t Types) of(path string) (kind string, known bool) {
	if kind, ok := t.types[path]; ok {
		return kind, true
	}
	for i, r := range path { // what is below an object that is kept as a whole
		if r == '.' && t.types[path[:i]] == "flattened" {
			return "", true
		}
	}
	if kind := byName(path); kind != "" && !t.live {
		return kind, true
	}
	return "keyword", false
}

// byName returns the type that ECS gives to fields of such a name; "" for others.
func byName(path string) string {
	last := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case last == "ip" || strings.HasSuffix(last, "_ip"):
		return "ip"
	case slices.Contains([]string{"created", "ingested", "start", "end", "accessed", "ctime", "mtime", "installed", "not_before", "not_after", "timestamp"}, last):
		return "date"
	case slices.Contains([]string{"port", "pid", "ppid", "bytes", "packets", "status_code", "size", "number"}, last):
		return "long"
	case last == "location":
		return "geo_point"
	case last == "message" || last == "text":
		return "text"
	}
	return ""
}
