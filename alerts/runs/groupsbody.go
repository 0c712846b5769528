package runs

import (
	"encoding/json"

	"newterms/esquery/elastic"
)

// A groupsQuery selects runs of some rules.
type groupsQuery struct {
	ruleIDs []string
	types   []Type
	recent  bool // only recent ones, by the end of their windows
	clock   bool
	errors  bool // of the newest runs
	// editions are ids of rules' documents whose existence is requested too.
	editions []string
}

// body lists the groups. It also searches for documents of a newer format, of any rule
// and any age.
func (q groupsQuery) body(size int, after json.RawMessage) dsl {
	groups := elastic.CompositeOf([]dsl{
		{"rule": dsl{"terms": dsl{"field": "kibana.alert.rule.rule_id"}}},
		{"type": dsl{"terms": dsl{"field": "newterms.run.type"}}},
		{"scope": dsl{"terms": dsl{"field": "newterms.scope", "missing_bucket": true}}},
		{"search": dsl{"terms": dsl{"field": "newterms.search", "missing_bucket": true}}},
	}, size, after)
	groups["aggs"] = q.groupBody()
	newer := dsl{"range": dsl{"newterms.format": dsl{"gt": documentFormat}}}
	wanted := []dsl{{"terms": dsl{"kibana.alert.rule.rule_id": q.ruleIDs}}, {"terms": dsl{"newterms.run.type": q.types}}}
	if q.recent {
		wanted = append(wanted, dsl{"range": dsl{"newterms.window.to": dsl{"gte": recentRuns}}})
	}
	aggs := dsl{
		"groups": groups,
		"newer":  dsl{"filter": newer, "aggs": dsl{"newest": newestRun(false)}},
	}
	if q.clock {
		aggs["clock"] = elastic.Clock("@timestamp")
	}
	should := []dsl{{"bool": dsl{"filter": wanted}}, newer}
	if len(q.editions) > 0 && after == nil {
		these := dsl{"ids": dsl{"values": q.editions}}
		rules := dsl{"terms": dsl{"field": "kibana.alert.rule.rule_id", "size": len(q.editions)}}
		aggs["editions"] = dsl{"filter": these, "aggs": dsl{"rules": rules}}
		should = append(should, these)
	}
	return elastic.Aggregate(aggs, dsl{"bool": dsl{"minimum_should_match": 1, "should": should}})
}

func (q groupsQuery) groupBody() dsl {
	state := func(state State, more ...dsl) dsl {
		return dsl{"bool": dsl{"filter": append(more, dsl{"term": dsl{"newterms.run.state": state}})}}
	}
	ended := func(operator string) dsl { return dsl{"range": dsl{"newterms.window.to": dsl{operator: "now"}}} }
	to := dsl{"max": dsl{"field": "newterms.window.to"}}
	return dsl{
		"succeeded": dsl{"filter": state(Succeeded, ended("lte")), "aggs": dsl{"to": to, "at": dsl{"max": dsl{"field": "@timestamp"}}}},
		"future":    dsl{"filter": state(Succeeded, ended("gt")), "aggs": dsl{"to": to}},
		"started":   dsl{"filter": state(Started), "aggs": dsl{"from": dsl{"min": dsl{"field": "newterms.window.from"}}}},
		"newest":    newestRun(q.errors),
	}
}

// newestRun returns the newest document, for a finished run that of its end.
func newestRun(errors bool) dsl {
	top := dsl{
		"size": 1, "sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}, {"newterms.duration_ms": "desc"}}, // only the end of a run has a duration
		"_source": false, "docvalue_fields": storedRunFields(),
	}
	if errors {
		top["_source"] = longTexts()
	}
	return dsl{"top_hits": top}
}
