package kibana_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"newterms/esquery/estest"
	"newterms/esquery/kql"
)

// An asker asks the node about the targets of a checklist.
type asker struct {
	*testing.T
	*checklist
	node *estest.Node
	// lastValue is the aggregation that Kibana sends for the value of the newest
	// document, if the node has it, and else what stands in for it.
	lastValue string
}

func newAsker(t *testing.T, c *checklist) asker {
	t.Helper()
	a := asker{t, c, newWorld(t), "top_metrics"}
	_, err := a.node.Request(t.Context(), "POST", "/"+c.titles["newterms-runs"]+"/_search", map[string]any{"aggs": map[string]any{"x": a.newestOf("@timestamp", "@timestamp")}})
	if err != nil && strings.Contains(err.Error(), "Unknown aggregation type [top_metrics]") {
		a.lastValue = "top_hits"
		t.Log("this node has no top_metrics, which Kibana asks for the value of the newest document: those columns are asked with top_hits")
	} else if err != nil {
		t.Fatal(err)
	}
	return a
}

// ask searches as Kibana does: with a query, in a time range of the data view.
func (a asker) ask(view, query string, since, body map[string]any) map[string]any {
	a.Helper()
	body["query"] = map[string]any{"bool": map[string]any{"filter": []any{a.dsl(a.T, view, query), a.during(view, since)}}}
	return a.search(view, body)
}

func (a asker) search(view string, body map[string]any) map[string]any {
	a.Helper()
	answer, err := a.node.Request(a.Context(), "POST", "/"+a.titles[view]+"/_search", body)
	if err != nil {
		a.Fatal(err)
	}
	var found map[string]any
	if err := json.Unmarshal(answer, &found); err != nil {
		a.Fatal(err)
	}
	return found
}

func (a asker) during(view string, since map[string]any) map[string]any {
	return map[string]any{"range": map[string]any{a.times[view]: since}}
}

// picked is the time range of the panels, short that of a panel with the period before:
// so the sample has something in both.
func picked() map[string]any { return map[string]any{"gte": "now-90d", "lte": "now"} }
func short() map[string]any  { return map[string]any{"gte": "now-6h", "lt": "now"} }
func before() map[string]any { return map[string]any{"gte": "now-12h", "lt": "now-6h"} }

// shift is from the period before to the picked one.
const shift = 6 * time.Hour

func (c *checklist) dsl(t *testing.T, view, query string) any {
	t.Helper()
	parsed, err := kql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	fields := kql.Fields{}
	for name, kind := range c.mappings[view] {
		fields[name] = kql.Field{Types: []string{kind}}
	}
	compiled, err := parsed.Compile(fields)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// newestOf asks for the value of the newest document that has it.
func (a asker) newestOf(field, sort string) map[string]any {
	if a.lastValue == "top_metrics" {
		return map[string]any{"top_metrics": map[string]any{"metrics": map[string]any{"field": field}, "size": 1, "sort": map[string]any{sort: "desc"}}}
	}
	return map[string]any{"top_hits": map[string]any{"size": 1, "sort": []any{map[string]any{sort: "desc"}}, "_source": false, "fields": []any{field}}}
}

// aggregations nests a layer's buckets as Lens does, with the metrics inside.
func (a asker) aggregations(view string, l layer, order []string) map[string]any {
	aggs := map[string]any{}
	for i, id := range order {
		col := l.Columns[id]
		field := map[string]any{"field": col.SourceField}
		switch col.OperationType {
		case "date_histogram":
			aggs[id] = map[string]any{
				"date_histogram": map[string]any{"field": col.SourceField, "fixed_interval": "30m", "min_doc_count": 1}, "aggs": a.aggregations(view, l, order[i+1:]),
			}
			return aggs
		case "terms":
			terms := map[string]any{"field": col.SourceField, "size": col.Params.Size}
			if col.Params.MissingBucket {
				terms["missing"] = "__missing__"
			}
			aggs[id] = map[string]any{"terms": terms, "aggs": a.aggregations(view, l, order[i+1:])}
			return aggs
		case "unique_count":
			aggs[id] = map[string]any{"cardinality": field}
		case "sum", "max", "min":
			aggs[id] = map[string]any{col.OperationType: field}
		case "median":
			aggs[id] = map[string]any{"percentiles": map[string]any{"field": col.SourceField, "percents": []int{50}}}
		case "last_value":
			aggs[id] = a.newestOf(col.SourceField, col.Params.SortField)
		}
		if col.Filter != nil {
			filtered := map[string]any{"filter": a.dsl(a.T, view, col.Filter.Query)}
			if inner, ok := aggs[id]; ok {
				filtered["aggs"] = map[string]any{"of": inner}
			}
			aggs[id] = filtered
		}
	}
	return aggs
}

func total(answer map[string]any) float64 {
	return answer["hits"].(map[string]any)["total"].(map[string]any)["value"].(float64)
}
