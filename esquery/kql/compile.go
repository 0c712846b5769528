package kql

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A FieldError reports that a query does not fit the mapping of a field.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return fmt.Sprintf("KQL: field %s %s", e.Field, e.Reason) }

type dsl = map[string]any

// Compile returns the query as Query DSL, ready for encoding/json. also are names that
// Known receives too. Its error is a *FieldError.
func (q Query) Compile(fields Fields, also ...string) (map[string]any, error) {
	if q.root == nil {
		return dsl{"match_all": dsl{}}, nil
	}
	c := newCompiler(fields)
	c.inGroups = sync.OnceValue(func() compiler { return newCompiler(q.Known(fields, also...)) })
	return c.compile(q.root)
}

// A compiler compiles the nodes inside a nested path, "" at the top.
type compiler struct {
	fields   Fields
	names    func() []string     // of the fields, sorted
	matched  map[*value][]string // the fields that match a pattern; a list of values shares one
	path     string
	inGroups func() compiler // returns a compiler with the fields that are known inside groups
	mapping  Fields          // all fields, also inside a group
	never    map[string]bool // by path: whether it is nested in no index
}

func newCompiler(fields Fields) compiler {
	names := sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(fields)) })
	return compiler{fields: fields, names: names, matched: map[*value][]string{}, mapping: fields, never: map[string]bool{}}
}

func (c compiler) compile(n node) (dsl, error) {
	switch n := n.(type) {
	case chain:
		return c.chain(n)
	case not:
		query, err := c.compile(n.node)
		return dsl{"bool": dsl{"must_not": query}}, err
	case nested:
		return c.nested(n)
	case is:
		return c.is(n)
	case compare:
		return c.compare(n)
	default:
		return nil, fmt.Errorf("KQL: no query for a %T", n)
	}
}

// nested compiles a group. Inside, the fields that are also named outside are known.
func (c compiler) nested(n nested) (dsl, error) {
	path := c.inside(n.path.String())
	if n.path.kind == wildcard {
		return nil, &FieldError{path, "is a pattern, but a nested group takes the name of one field"}
	}
	never, known := c.never[path]
	if !known {
		never = c.mapping.neverNested(path)
		c.never[path] = never
	}
	if never {
		return nil, &FieldError{path, "is not nested, but has a nested group: " + path + ":{ }"}
	}
	inside := c.inGroups()
	c.fields, c.names, c.matched, c.path = inside.fields, inside.names, inside.matched, path
	query, err := c.compile(n.group)
	return inNested(path, query), err
}

func (c compiler) chain(n chain) (dsl, error) {
	queries := make([]dsl, len(n.nodes))
	for i, child := range n.nodes {
		var err error
		if queries[i], err = c.compile(child); err != nil {
			return nil, err
		}
	}
	if n.or {
		return anyOf(queries), nil
	}
	return dsl{"bool": dsl{"filter": queries}}, nil
}

func (c compiler) is(n is) (dsl, error) {
	switch noField := n.field == nil || n.field.kind == null; {
	case noField && c.path == "":
		return anywhere(n.value), nil
	case noField: // Kibana searches a field of this name
		return anyOf([]dsl{isIn(c.inside("null"), Field{}, n.value)}), nil
	case n.field.isStar() && n.value.isStar():
		return dsl{"match_all": dsl{}}, nil
	}
	return c.eachField(n.field, func(name string, f Field) dsl { return isIn(name, f, n.value) })
}

// anywhere compiles free text: a value without a field.
func anywhere(v value) dsl {
	if v.kind == wildcard {
		return dsl{"query_string": dsl{"query": pattern(v)}}
	}
	kind := "best_fields"
	if v.quoted {
		kind = "phrase"
	}
	return dsl{"multi_match": dsl{"type": kind, "query": v.json(), "lenient": true}}
}

func isIn(name string, f Field, v value) dsl {
	switch {
	case v.isStar():
		return dsl{"exists": dsl{"field": name}}
	case v.kind == wildcard && f.isKeyword():
		return dsl{"wildcard": dsl{name: dsl{"value": pattern(v)}}}
	case v.kind == wildcard:
		return dsl{"query_string": dsl{"fields": []string{name}, "query": pattern(v)}}
	case f.IsDate():
		return dsl{"range": dsl{name: withTimeZone(dsl{"gte": v.json(), "lte": v.json()}, v)}}
	case f.isKeyword():
		return dsl{"term": dsl{name: dsl{"value": v.json()}}}
	case v.quoted:
		return dsl{"match_phrase": dsl{name: v.json()}}
	default:
		return dsl{"match": dsl{name: v.json()}}
	}
}

func (c compiler) compare(n compare) (dsl, error) {
	return c.eachField(n.field, func(name string, f Field) dsl {
		bound := dsl{n.op: n.value.json()}
		if f.IsDate() {
			bound = withTimeZone(bound, n.value)
		}
		return dsl{"range": dsl{name: bound}}
	})
}

// withTimeZone makes dates UTC. Epoch milliseconds accept no time zone.
func withTimeZone(bounds dsl, v value) dsl {
	if strings.Trim(v.String(), "0123456789") != "" {
		bounds["time_zone"] = "Zulu"
	}
	return bounds
}

// eachField matches if any field with the name or pattern matches.
func (c compiler) eachField(name *value, clause func(name string, f Field) dsl) (dsl, error) {
	known := []string{c.inside(name.String())}
	isPattern := name.kind == wildcard
	if matching := c.named(name); isPattern && len(matching) > 0 {
		known = matching
	}
	queries := make([]dsl, len(known))
	for i, field := range known {
		if err := c.checkNesting(field); err != nil && (!isPattern || c.path != "") {
			return nil, err
		}
		f := c.fields[field]
		queries[i] = clause(field, f)
		if f.NestedPath != "" && c.path == "" {
			queries[i] = inNested(f.NestedPath, queries[i])
		}
	}
	return anyOf(queries), nil
}

// checkNesting refuses a field that Elasticsearch would silently never match.
func (c compiler) checkNesting(name string) error {
	f, ok := c.fields[name]
	switch {
	case !ok || f.mayStandIn(c.path):
		return nil
	case c.path == "":
		return &FieldError{name, fmt.Sprintf("is nested: write it inside %s:{ }", f.NestedPath)}
	case f.NestedPath == "":
		return &FieldError{name, fmt.Sprintf("is not nested, but stands inside %s:{ }", c.path)}
	default:
		return &FieldError{name, fmt.Sprintf("stands inside %s:{ }, but its nested path is %s", c.path, f.NestedPath)}
	}
}

func (c compiler) inside(name string) string { return inside(c.path, name) }

// inNested matches nothing in an index where the path is not nested: an object, or not
// mapped. Elasticsearch would otherwise fail the index, and so the search.
func inNested(path string, query dsl) dsl {
	return dsl{"nested": dsl{"path": path, "query": query, "score_mode": "none", "ignore_unmapped": true}}
}

func anyOf(queries []dsl) dsl {
	return dsl{"bool": dsl{"should": queries, "minimum_should_match": 1}}
}
