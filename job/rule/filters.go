package rule

import (
	"maps"
	"slices"

	"newterms/esquery/query"
	"newterms/job/rule/document"
)

// filters reads [[rule.filters]]. Kibana's filters have a Query DSL body under query,
// or in the old style beside meta, or combine others.
func (t *tableReader) filters() []query.Filter {
	list, _ := document.Tables(t.table["filters"])
	var filters []query.Filter
	for _, f := range list {
		if filter, ok := t.filter(f); ok {
			filters = append(filters, filter)
		}
	}
	return filters
}

// filter returns false for a filter that every event matches, such as a disabled one,
// and for one that it does not understand.
func (t *tableReader) filter(f map[string]any) (query.Filter, bool) {
	meta, _ := f["meta"].(map[string]any)
	disabled, negate := t.flag(meta, "disabled"), t.flag(meta, "negate")
	if disabled {
		return query.Filter{}, false
	}
	if meta["type"] == "combined" {
		joined, ok := t.combined(meta)
		joined.Negate = negate
		return joined, ok || negate
	}
	body, ok := f["query"].(map[string]any)
	if !ok {
		body = map[string]any{}
		for name, value := range f {
			if name != "meta" && name != "$state" {
				body[name] = value
			}
		}
	}
	if len(body) != 1 {
		t.problem("a filter must hold one query, not %d", len(body))
		return query.Filter{}, false
	}
	filter := query.Filter{Negate: negate}
	filter.Query, filter.Former = withoutPhraseType(body)
	filter.Field = filterField(meta, filter.Query)
	if key, given := meta["key"].(string); given {
		filter.Key = key
	} else if _, isNew := f["query"].(map[string]any); isNew && meta != nil {
		filter.Key = filter.Field
	}
	return filter, true
}

// flag reads an optional boolean.
func (t *tableReader) flag(meta map[string]any, name string) bool {
	value, given := meta[name]
	flag, ok := value.(bool)
	if given && !ok {
		t.problem("meta.%s of a filter is neither true nor false", name)
	}
	return flag
}

// combined reads a filter that joins others by AND or OR. It ignores disabled members
// of AND; a disabled member of OR matches every event. It returns false if no member is
// left.
func (t *tableReader) combined(meta map[string]any) (query.Filter, bool) {
	members, ok := document.Tables(meta["params"])
	relation := meta["relation"]
	// To Kibana everything but AND is OR, even "and".
	if !ok || relation != "AND" && relation != "OR" && relation != "or" {
		t.problem("a combined filter must have params and the relation AND or OR")
		return query.Filter{}, false
	}
	joined := query.Filter{Any: relation != "AND"}
	for _, f := range members {
		if filter, ok := t.filter(f); ok || joined.Any {
			joined.Of = append(joined.Of, filter)
		}
	}
	if len(joined.Of) == 0 {
		return query.Filter{}, false
	}
	return joined, true
}

// withoutPhraseType replaces a match of type phrase, which Kibana once wrote and
// Elasticsearch no longer accepts, by the equivalent query.
func withoutPhraseType(query map[string]any) (map[string]any, bool) {
	match, _ := query["match"].(map[string]any)
	for field, value := range match {
		options, ok := value.(map[string]any)
		if ok && options["type"] == "phrase" && len(match) == 1 {
			phrase := maps.Clone(options)
			delete(phrase, "type")
			return map[string]any{"match_phrase": map[string]any{field: phrase}}, true
		}
	}
	return query, false
}

// filterField returns the field that a filter is about for Kibana, "" for kinds of
// which Kibana ignores the field.
func filterField(meta, query map[string]any) string {
	first := func(kind string) string {
		if field, ok := meta["field"].(string); ok && (field != "" || kind == "range") {
			return field
		}
		options, _ := query[kind].(map[string]any)
		if len(options) == 0 {
			return ""
		}
		return slices.Min(slices.Collect(maps.Keys(options)))
	}
	if exists, ok := query["exists"].(map[string]any); ok {
		field, _ := exists["field"].(string)
		return field
	}
	kind, _ := meta["type"].(string)
	_, isPhrase := query["match_phrase"]
	_, isRange := query["range"]
	switch {
	case isPhrase:
		return first("match_phrase")
	case kind == "phrases":
		key, _ := meta["key"].(string)
		return key
	case kind == "range" || kind == "" && isRange:
		return first("range")
	}
	return ""
}
