package kql

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A FieldError says that a query treats a field against its mapping.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return fmt.Sprintf("KQL: field %s %s", e.Field, e.Reason) }

type dsl = map[string]any

// Compile returns the query as Query DSL, ready for encoding/json.
// Its error is a *FieldError.
func (q Query) Compile(fields Fields) (map[string]any, error) {
	if q.root == nil {
		return dsl{"match_all": dsl{}}, nil
	}
	return newCompiler(fields).compile(q.root)
}

// compiler compiles what stands inside the nested path, "" at the top.
type compiler struct {
	fields  Fields
	names   []string            // of the fields, sorted
	matched map[*value][]string // the fields of a pattern, which a list of values shares
	path    string
}

func newCompiler(fields Fields) compiler {
	return compiler{fields: fields, names: slices.Sorted(maps.Keys(fields)), matched: map[*value][]string{}}
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

func (c compiler) nested(n nested) (dsl, error) {
	c.path = c.inside(n.path.String())
	if n.path.kind == wildcard {
		return nil, &FieldError{c.path, "is a pattern, but a nested group takes the name of one field"}
	}
	query, err := c.compile(n.group)
	return inNested(c.path, query), err
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
	if n.field == nil || n.field.kind == null {
		return anywhere(n.value), nil
	}
	if n.field.isStar() && n.value.isStar() {
		return dsl{"match_all": dsl{}}, nil
	}
	return c.eachField(n.field, func(name string, f Field) dsl { return isIn(name, f, n.value) })
}

// anywhere is free text: a value without a field.
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
	case f.isDate():
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
		if f.isDate() {
			bound = withTimeZone(bound, n.value)
		}
		return dsl{"range": dsl{name: bound}}
	})
}

// withTimeZone reads dates as UTC. Epoch milliseconds take no time zone.
func withTimeZone(bounds dsl, v value) dsl {
	if strings.Trim(v.String(), "0123456789") != "" {
		bounds["time_zone"] = "Zulu"
	}
	return bounds
}

// eachField asks for a match in any of the fields that the name stands for.
func (c compiler) eachField(name *value, clause func(name string, f Field) dsl) (dsl, error) {
	var known []string
	if name.kind == wildcard {
		known = c.matching(name)
	} else if err := c.checkNesting(c.inside(name.String())); err != nil {
		return nil, err
	}
	if len(known) == 0 {
		known = []string{c.inside(name.String())}
	}
	queries := make([]dsl, len(known))
	for i, field := range known {
		f := c.fields[field]
		queries[i] = clause(field, f)
		if f.NestedPath != "" && c.path == "" {
			queries[i] = inNested(f.NestedPath, queries[i])
		}
	}
	return anyOf(queries), nil
}

// checkNesting refuses what Elasticsearch would silently never match.
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

func (c compiler) matching(name *value) []string {
	if names, ok := c.matched[name]; ok {
		return names
	}
	pieces := slices.Clone(name.pieces)
	pieces[0] = c.inside(pieces[0])
	var names []string
	for _, field := range c.names {
		if matches(pieces, field) {
			names = append(names, field)
		}
	}
	c.matched[name] = names
	return names
}

// matches reports whether s is the pieces with anything between them.
func matches(pieces []string, s string) bool {
	last := len(pieces) - 1
	s, ok := strings.CutPrefix(s, pieces[0])
	if !ok {
		return false
	}
	for _, piece := range pieces[1:last] {
		if _, s, ok = strings.Cut(s, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, pieces[last])
}

func (c compiler) inside(name string) string {
	if c.path == "" {
		return name
	}
	return c.path + "." + name
}

// inNested finds nothing in an index where the path is not nested, be it an
// object or not mapped. Elasticsearch would fail the index, and so the search.
func inNested(path string, query dsl) dsl {
	return dsl{"nested": dsl{"path": path, "query": query, "score_mode": "none", "ignore_unmapped": true}}
}

func anyOf(queries []dsl) dsl {
	return dsl{"bool": dsl{"should": queries, "minimum_should_match": 1}}
}

// pattern is v for wildcard and query_string: only its own wildcards are left
// unescaped, so a `?` in KQL stays a question mark.
func pattern(v value) string {
	pieces := make([]string, len(v.pieces))
	for i, piece := range v.pieces {
		var b strings.Builder
		for _, r := range piece {
			if strings.ContainsRune(`+-=&|><!(){}[]^"~*?:\/`, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		pieces[i] = b.String()
	}
	return strings.Join(pieces, "*")
}
