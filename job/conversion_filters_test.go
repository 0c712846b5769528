package job_test

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// randomFilter is one of Kibana's filters, new and old, combined and disabled.
func randomFilter(random *rand.Rand, depth int) dsl {
	meta := dsl{}
	if random.IntN(3) == 0 {
		meta["negate"] = random.IntN(2) == 0
	}
	if random.IntN(6) == 0 {
		meta["disabled"] = random.IntN(2) == 0
	}
	if depth > 0 && random.IntN(3) == 0 {
		members := []dsl{}
		for range random.IntN(4) {
			members = append(members, randomFilter(random, depth-1))
		}
		meta["type"], meta["relation"], meta["params"] = "combined", pickOne(random, "AND", "OR"), members
		return dsl{"meta": meta}
	}
	field := pickOne(random, "k", "t", "n", "b", "obj.k", "nst.k", "nst.k", "nst.t", "nst.n", "nst.b", "nst.deep.k", "x")
	var value any = pickOne(random, "rome", "S3 one", "oslo rome")
	switch conversionFields()[field].kind {
	case "long":
		value = pickOne(random, 7, 8)
	case "boolean":
		value = pickOne(random, true, false)
	}
	if random.IntN(4) > 0 {
		meta["key"] = field
	}
	query := dsl{}
	kind := pickOne(random, "exists", "phrase", "phrases", "range", "former", "term", "custom", "match_all")
	switch kind {
	case "exists":
		query["exists"] = dsl{"field": field}
	case "phrase":
		query["match_phrase"] = dsl{field: value}
	case "phrases":
		query["bool"] = dsl{"minimum_should_match": 1, "should": []dsl{{"match_phrase": dsl{field: value}}, {"match_phrase": dsl{field: value}}}}
	case "range":
		query["range"] = dsl{field: dsl{"gte": value}}
	case "former":
		if conversionFields()[field].kind == "boolean" {
			value = pickOne[any](random, 1, 0, "true", true)
		}
		query["match"] = dsl{field: dsl{"query": value, "type": "phrase"}}
	case "term":
		query["term"] = dsl{field: dsl{"value": value}}
	case "custom":
		query["bool"] = dsl{"must": []dsl{{"match_phrase": dsl{field: value}}}}
	case "match_all":
		query["match_all"] = dsl{}
	}
	// A range without a key that says its type fails in Kibana if it is old.
	old := random.IntN(4) == 0 && kind != "range"
	if kind == "phrases" || random.IntN(2) == 0 {
		meta["type"] = map[string]string{"former": "phrase", "term": "custom"}[kind]
		if meta["type"] == "" {
			meta["type"] = kind
		}
	}
	if !old {
		return dsl{"meta": meta, "query": query}
	}
	query["meta"] = meta
	return query
}

// parts are a filter's meta and query, which in the old style stand beside.
func parts(filter dsl) (meta, query dsl) {
	meta, _ = filter["meta"].(dsl)
	if query, ok := filter["query"].(dsl); ok {
		return meta, query
	}
	query = maps.Clone(filter)
	delete(query, "meta")
	return meta, query
}

// fieldOf is what a filter is about for Kibana.
func fieldOf(meta, query dsl) string {
	only := func(options any) string {
		for name := range options.(dsl) {
			return name
		}
		return ""
	}
	match, _ := query["match"].(dsl)
	kind, _ := meta["type"].(string)
	switch {
	case query["exists"] != nil:
		return query["exists"].(dsl)["field"].(string)
	case query["match_phrase"] != nil:
		return only(query["match_phrase"])
	case match != nil:
		return only(match)
	case kind == "phrases":
		key, _ := meta["key"].(string)
		return key
	case query["range"] != nil && (kind == "" || kind == "range"):
		return only(query["range"])
	}
	return ""
}

// loadedBy are the fields that a filter has Kibana load.
func loadedBy(filter dsl) []literal {
	meta, query := parts(filter)
	if meta["disabled"] == true {
		return nil
	}
	var names []literal
	if members, ok := meta["params"].([]dsl); ok {
		for _, member := range members {
			names = append(names, loadedBy(member)...)
		}
		return names
	}
	name, given := meta["key"].(string)
	if _, isNew := filter["query"]; !given && isNew {
		name = fieldOf(meta, query)
	}
	if name == "" {
		return nil
	}
	return []literal{plainLiteral(name)}
}

// isEmpty reports a combined filter, or a member of one, that has no members but
// disabled ones.
func isEmpty(filter dsl) bool {
	meta, _ := parts(filter)
	members, ok := meta["params"].([]dsl)
	return ok && (slices.ContainsFunc(members, isEmpty) ||
		!slices.ContainsFunc(members, func(m dsl) bool { meta, _ := parts(m); return meta["disabled"] != true }))
}

// filters converts several that must all match.
func (k kibana) filters(filters []dsl) dsl {
	joined := map[bool][]dsl{true: {}, false: {}}
	for _, f := range filters {
		if meta, _ := parts(f); meta["disabled"] != true {
			joined[meta["negate"] == true] = append(joined[meta["negate"] == true], k.filter(f))
		}
	}
	return dsl{"bool": dsl{"must": []dsl{}, "filter": joined[false], "should": []dsl{}, "must_not": joined[true]}}
}

func (k kibana) filter(filter dsl) dsl {
	meta, query := parts(filter)
	if members, ok := meta["params"].([]dsl); ok && meta["relation"] == "AND" {
		return k.filters(members)
	} else if ok {
		should := []dsl{}
		for _, member := range members {
			should = append(should, k.filters([]dsl{member}))
		}
		return dsl{"bool": dsl{"should": should, "minimum_should_match": 1}}
	}
	field := fieldOf(meta, query)
	known := slices.Contains(k.loaded, field)
	if match, ok := query["match"].(dsl); ok {
		value := match[field].(dsl)["query"]
		if known && conversionFields()[field].kind == "boolean" {
			value = value == 1 || value == "true" || value == true
		}
		query = dsl{"match_phrase": dsl{field: dsl{"query": value}}}
	}
	if nested := conversionFields()[field].path; known && nested != "" {
		return dsl{"nested": dsl{"path": nested, "query": query}}
	}
	return query
}
