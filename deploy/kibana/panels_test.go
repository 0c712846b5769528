package kibana_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"newterms/esquery/kql"
)

// TestEveryPanelShowsSomething asks the node what each panel would ask, and
// wants buckets with values from all of them.
func TestEveryPanelShowsSomething(t *testing.T) {
	node, c := newWorld(t), newChecklist(t)
	if problems := c.check(objects(t)); len(problems) > 0 {
		t.Fatal(problems)
	}
	search := func(view string, body map[string]any) map[string]any {
		t.Helper()
		answer, err := node.Request(t.Context(), "POST", "/"+c.titles[view]+"/_search", body)
		if err != nil {
			t.Fatal(err)
		}
		var found map[string]any
		if err := json.Unmarshal(answer, &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	panels := 0
	for _, o := range c.objects {
		switch o.Type {
		case "dashboard":
			var d dashboard
			var all []panel
			if err := json.Unmarshal(o.Attributes, &d); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(d.PanelsJSON), &all); err != nil {
				t.Fatal(err)
			}
			for _, p := range all {
				if p.EmbeddableConfig.Attributes == nil {
					continue // a session, below
				}
				panels++
				l := p.EmbeddableConfig.Attributes
				for _, layer := range l.State.DatasourceStates.FormBased.Layers {
					view := l.References[0].ID
					answer := search(view, map[string]any{"size": 0, "query": c.dsl(t, view, l.State.Query.Query), "aggs": aggregations(layer, layer.ColumnOrder)})
					aggs, _ := answer["aggregations"].(map[string]any) // none for a count of documents
					shown, empty := values(layer, layer.ColumnOrder, aggs, total(answer))
					t.Logf("%s / %-42s %s", d.Title, p.Title, shown)
					for _, name := range empty {
						t.Errorf("%s / %s: column %s is empty", d.Title, p.Title, name)
					}
				}
			}
		case "search":
			panels++
			c.sessionShows(t, o, search)
		}
	}
	if panels < 20 {
		t.Errorf("only %d panels", panels)
	}
}

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

// aggregations nests a layer's buckets as Lens does, with the metrics inside.
func aggregations(l layer, order []string) map[string]any {
	aggs := map[string]any{}
	for i, id := range order {
		col := l.Columns[id]
		field := map[string]any{"field": col.SourceField}
		switch col.OperationType {
		case "date_histogram":
			aggs[id] = map[string]any{
				"date_histogram": map[string]any{"field": col.SourceField, "fixed_interval": "30m", "min_doc_count": 1}, "aggs": aggregations(l, order[i+1:]),
			}
			return aggs
		case "terms":
			aggs[id] = map[string]any{"terms": map[string]any{"field": col.SourceField, "size": col.Params.Size}, "aggs": aggregations(l, order[i+1:])}
			return aggs
		case "unique_count":
			aggs[id] = map[string]any{"cardinality": field}
		case "sum", "max":
			aggs[id] = map[string]any{col.OperationType: field}
		case "last_value":
			aggs[id] = map[string]any{"top_hits": map[string]any{
				"size": 1, "sort": []any{map[string]any{col.Params.SortField: "desc"}}, "_source": false, "fields": []any{col.SourceField},
			}}
		}
	}
	return aggs
}

// values walks the buckets and returns what the first ones show, and the
// columns that show nothing anywhere.
func values(l layer, order []string, aggs map[string]any, count float64) (shown string, empty []string) {
	for i, id := range order {
		col := l.Columns[id]
		answer, _ := aggs[id].(map[string]any)
		var value any
		switch col.OperationType {
		case "date_histogram", "terms":
			buckets, _ := answer["buckets"].([]any)
			if len(buckets) == 0 {
				return shown, append(empty, order[i:]...)
			}
			emptyRest := slices.Clone(order[i+1:])
			for n, b := range buckets {
				b := b.(map[string]any)
				rest, emptyHere := values(l, order[i+1:], b, b["doc_count"].(float64))
				emptyRest = slices.DeleteFunc(emptyRest, func(id string) bool { return !slices.Contains(emptyHere, id) })
				if n == 0 {
					shown += fmt.Sprintf("%d×%s (%v) %s", len(buckets), col.SourceField, cmp.Or(b["key_as_string"], b["key"]), rest)
				}
			}
			return shown, append(empty, emptyRest...)
		case "sum": // of nothing is 0
			if sum := answer["value"].(float64); sum > 0 {
				value = sum
			}
		case "count":
			if count > 0 {
				value = count
			}
		case "last_value":
			if hits := answer["hits"].(map[string]any)["hits"].([]any); len(hits) > 0 {
				value = hits[0].(map[string]any)["fields"].(map[string]any)[col.SourceField]
			}
		default:
			value = answer["value"]
		}
		if value == nil {
			empty = append(empty, id)
		}
		shown += fmt.Sprintf("%s=%v ", col.Label, value)
	}
	return shown, empty
}

func total(answer map[string]any) float64 {
	return answer["hits"].(map[string]any)["total"].(map[string]any)["value"].(float64)
}

// sessionShows wants a value in each column of a session from one document.
func (c *checklist) sessionShows(t *testing.T, o savedObject, search func(string, map[string]any) map[string]any) {
	t.Helper()
	var s session
	var meta struct{ SearchSourceJSON string }
	var source struct{ Query query }
	if err := json.Unmarshal(o.Attributes, &s); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(s.KibanaSavedObjectMeta, &meta); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(meta.SearchSourceJSON), &source); err != nil {
		t.Fatal(err)
	}
	view := o.References[0].ID
	answer := search(view, map[string]any{
		"size": 10, "query": c.dsl(t, view, source.Query.Query), "fields": s.Columns, "_source": false,
		"sort": []any{map[string]any{s.Sort[0][0]: s.Sort[0][1]}},
	})
	filled := map[string]bool{}
	hits := answer["hits"].(map[string]any)["hits"].([]any)
	for _, hit := range hits {
		fields, _ := hit.(map[string]any)["fields"].(map[string]any)
		for name := range fields {
			filled[name] = true
		}
	}
	for _, name := range s.Columns {
		if !filled[name] {
			t.Errorf("%s: no document has %s", s.Title, name)
		}
	}
	t.Logf("%s: %d documents with %s", s.Title, len(hits), strings.Join(s.Columns, ", "))
}
