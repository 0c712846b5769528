package query

import (
	"fmt"
	"slices"

	"newterms/esquery/kql"
)

// An Exception is an item of an exception list: an event that matches all of its
// entries is ignored.
type Exception struct {
	Name    string `json:"-"` // of the item, with that of its list
	Entries []Entry
	// OSTypes are operating systems: linux, macos or windows. The host must have one of
	// them; none means any host.
	OSTypes []string `json:",omitempty"`
}

// An Entry is a condition of an Exception, with the meaning that Kibana gives it.
// Letter case matters on keyword fields.
type Entry struct {
	Field string
	// Kind is match, match_any, exists, wildcard (with Elasticsearch's * and ?) or
	// nested.
	Kind     string
	Excluded bool        // the event must not match it
	Values   []string    // one, or any number for match_any
	Ranges   [][2]string // for match_any: from and to, both inclusive
	// IgnoreCase is for match_any: letter case is ignored on keyword fields.
	IgnoreCase bool
	// List names the value list of the values. With Addresses they are IP addresses,
	// networks and ranges, which only fields of type ip match.
	List      string  `json:"-"`
	Addresses bool    `json:"-"`
	Of        []Entry // for nested: conditions on one object of the field
}

// maxTerms is how many values a terms query may have (index.max_terms_count).
const maxTerms = 65_536

func (e Exception) names() []string {
	var names []string
	for _, entry := range e.Entries {
		names = append(names, entry.names("")...)
	}
	return names
}

func (e Entry) names(path string) []string {
	if e.Kind != "nested" {
		return []string{path + e.Field}
	}
	names := []string{e.Field + ".*"} // field_caps returns nothing for the path alone
	for _, of := range e.Of {
		names = append(names, of.names(e.Field+".")...)
	}
	return names
}

// Compile returns the query that an event must not match.
func (e Exception) Compile(fields kql.Fields) DSL {
	all := allOf(e.Entries, "", fields)
	if len(e.OSTypes) == 0 {
		return all
	}
	var of []DSL // as in Kibana: Elastic's endpoint sets the second
	for _, field := range []string{"host.os.type", "host.os.name.caseless"} {
		for _, os := range e.OSTypes {
			of = append(of, DSL{"match_phrase": DSL{field: os}})
		}
	}
	return DSL{"bool": DSL{"filter": []DSL{AnyOf(of), all}}}
}

func allOf(entries []Entry, path string, fields kql.Fields) DSL {
	queries := make([]DSL, len(entries))
	for i, e := range entries {
		queries[i] = e.compile(path, fields)
		if e.Excluded {
			queries[i] = Not(queries[i])
		}
	}
	return DSL{"bool": DSL{"filter": queries}}
}

func (e Entry) compile(path string, fields kql.Fields) DSL {
	name := path + e.Field
	switch e.Kind {
	case "nested":
		return DSL{"nested": DSL{"path": name, "query": allOf(e.Of, name+".", fields), "score_mode": "none", "ignore_unmapped": true}}
	case "exists":
		return Exists(name)
	case "wildcard":
		return DSL{"wildcard": DSL{name: DSL{"value": e.Values[0]}}}
	}
	return AnyOf(anyValue(name, fields[name], e))
}

// anyValue returns queries; an event with one of the values matches one of them. They
// are few if the type of the field allows: thousands of clauses are more than a cluster
// accepts.
func anyValue(name string, f kql.Field, e Entry) []DSL {
	values, ranges := e.Values, e.Ranges
	isKeyword := !f.Object && slices.Equal(f.Types, []string{"keyword"})
	isIP := !f.Object && slices.Equal(f.Types, []string{"ip"})
	var queries []DSL
	if isIP {
		values, ranges = addresses(values, ranges)
	}
	for _, r := range ranges {
		queries = append(queries, DSL{"range": DSL{name: DSL{"gte": r[0], "lte": r[1]}}})
	}
	switch {
	case e.IgnoreCase && slices.Contains(f.Types, "keyword") && isText(f.Types):
		for _, v := range values {
			queries = append(queries, ignoringCase(name, v))
			if !isKeyword {
				queries = append(queries, DSL{"match_phrase": DSL{name: v}})
			}
		}
	case isKeyword || isIP:
		for chunk := range slices.Chunk(values, maxTerms) {
			queries = append(queries, DSL{"terms": DSL{name: chunk}})
		}
	default:
		for _, v := range values {
			queries = append(queries, DSL{"match_phrase": DSL{name: v}})
		}
	}
	return queries
}

// OneOf selects events that have one of the texts, in any number, as a value.
func OneOf(name string, f kql.Field, values []string) DSL {
	return AnyOf(anyValue(name, f, Entry{Values: values}))
}

// isText reports whether all types hold text, whose case can be ignored.
func isText(types []string) bool {
	return !slices.ContainsFunc(types, func(kind string) bool { return !slices.Contains([]string{"keyword", "text", "match_only_text"}, kind) })
}

// excluding returns queries of which an event must match none. It uses few clauses:
// exclusions of the form `field: value` share one.
func (s Search) excluding(fields kql.Fields) ([]DSL, error) {
	var queries []DSL
	together := map[string][]string{}
	var names []string
	for _, q := range s.Exclude {
		name, values, ok := q.Values()
		if f := fields[name]; ok && !f.Object && f.NestedPath == "" && len(f.Types) == 1 && (f.Types[0] == "keyword" || f.Types[0] == "ip") {
			if together[name] == nil {
				names = append(names, name)
			}
			together[name] = append(together[name], values...)
			continue
		}
		query, err := CompileExclusion(q, fields)
		if err != nil {
			return nil, err
		}
		queries = append(queries, query)
	}
	for _, name := range names {
		queries = append(queries, anyValue(name, fields[name], Entry{Values: together[name]})...)
	}
	for _, e := range s.Exceptions {
		queries = append(queries, e.Compile(fields))
	}
	return queries, nil
}

// CompileExclusion returns the query that an event must not match.
func CompileExclusion(q kql.Query, fields kql.Fields) (DSL, error) {
	query, err := q.Compile(fields)
	if err != nil {
		return nil, fmt.Errorf("exclude: %w", err)
	}
	return query, nil
}
