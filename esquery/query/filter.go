package query

import (
	"maps"
	"slices"

	"newterms/esquery/kql"
)

// A Filter is one of a rule's filters: a query in Query DSL, or a combination of
// others. Without either it matches every event.
type Filter struct {
	Query  map[string]any
	Negate bool
	Of     []Filter // all must match, or with Any one of them
	Any    bool
	// Field is the one field that the filter is about, "" if Kibana knows of none. A
	// filter about a nested field is wrapped in a nested query if the field is also
	// loaded: as the Key of a filter, or by the rule's query.
	Field string `json:"-"`
	Key   string `json:"-"`
	// Former reports that Kibana turns 1 and 0 into true and false for boolean fields.
	Former bool `json:"-"`
}

// compile returns the query that events must match, or with Negate must not. known are
// the fields that Kibana knows when it compiles the rule.
func (f Filter) compile(known kql.Fields) DSL {
	switch {
	case f.Query != nil:
		return f.nested(known)
	case len(f.Of) == 0:
		return DSL{"match_all": DSL{}}
	}
	var queries []DSL
	for _, of := range f.Of {
		query := of.compile(known)
		if of.Negate {
			query = Not(query)
		}
		queries = append(queries, query)
	}
	if f.Any {
		return AnyOf(queries)
	}
	return DSL{"bool": DSL{"filter": queries}}
}

// nested wraps the query if its field is inside a nested one, where it would otherwise
// match nothing.
func (f Filter) nested(known kql.Fields) DSL {
	field := known[f.Field]
	query := f.Query
	if f.Former && slices.Equal(field.Types, []string{"boolean"}) {
		query = withBoolean(query, f.Field)
	}
	if field.NestedPath != "" {
		return DSL{"nested": DSL{"path": field.NestedPath, "query": query, "score_mode": "none", "ignore_unmapped": true}}
	}
	return query
}

// withBoolean replaces the number in a match_phrase by the boolean that it means.
func withBoolean(query DSL, field string) DSL {
	match, _ := query["match_phrase"].(map[string]any)
	options, _ := match[field].(map[string]any)
	changed := DSL{}
	maps.Copy(changed, options)
	switch options["query"] {
	case int64(1):
		changed["query"] = true
	case int64(0):
		changed["query"] = false
	}
	return DSL{"match_phrase": DSL{field: changed}}
}

// keysOf lists the keys that filters make Kibana load as fields. Some are no fields.
func keysOf(filters []Filter) []string {
	var keys []string
	for _, f := range filters {
		if keys = append(keys, keysOf(f.Of)...); f.Key != "" {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// names lists the fields in the filter, as far as they can be recognized.
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
	if f.Field != "" {
		names = append(names, f.Field)
	}
	return names
}
