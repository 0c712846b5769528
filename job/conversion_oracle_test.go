package job_test

import (
	"regexp"
	"slices"
	"strings"
)

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
