package esquery

import (
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

func (e Exception) compile(fields kql.Fields) dsl {
	all := allOf(e.Entries, "", fields)
	if len(e.OSTypes) == 0 {
		return all
	}
	var of []dsl // as in Kibana: Elastic's endpoint sets the second
	for _, field := range []string{"host.os.type", "host.os.name.caseless"} {
		for _, os := range e.OSTypes {
			of = append(of, dsl{"match_phrase": dsl{field: os}})
		}
	}
	return dsl{"bool": dsl{"filter": []dsl{anyOf(of), all}}}
}

func allOf(entries []Entry, path string, fields kql.Fields) dsl {
	queries := make([]dsl, len(entries))
	for i, e := range entries {
		queries[i] = e.compile(path, fields)
		if e.Excluded {
			queries[i] = not(queries[i])
		}
	}
	return dsl{"bool": dsl{"filter": queries}}
}

func (e Entry) compile(path string, fields kql.Fields) dsl {
	name := path + e.Field
	switch e.Kind {
	case "nested":
		return dsl{"nested": dsl{"path": name, "query": allOf(e.Of, name+".", fields), "score_mode": "none", "ignore_unmapped": true}}
	case "exists":
		return exists(name)
	case "wildcard":
		return dsl{"wildcard": dsl{name: dsl{"value": e.Values[0]}}}
	}
	return anyOf(anyValue(name, fields[name], e))
}

// anyValue returns queries; an event with one of the values matches one of them. They
// are few if the type of the field allows: thousands of clauses are more than a cluster
// accepts.
func anyValue(name string, f kql.Field, e Entry) []dsl {
	values, ranges := e.Values, e.Ranges
	isKeyword := !f.Object && slices.Equal(f.Types, []string{"keyword"})
	isIP := !f.Object && slices.Equal(f.Types, []string{"ip"})
	var queries []dsl
	if isIP {
		values, ranges = addresses(values, ranges)
	}
	for _, r := range ranges {
		queries = append(queries, dsl{"range": dsl{name: dsl{"gte": r[0], "lte": r[1]}}})
	}
	switch {
	case e.IgnoreCase && slices.Contains(f.Types, "keyword") && isText(f.Types):
		for _, v := range values {
			queries = append(queries, ignoringCase(name, v))
			if !isKeyword {
				queries = append(queries, dsl{"match_phrase": dsl{name: v}})
			}
		}
	case isKeyword || isIP:
		for chunk := range slices.Chunk(values, maxTerms) {
			queries = append(queries, dsl{"terms": dsl{name: chunk}})
		}
	default:
		for _, v := range values {
			queries = append(queries, dsl{"match_phrase": dsl{name: v}})
		}
	}
	return queries
}

// isText reports whether all types hold text, whose case can be ignored.
func isText(types []string) bool {
	return !slices.ContainsFunc(types, func(kind string) bool { return !slices.Contains([]string{"keyword", "text", "match_only_text"}, kind) })
}

// excluding returns queries of which an event must match none. It uses few clauses:
// exclusions of the form `field: value` share one.
func (s Search) excluding(fields kql.Fields) ([]dsl, error) {
	var queries []dsl
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
		query, err := q.Compile(fields)
		if err != nil {
			return nil, excludeError(err)
		}
		queries = append(queries, query)
	}
	for _, name := range names {
		queries = append(queries, anyValue(name, fields[name], Entry{Values: together[name]})...)
	}
	for _, e := range s.Exceptions {
		queries = append(queries, e.compile(fields))
	}
	return queries, nil
}
