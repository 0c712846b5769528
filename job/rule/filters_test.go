package rule_test

import (
	"encoding/json"
	"testing"

	"newterms/esquery/query"
	"newterms/job/rule"
	"newterms/job/rule/ruletest"
)

func TestFilters(t *testing.T) {
	type m = map[string]any
	exists := func(field string) m { return m{"exists": m{"field": field}} }
	member := func(field string) query.Filter {
		return query.Filter{Query: exists(field), Field: field}
	}
	combined := func(relation string, meta m, members ...m) m {
		meta["type"], meta["relation"], meta["params"] = "combined", relation, members
		if len(members) == 0 {
			meta["params"] = []string{}
		}
		return m{"meta": meta}
	}
	phrases := m{"bool": m{"minimum_should_match": int64(1), "should": []m{{"match_phrase": m{"a": "x"}}}}}
	disabled := m{"meta": m{"disabled": true}, "query": exists("b")}
	for _, c := range []struct {
		name   string
		filter m
		want   []query.Filter
	}{
		{"a match of type phrase", m{"meta": m{"negate": true}, "query": m{"match": m{"user.name": m{"query": "ada", "type": "phrase", "slop": 1}}}},
			[]query.Filter{{Negate: true, Query: m{"match_phrase": m{"user.name": m{"query": "ada", "slop": int64(1)}}}, Field: "user.name", Key: "user.name", Former: true}}},
		{"combined", combined("or", m{}, m{"meta": m{"negate": true}, "query": exists("a")}, combined("AND", m{}, m{"query": exists("c")}, m{"query": exists("d")})),
			[]query.Filter{{Any: true, Of: []query.Filter{{Negate: true, Query: exists("a"), Field: "a", Key: "a"}, {Of: []query.Filter{member("c"), member("d")}}}}}},
		{"a disabled one", disabled, nil},
		{"a disabled member of OR matches every event", combined("OR", m{}, m{"query": exists("a")}, disabled), []query.Filter{{Any: true, Of: []query.Filter{member("a"), {}}}}},
		{"a disabled member of AND is none", combined("AND", m{}, m{"query": exists("a")}, disabled), []query.Filter{{Of: []query.Filter{member("a")}}}},
		{"with disabled members only", combined("AND", m{}, disabled), nil},
		{"negated", combined("AND", m{"negate": true}, disabled), []query.Filter{{Negate: true}}},
		{"without members", combined("OR", m{}), nil},
		{"in another", combined("AND", m{}, m{"query": exists("a")}, combined("OR", m{"negate": true}, disabled)),
			[]query.Filter{{Of: []query.Filter{member("a"), {Negate: true, Any: true, Of: []query.Filter{{}}}}}}},
		{"a disabled combined one", combined("AND", m{"disabled": true, "negate": true}, m{"query": exists("a")}), nil},
		{"phrases are about their key", m{"meta": m{"type": "phrases", "key": "a"}, "query": phrases},
			[]query.Filter{{Query: m{"bool": m{"minimum_should_match": int64(1), "should": []any{m{"match_phrase": m{"a": "x"}}}}}, Field: "a", Key: "a"}}},
		{"a query of one's own is about none", m{"meta": m{"type": "custom", "key": "a"}, "query": m{"bool": m{"filter": m{"exists": m{"field": "a"}}}}},
			[]query.Filter{{Query: m{"bool": m{"filter": m{"exists": m{"field": "a"}}}}, Key: "a"}}},
		{"nor are other queries", m{"meta": m{"type": "phrase"}, "query": m{"term": m{"a": "x"}}}, []query.Filter{{Query: m{"term": m{"a": "x"}}}}},
		{"a range", m{"meta": m{"key": "a"}, "query": m{"range": m{"a": m{"gte": 1}}}}, []query.Filter{{Query: m{"range": m{"a": m{"gte": int64(1)}}}, Field: "a", Key: "a"}}},
		{"a range that says that it is something else", m{"meta": m{"type": "custom"}, "query": m{"range": m{"a": m{"gte": 1}}}}, []query.Filter{{Query: m{"range": m{"a": m{"gte": int64(1)}}}}}},
		{"a field of its own", m{"meta": m{"field": "b"}, "query": m{"match_phrase": m{"a": "x"}}}, []query.Filter{{Query: m{"match_phrase": m{"a": "x"}}, Field: "b", Key: "b"}}},
		{"the old style is loaded by its key only", m{"meta": m{"alias": "x"}, "exists": m{"field": "a"}}, []query.Filter{{Query: exists("a"), Field: "a"}}},
		{"and has no other", m{"meta": m{"key": "a"}, "exists": m{"field": "a"}, "$state": m{"store": "appState"}}, []query.Filter{{Query: exists("a"), Field: "a", Key: "a"}}},
		{"beside a query other keys count for nothing", m{"query": exists("a"), "exists": m{"field": "b"}}, []query.Filter{member("a")}},
	} {
		rules, err := rule.Load(ruletest.Write(t, m{"filters": []m{c.filter}}))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := asJSON(t, rules[0].Search.Filters); got != asJSON(t, c.want) {
			t.Errorf("%s: got %s\nwant %s", c.name, got, asJSON(t, c.want))
		}
	}
}

// asJSON tells filters with the parts that their own JSON leaves out.
func asJSON(t *testing.T, filters []query.Filter) string {
	t.Helper()
	type whole struct {
		query.Filter
		Of         string
		Field, Key string
		Former     bool
	}
	var all []whole
	for _, f := range filters {
		all = append(all, whole{f, "", f.Field, f.Key, f.Former})
		if len(f.Of) > 0 {
			all[len(all)-1].Of = asJSON(t, f.Of)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
