package rule_test

import (
	"testing"
	"time"

	"newterms/esquery/kql"
	"newterms/job/rule"
)

// searchOfEarlierBuilds is a rule with all that builds before could read, and
// keeps its hash: with another, a scheduled run would take the rule for edited.
const searchOfEarlierBuilds = `{"rule_id":"r1","name":"R","type":"new_terms","language":"kuery","severity":"low","risk_score":21,"index":["logs-*","a"],"from":"now-9m","query":"a:b and g:{ x:1 and y:S3 o* }","new_terms_fields":["user.name"],"history_window_start":"now-5d","filters":[{"meta":{"negate":true,"key":"n"},"query":{"term":{"n":{"value":3}}}},{"meta":{"type":"phrases","key":"a"},"query":{"bool":{"minimum_should_match":1,"should":[{"match_phrase":{"a":"x"}}]}}},{"meta":{},"exists":{"field":"z"}},{"meta":{"type":"combined","relation":"AND","params":[{"meta":{"disabled":true},"exists":{"field":"q"}},{"query":{"range":{"a":{"gte":5,"lt":null}}}}]}},{"meta":{"key":"u"},"query":{"match":{"u":{"query":1,"type":"phrase"}}}}],"exceptions_list":[{"id":"7","list_id":"known","type":"detection","namespace_type":"single"}]}
{"list_id":"known","name":"Known","type":"detection","namespace_type":"single","id":"7"}
{"list_id":"known","item_id":"a","name":"the lab","type":"simple","entries":[{"field":"okta.actor.id","type":"match","operator":"included","value":"00u4"}]}
{"list_id":"known","item_id":"b","name":"nets","type":"simple","entries":[{"field":"ip","type":"list","operator":"included","list":{"id":"nets.txt","type":"ip_range"}}]}
{"list_id":"known","item_id":"d","name":"vals","type":"simple","entries":[{"field":"k","type":"list","operator":"excluded","list":{"id":"vals.txt","type":"keyword"}}]}
{"list_id":"known","item_id":"c","name":"n","type":"simple","entries":[{"field":"g","type":"nested","entries":[{"field":"x","type":"match_any","operator":"included","value":["1","2"]}]}]}
`

func TestHashOfEarlierBuilds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "nets.txt", "10.0.0.1-10.0.0.9\n# c\n192.0.2.0/24\n")
	write(t, dir, "vals.txt", "a\n\u00dc\n")
	rules, err := rule.Load(write(t, dir, "r.ndjson", searchOfEarlierBuilds))
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := rule.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	exclude, err := kql.Parse("  a: (x or y) and b:10.0.0.0/8 ")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule    rule.Rule
		exclude []kql.Query
		want    string
	}{
		{rules[0], nil, "8784fca2fa34a6b3a624f41967be718c893c090f8ebf8875610991990db31cd7"},
		{rules[0], []kql.Query{exclude}, "47813d61dca78e1c6c5df9a3010b61606bb96ab8e835b2e1a35e845ada431378"},
		{builtin, nil, "db26e66fd49a70561f077f4e379b29cf866e9e7ccd45ce53bf894911a15a1634"},
		{builtin, []kql.Query{exclude}, "ae8c0f50ff25bd38b50328348e4034a5cd9439265b12bffcc5458cead4881480"},
	} {
		c.rule.Search.Exclude = c.exclude
		c.rule.Search.Exceptions, _ = c.rule.ExceptionsAt(time.Unix(0, 0))
		if got, err := c.rule.Search.Hash(); err != nil || got != c.want {
			t.Errorf("%s with %v: got %s, %v, want %s", c.rule.Name, c.exclude, got, err, c.want)
		}
	}
}
