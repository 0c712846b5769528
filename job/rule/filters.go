package rule

import (
	"strings"

	"newterms/esquery"
)

// filters reads [[rule.filters]]: Kibana's filters, each with a Query DSL body
// under query, or in the old style beside meta, or combined of others.
func (t *tableReader) filters() []esquery.Filter {
	list, ok := tablesOf(t.table["filters"])
	if value, present := t.table["filters"]; present && !ok && !isEmpty(value) {
		t.problem("filters is no list of tables")
	}
	var filters []esquery.Filter
	for _, f := range list {
		if filter, ok := t.filter(f); ok {
			filters = append(filters, filter)
		}
	}
	return filters
}

// filter returns false for one that is disabled, or that is not understood.
func (t *tableReader) filter(f map[string]any) (esquery.Filter, bool) {
	meta, _ := f["meta"].(map[string]any)
	if disabled, _ := meta["disabled"].(bool); disabled {
		return esquery.Filter{}, false
	}
	negate, _ := meta["negate"].(bool)
	if meta["type"] == "combined" {
		return t.combined(meta, negate)
	}
	query, ok := f["query"].(map[string]any)
	if !ok {
		query = map[string]any{}
		for name, value := range f {
			if name != "meta" && name != "$state" {
				query[name] = value
			}
		}
	}
	if len(query) != 1 {
		t.problem("a filter must hold one query, not %d", len(query))
		return esquery.Filter{}, false
	}
	return esquery.Filter{Query: withoutPhraseType(query), Negate: negate}, true
}

// combined reads a filter that joins others by AND or OR.
func (t *tableReader) combined(meta map[string]any, negate bool) (esquery.Filter, bool) {
	params, ok := tablesOf(meta["params"])
	relation, _ := meta["relation"].(string)
	relation = strings.ToUpper(relation)
	if !ok || relation != "AND" && relation != "OR" {
		t.problem("a combined filter must have params and the relation AND or OR")
		return esquery.Filter{}, false
	}
	joined := esquery.Filter{Negate: negate, Any: relation == "OR"}
	for _, f := range params {
		if filter, ok := t.filter(f); ok {
			joined.Of = append(joined.Of, filter)
		}
	}
	return joined, len(joined.Of) > 0
}

// withoutPhraseType turns a match of type phrase, which Kibana once wrote and
// Elasticsearch no longer takes, into the query that it stands for.
func withoutPhraseType(query map[string]any) map[string]any {
	match, _ := query["match"].(map[string]any)
	for field, value := range match {
		options, ok := value.(map[string]any)
		if ok && options["type"] == "phrase" && len(match) == 1 {
			phrase := map[string]any{}
			for name, option := range options {
				if name != "type" {
					phrase[name] = option
				}
			}
			return map[string]any{"match_phrase": map[string]any{field: phrase}}
		}
	}
	return query
}
