package kibana_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A row is what a panel shows in one place: a value a column, nil for none.
type row map[string]any

// A shownLayer is what a layer of a panel shows.
type shownLayer struct {
	layer
	rows []row
}

// lensShows asks for what a panel shows, a layer after the other.
func (a asker) lensShows(p panel) (all []shownLayer) {
	a.Helper()
	var config lensPanel
	if err := json.Unmarshal(p.EmbeddableConfig, &config); err != nil {
		a.Fatal(err)
	}
	view, query := config.Attributes.References[0].ID, config.Attributes.State.Query.Query
	layers := config.Attributes.State.DatasourceStates.FormBased.Layers
	for _, id := range slices.Sorted(maps.Keys(layers)) {
		l, since, shifted := layers[id], picked(), time.Duration(0)
		switch isShifted := func(col string) bool { return l.Columns[col].TimeShift != "" }; {
		case slices.ContainsFunc(l.ColumnOrder, isShifted):
			since, shifted = before(), shift
		case len(layers) > 1:
			since = short()
		}
		answer := a.ask(view, query, since, map[string]any{"size": 0, "aggs": a.aggregations(view, l, l.ColumnOrder)})
		aggs, _ := answer["aggregations"].(map[string]any) // none for a count of documents
		rows := l.rows(l.ColumnOrder, aggs, total(answer), shifted)
		shown := shownLayer{layer: l}
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			shown.rows = append(shown.rows, rows[key])
		}
		all = append(all, shown)
	}
	return all
}

// rows walks the buckets of an answer and returns what they show, by their keys. Times
// come later by shifted.
func (l layer) rows(order []string, aggs map[string]any, count float64, shifted time.Duration) map[string]row {
	values := row{}
	for i, id := range order {
		col := l.Columns[id]
		answer, _ := aggs[id].(map[string]any)
		if !col.IsBucketed {
			values[id] = l.value(id, answer, count, values)
			continue
		}
		buckets, _ := answer["buckets"].([]any)
		found := map[string]row{}
		for _, b := range buckets {
			b := b.(map[string]any)
			key := cmp.Or(b["key_as_string"], b["key"])
			if col.OperationType == "date_histogram" {
				key = time.UnixMilli(int64(b["key"].(float64))).Add(shifted).UTC().Format(time.RFC3339)
			}
			for rest, inner := range l.rows(order[i+1:], b, b["doc_count"].(float64), shifted) {
				inner[id] = key
				found[fmt.Sprint(key, "|", rest)] = inner
			}
		}
		return found
	}
	return map[string]row{"": values}
}

// value returns what a metric shows. The values of the columns before it are those that a
// formula is computed from.
func (l layer) value(id string, answer map[string]any, count float64, before row) any {
	col := l.Columns[id]
	if col.Filter != nil {
		count = answer["doc_count"].(float64)
		answer, _ = answer["of"].(map[string]any)
	}
	switch col.OperationType {
	case "sum", "unique_count": // of nothing is 0
		count, _ = answer["value"].(float64)
		fallthrough
	case "count":
		if count > 0 || !col.Params.EmptyAsNull {
			return count
		}
		return nil
	case "min", "max":
		return cmp.Or(answer["value_as_string"], answer["value"])
	case "median":
		return answer["values"].(map[string]any)["50.0"]
	case "last_value":
		return lastValue(answer, col.SourceField)
	case "formula":
		return before[col.References[0]]
	case "math":
		left, right := before[col.References[0]].(float64), before[col.References[1]].(float64)
		switch {
		case col.Params.TinymathAST.Name == "subtract":
			return left - right
		case right != 0:
			return left / right
		}
	}
	return nil
}

// shown returns what some columns show, those with labels if none are given.
func (l layer) shown(r row, labels ...string) string {
	var values []string
	for _, id := range l.ColumnOrder {
		if label := l.Columns[id].Label; slices.Contains(labels, label) || len(labels) == 0 && !strings.HasPrefix(label, "Part of ") {
			values = append(values, fmt.Sprintf("%s=%v", label, r[id]))
		}
	}
	return strings.Join(values, ", ")
}

// empty returns the columns that show nothing anywhere.
func (l shownLayer) empty() []string {
	return slices.DeleteFunc(slices.Clone(l.ColumnOrder), func(id string) bool {
		return slices.ContainsFunc(l.rows, func(r row) bool { return r[id] != nil })
	})
}

// lastValue reads top_metrics, or top_hits in its place.
func lastValue(answer map[string]any, field string) any {
	if top, ok := answer["top"].([]any); ok {
		if len(top) == 0 {
			return nil
		}
		return top[0].(map[string]any)["metrics"].(map[string]any)[field]
	}
	hits := answer["hits"].(map[string]any)["hits"].([]any)
	if len(hits) == 0 {
		return nil
	}
	return hits[0].(map[string]any)["fields"].(map[string]any)[field]
}
