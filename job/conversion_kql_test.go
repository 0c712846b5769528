package job_test

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// The fields of the conversions' index, and what a nested one stands in.
func conversionFields() map[string]struct{ kind, path string } {
	return map[string]struct{ kind, path string }{
		"@timestamp": {"date", ""}, "user": {"keyword", ""}, "k": {"keyword", ""}, "t": {"text", ""}, "n": {"long", ""}, "b": {"boolean", ""}, "d": {"date", ""}, "ip": {"ip", ""},
		"obj.k": {"keyword", ""}, "obj.n": {"long", ""},
		"nst.k": {"keyword", "nst"}, "nst.t": {"text", "nst"}, "nst.n": {"long", "nst"}, "nst.b": {"boolean", "nst"}, "nst.d": {"date", "nst"},
		"nst.null": {"keyword", "nst"}, "nst.deep.k": {"keyword", "nst.deep"},
	}
}

// A literal is a field name or value of KQL: how it is written and what Kibana's
// parser makes of it.
type literal struct {
	written string
	quoted  bool
	value   any      // a text, a bool or nil
	pieces  []string // of a wildcard, else nil
}

func plainLiteral(text string) literal { return literal{written: text, value: text} }

func wildLiteral(text string) literal {
	return literal{written: text, value: text, pieces: strings.Split(text, "*")}
}

func (l literal) isStar() bool { return l.pieces != nil && l.value == "*" }

// A tree is a parsed query. kind is and, or, not, nested, is or an operator of a
// range. Free text is an is whose field is null.
type tree struct {
	kind         string
	of           []tree
	field, value literal
}

func pickOne[T any](random *rand.Rand, values ...T) T { return values[random.IntN(len(values))] }

// randomTree is a query inside a path, "" for outside of any.
func randomTree(random *rand.Rand, path string, depth int) tree {
	switch roll := random.IntN(10); {
	case depth > 0 && roll < 4:
		t := tree{kind: pickOne(random, "and", "or")}
		for range 2 + random.IntN(2) {
			t.of = append(t.of, randomTree(random, path, depth-1))
		}
		return t
	case depth > 0 && roll < 5:
		return tree{kind: "not", of: []tree{randomTree(random, path, depth-1)}}
	case depth > 0 && roll < 8:
		inner := plainLiteral(pickOne(random, "nst", "nst", "nst", "nst", "nst.deep", "obj", "k", "nowhere"))
		if path != "" {
			inner = plainLiteral(pickOne(random, "deep", "deep", "k", "nowhere"))
		}
		inside := strings.TrimPrefix(path+"."+inner.written, ".")
		return tree{kind: "nested", field: inner, of: []tree{randomTree(random, inside, depth-1)}}
	}
	field := randomField(random, path)
	if random.IntN(6) == 0 && field.value != nil {
		return tree{kind: pickOne(random, "lt", "lte", "gt", "gte"), field: field,
			value: plainLiteral(pickOne(random, "5", "7", "rome", "2026-03-02", "10.0.0.5"))}
	}
	return tree{kind: "is", field: field, value: randomValue(random)}
}

func randomField(random *rand.Rand, path string) literal {
	if random.IntN(8) == 0 {
		return literal{written: pickOne(random, "", "null")}
	}
	if path != "" {
		text := pickOne(random, "k", "k", "t", "n", "b", "d", "deep.k", "x", "k*", "*", "*.k", "n*")
		if path == "nst.deep" {
			text = pickOne(random, "k", "k", "k*", "x")
		}
		return fieldLiteral(text)
	}
	return fieldLiteral(pickOne(random, "k", "k", "k", "t", "t", "n", "b", "d", "ip", "obj.k", "obj.n", "x", "nst.k",
		"k*", "obj.*", "*k", "nst.k*", "nst.d*", "ns*.t", "x*", "*"))
}

func fieldLiteral(text string) literal {
	if strings.Contains(text, "*") {
		return wildLiteral(text)
	}
	return plainLiteral(text)
}

func randomValue(random *rand.Rand) literal {
	return pickOne(random,
		plainLiteral("rome"), plainLiteral("rome"), plainLiteral("S3 one"), plainLiteral("oslo rome"), plainLiteral("7"), plainLiteral("2026-03-02"),
		literal{written: `"rome"`, quoted: true, value: "rome"}, literal{written: `"S3 one"`, quoted: true, value: "S3 one"},
		literal{written: `"7"`, quoted: true, value: "7"}, literal{written: `"*"`, quoted: true, value: "*"}, literal{written: `x\*y`, value: "x*y"},
		literal{written: "true", value: true}, literal{written: "false", value: false}, literal{written: "null"},
		wildLiteral("*"), wildLiteral("*"), wildLiteral("ro*"), wildLiteral("*o*"), wildLiteral("S3 on*"), wildLiteral("S3 o*e"), wildLiteral("a-*"), wildLiteral("**"),
		plainLiteral("10.0.0.7"), plainLiteral("10.0.0.0/24"),
	)
}

// kql writes the tree out.
func (t tree) kql() string {
	switch t.kind {
	case "and", "or":
		var of []string
		for _, child := range t.of {
			of = append(of, child.kql())
		}
		return "(" + strings.Join(of, " "+t.kind+" ") + ")"
	case "not":
		return "not (" + t.of[0].kql() + ")"
	case "nested":
		return t.field.written + ":{ " + t.of[0].kql() + " }"
	case "is":
		if t.field.written == "" {
			return t.value.written
		}
		return t.field.written + ": " + t.value.written
	}
	return t.field.written + map[string]string{"lt": " < ", "lte": " <= ", "gt": " > ", "gte": " >= "}[t.kind] + t.value.written
}

// names are the fields that Kibana loads for the query: of a group the path.
func (t tree) names() []literal {
	switch t.kind {
	case "and", "or", "not":
		var all []literal
		for _, child := range t.of {
			all = append(all, child.names()...)
		}
		return all
	}
	if t.field.value == nil {
		return nil
	}
	return []literal{t.field}
}

// A kibana converts as Kibana does, with the fields that it loaded.
type kibana struct{ loaded []string }

func kibanaWith(names []literal) kibana {
	var k kibana
	for name := range conversionFields() {
		if slices.ContainsFunc(names, func(l literal) bool { return l.stands(name) }) {
			k.loaded = append(k.loaded, name)
		}
	}
	slices.Sort(k.loaded)
	return k
}

func (l literal) stands(name string) bool {
	if l.pieces == nil {
		return l.value == name
	}
	var quoted []string
	for _, piece := range l.pieces {
		quoted = append(quoted, regexp.QuoteMeta(piece))
	}
	return regexp.MustCompile(`^` + strings.Join(quoted, `.*`) + `$`).MatchString(name)
}

// convert returns false where Kibana fails the rule.
func (k kibana) convert(t tree, path string) (dsl, bool) {
	var of []dsl
	inside := path
	if t.kind == "nested" {
		inside = strings.TrimPrefix(path+"."+t.field.written, ".")
	}
	for _, child := range t.of {
		query, ok := k.convert(child, inside)
		if !ok {
			return nil, false
		}
		of = append(of, query)
	}
	switch t.kind {
	case "and":
		return dsl{"bool": dsl{"filter": of}}, true
	case "or":
		return dsl{"bool": dsl{"should": of, "minimum_should_match": 1}}, true
	case "not":
		return dsl{"bool": dsl{"must_not": of[0]}}, true
	case "nested":
		nested := dsl{"path": inside, "query": of[0], "score_mode": "none"}
		if !isMapped(inside) {
			nested["ignore_unmapped"] = true // newterms finds nothing where Kibana fails the shard
		}
		return dsl{"nested": nested}, true
	}
	return k.leaf(t, path)
}

func isMapped(path string) bool {
	for name := range conversionFields() {
		if name == path || strings.HasPrefix(name, path+".") {
			return true
		}
	}
	return false
}

// hasPlainGroup reports a nested group of a field that is not nested.
func (t tree) hasPlainGroup(path string) bool {
	inside := path
	if t.kind == "nested" {
		inside = strings.TrimPrefix(path+"."+t.field.written, ".")
		if isMapped(inside) && inside != "nst" && inside != "nst.deep" {
			return true
		}
	}
	return slices.ContainsFunc(t.of, func(child tree) bool { return child.hasPlainGroup(inside) })
}

func (k kibana) leaf(t tree, path string) (dsl, bool) {
	field := t.field
	if field.isStar() && t.value.isStar() && t.kind == "is" {
		return dsl{"match_all": dsl{}}, true
	}
	if field.value == nil && path == "" {
		switch {
		case t.value.pieces != nil:
			return dsl{"query_string": dsl{"query": t.value.escaped()}}, true
		case t.value.quoted:
			return dsl{"multi_match": dsl{"type": "phrase", "query": t.value.value, "lenient": true}}, true
		}
		return dsl{"multi_match": dsl{"type": "best_fields", "query": t.value.value, "lenient": true}}, true
	}
	if field.value == nil {
		field = plainLiteral("null")
	}
	if path != "" {
		field = fieldLiteral(path + "." + field.value.(string))
	}
	var names []string
	for _, name := range k.loaded {
		nested := conversionFields()[name].path
		if !field.stands(name) {
			continue
		}
		if (field.pieces == nil || path != "") && nested != path {
			return nil, false
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		names = []string{field.value.(string)}
	}
	var queries []dsl
	for _, name := range names {
		query := k.clause(t, name)
		if nested := conversionFields()[name].path; slices.Contains(k.loaded, name) && nested != "" && path == "" {
			query = dsl{"nested": dsl{"path": nested, "query": query, "score_mode": "none"}}
		}
		queries = append(queries, query)
	}
	return dsl{"bool": dsl{"should": queries, "minimum_should_match": 1}}, true
}

// clause asks one field.
func (k kibana) clause(t tree, name string) dsl {
	kind := ""
	if slices.Contains(k.loaded, name) {
		kind = conversionFields()[name].kind
	}
	bounds := dsl{}
	if text, isText := t.value.value.(string); kind == "date" && (!isText || strings.Trim(text, "0123456789") != "") {
		bounds["time_zone"] = "Zulu"
	}
	v := t.value
	switch {
	case t.kind != "is":
		bounds[t.kind] = v.value
		return dsl{"range": dsl{name: bounds}}
	case v.isStar():
		return dsl{"exists": dsl{"field": name}}
	case v.pieces != nil && kind == "keyword":
		return dsl{"wildcard": dsl{name: dsl{"value": v.escaped()}}}
	case v.pieces != nil:
		return dsl{"query_string": dsl{"fields": []string{name}, "query": v.escaped()}}
	case kind == "date":
		bounds["gte"], bounds["lte"] = v.value, v.value
		return dsl{"range": dsl{name: bounds}}
	case kind == "keyword":
		return dsl{"term": dsl{name: dsl{"value": v.value}}}
	case v.quoted:
		return dsl{"match_phrase": dsl{name: v.value}}
	}
	return dsl{"match": dsl{name: v.value}}
}

var queryOperators = regexp.MustCompile(`[+\-=&|><!(){}\[\]^"~*?:\\/]`)

func (l literal) escaped() string {
	var pieces []string
	for _, piece := range l.pieces {
		pieces = append(pieces, queryOperators.ReplaceAllString(piece, `\$0`))
	}
	return strings.Join(pieces, "*")
}
