package esquery

import "newterms/esquery/kql"

// A Filter is one of a rule's filters: a query in Query DSL, or others joined.
type Filter struct {
	Query  map[string]any // nil if it joins others
	Negate bool
	Of     []Filter // all of which must match, or with Any one
	Any    bool
}

// compile gives the query that events must match, or with Negate must not.
func (f Filter) compile(fields kql.Fields) dsl {
	if f.Query != nil {
		return f.nested(fields)
	}
	var queries []dsl
	for _, of := range f.Of {
		query := of.compile(fields)
		if of.Negate {
			query = not(query)
		}
		queries = append(queries, query)
	}
	if f.Any {
		return anyOf(queries)
	}
	return dsl{"bool": dsl{"filter": queries}}
}

// nested wraps the query if its field is inside a nested one, where it would
// match nothing by itself.
func (f Filter) nested(fields kql.Fields) dsl {
	for _, name := range f.names() {
		if path := fields[name].NestedPath; path != "" {
			return dsl{"nested": dsl{"path": path, "query": f.Query, "score_mode": "none", "ignore_unmapped": true}}
		}
	}
	return f.Query
}

// names are the fields that the filter asks about, as far as it can be told.
func (f Filter) names() []string {
	var names []string
	for kind, body := range f.Query {
		options, _ := body.(map[string]any)
		switch kind {
		case "exists":
			if name, ok := options["field"].(string); ok {
				names = append(names, name)
			}
		case "match", "match_phrase", "match_phrase_prefix", "term", "terms", "range", "prefix", "wildcard", "regexp", "fuzzy":
			for name := range options {
				if name != "boost" && name != "_name" {
					names = append(names, name)
				}
			}
		}
	}
	for _, of := range f.Of {
		names = append(names, of.names()...)
	}
	return names
}
