package kibana_test

import (
	"maps"
	"slices"
	"strings"
)

func (c *checklist) layer(view string, l layer) {
	if !slices.Equal(slices.Sorted(slices.Values(l.ColumnOrder)), slices.Sorted(maps.Keys(l.Columns))) {
		c.problem("columnOrder %v is not the columns", l.ColumnOrder)
	}
	metrics, shifts := false, map[string]bool{}
	for _, id := range l.ColumnOrder {
		col := l.Columns[id]
		if col.IsBucketed && metrics {
			c.problem("bucket %s comes after a metric", id)
		}
		if !col.IsBucketed {
			metrics, shifts[col.TimeShift] = true, true
		}
		c.column(view, id, col, l)
	}
	if len(shifts) > 1 {
		c.problem("a layer of two periods, in which Kibana refuses terms")
	}
}

func (c *checklist) column(view, id string, col column, l layer) {
	if col.Label == "" || !col.CustomLabel || col.DataType == "" {
		c.problem("column %s has no label or type", id)
	}
	switch col.OperationType {
	case "count":
		if col.SourceField != "___records___" {
			c.problem("column %s counts %s", id, col.SourceField)
		}
	case "sum", "max", "median":
		c.field(view, col.SourceField, "long", "float")
		c.ofAnyRule(col.SourceField)
	case "min":
		c.field(view, col.SourceField, "date")
		if col.DataType != "date" {
			c.problem("column %s is a %s", id, col.DataType)
		}
	case "unique_count":
		c.field(view, col.SourceField, groupable()...)
		c.ofAnyRule(col.SourceField)
	case "math", "formula":
		c.formula(id, col, l)
	case "last_value":
		c.field(view, col.SourceField, groupable()...)
		c.field(view, col.Params.SortField, "date")
		if col.Scale != "ratio" || col.Filter == nil || !strings.Contains(col.Filter.Query, `"`+col.SourceField+`": *`) {
			c.problem("column %s takes documents that lack %s, or its scale is %s", id, col.SourceField, col.Scale)
		}
	case "date_histogram":
		c.field(view, col.SourceField, "date")
	case "terms":
		c.field(view, col.SourceField, map[string]string{"string": "keyword", "ip": "ip"}[col.DataType])
		if !col.Params.OtherBucket || col.DataType == "string" && !col.Params.MissingBucket {
			c.problem("column %s hides what is in none of its values", id)
		}
		if col.DataType != "string" && col.Params.MissingBucket {
			c.problem("column %s: only of strings does Kibana count what is missing", id)
		}
		if by, ok := l.Columns[col.Params.OrderBy.ColumnID]; !ok || by.IsBucketed {
			c.problem("column %s is ordered by %q, which is no metric", id, col.Params.OrderBy.ColumnID)
		}
	default:
		c.problem("column %s: operation %q", id, col.OperationType)
	}
	if col.Filter != nil {
		c.query(view, *col.Filter)
	}
	if col.TimeShift != "" && (col.TimeShift != "previous" || col.IsBucketed) {
		c.problem("column %s is shifted by %q", id, col.TimeShift)
	}
	if bucketed := col.OperationType == "terms" || col.OperationType == "date_histogram"; bucketed != col.IsBucketed {
		c.problem("column %s: isBucketed is %t", id, col.IsBucketed)
	}
}

// formula checks a column that is computed from others: the text, which is read when
// somebody edits the panel, says what the parts say.
func (c *checklist) formula(id string, col column, l layer) {
	var parts []column
	for _, name := range col.References {
		part, ok := l.Columns[name]
		if !ok || !slices.Contains(l.ColumnOrder[:slices.Index(l.ColumnOrder, id)], name) {
			c.problem("column %s is computed from %s, which does not come before it", id, name)
			return
		}
		parts = append(parts, part)
	}
	if col.OperationType == "formula" {
		if len(parts) != 1 || parts[0].Params.TinymathAST == nil || parts[0].Params.TinymathAST.Text != col.Params.Formula || col.Params.IsFormulaBroken {
			c.problem("formula %s is not what is computed: %s", id, col.Params.Formula)
		}
		return
	}
	ast, signs := col.Params.TinymathAST, map[string]string{"divide": "/", "subtract": "-"}
	if ast == nil || len(parts) != 2 || !slices.Equal(ast.Args, col.References) || parts[0].Filter == nil || parts[1].Filter == nil {
		c.problem("column %s is not computed from two counts", id)
		return
	}
	text := "count(kql='" + parts[0].Filter.Query + "') " + signs[ast.Name] + " count(kql='" + parts[1].Filter.Query + "')"
	if ast.Text != text || ast.Location.Max != len(text) || ast.Type != "function" {
		c.problem("column %s computes %s, its text is %s", id, text, ast.Text)
	}
}

// ofAnyRule refuses what only Okta's events have, where that would leave nothing
// to see of the alerts of other rules. Values with a bucket for what lacks them may
// be Okta's.
func (c *checklist) ofAnyRule(field string) {
	if strings.HasPrefix(field, "okta.") {
		c.problem("only the events of Okta have %s", field)
	}
}
