package kibana_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

type lens struct {
	Title, Type, VisualizationType string
	References                     []reference
	State                          struct {
		Visualization      any
		Query              query
		Filters            []any
		InternalReferences []any
		AdHocDataViews     map[string]any
		DatasourceStates   struct {
			FormBased struct{ Layers map[string]layer }
			TextBased struct{ Layers map[string]any }
		}
	}
}

type layer struct {
	ColumnOrder       []string
	Columns           map[string]column
	IncompleteColumns map[string]any
}

type column struct {
	OperationType, SourceField, Label, DataType, Scale string
	TimeShift                                          string
	CustomLabel, IsBucketed                            bool
	Filter                                             *query
	References                                         []string // of a formula, or of its math
	Params                                             struct {
		EmptyAsNull, ShowArrayValues, IncludeEmptyRows, DropPartials bool
		OtherBucket, MissingBucket, IncludeIsRegex, ExcludeIsRegex   bool
		SortField, Interval, OrderDirection                          string
		Size                                                         int
		OrderBy                                                      struct{ Type, ColumnID string }
		ParentFormat                                                 struct{ ID string }
		Include, Exclude                                             []any
		Formula                                                      string
		IsFormulaBroken                                              bool
		Format                                                       struct {
			ID     string
			Params struct{ Decimals int }
		}
		TinymathAST *math
	}
}

// math computes a formula from two columns.
type math struct {
	Type, Name, Text string
	Args             []string
	Location         struct{ Min, Max int }
}

// lens returns the references of a panel by value: from name to data view.
func (c *checklist) lens(l lens) map[string]string {
	views := map[string]string{}
	for _, r := range l.References {
		views[r.Name] = r.ID
	}
	if len(views) != len(l.State.DatasourceStates.FormBased.Layers) || len(views) == 0 {
		c.problem("%d references for %d layers", len(views), len(l.State.DatasourceStates.FormBased.Layers))
	}
	if len(l.State.Filters)+len(l.State.InternalReferences)+len(l.State.AdHocDataViews)+len(l.State.DatasourceStates.TextBased.Layers) > 0 {
		c.problem("filters, ad hoc data views and text layers are not checked here: use a query")
	}
	known := map[string]bool{}
	for id, layer := range l.State.DatasourceStates.FormBased.Layers {
		view, ok := views["indexpattern-datasource-layer-"+id]
		if !ok {
			c.problem("layer %s has no inner reference", id)
		}
		c.layer(view, layer)
		c.query(view, l.State.Query)
		known[id] = true
		for name := range layer.Columns {
			known[name] = true
		}
	}
	kinds := []string{"lnsMetric", "lnsXY", "lnsDatatable", "lnsPie"}
	if !slices.Contains(kinds, l.VisualizationType) {
		c.problem("visualizationType %s", l.VisualizationType)
	}
	shown := map[string]bool{}
	c.accessors(l.State.Visualization, known, shown)
	c.shades(l)
	for id, layer := range l.State.DatasourceStates.FormBased.Layers {
		for _, col := range layer.Columns {
			for _, part := range col.References {
				shown[part] = true
			}
		}
		for name := range layer.Columns {
			if !shown[name] {
				c.problem("column %s of layer %s is not shown", name, id)
			}
		}
	}
	return views
}

// accessors finds what a visualization says of columns and layers.
func (c *checklist) accessors(v any, known, shown map[string]bool) {
	use := func(v any) {
		name, ok := v.(string)
		if !ok || !known[name] {
			c.problem("the visualization shows %v, which there is not", v)
		}
		shown[name] = true
	}
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			c.accessors(element, known, shown)
		}
	case map[string]any:
		for key, value := range v {
			list, isList := value.([]any)
			switch {
			case key == "accessors" || key == "primaryGroups" || key == "metrics":
				for _, element := range list {
					use(element)
				}
			case strings.HasSuffix(key, "Accessor") || key == "columnId" || key == "layerId":
				use(value)
			case isList:
				c.accessors(list, known, shown)
			}
		}
	}
}

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

// shades checks the colours of a chart: of a split by something good or bad, and
// of a figure that should be 0.
func (c *checklist) shades(l lens) {
	text, _ := json.Marshal(l.State.Visualization) // which was JSON
	var v struct {
		Palette *struct {
			Params struct {
				Steps      int
				ColorStops []struct{ Color string }
				Stops      []struct{ Stop *float64 }
			}
		}
		Layers []struct {
			LayerID, SplitAccessor string
			PrimaryGroups          []string
			ColorMapping           *colorMapping
		}
	}
	if err := json.Unmarshal(text, &v); err != nil {
		c.problem("visualization: %v", err)
	}
	alarming := strings.Contains(l.State.Query.Query, "newterms.run.state: failure") || strings.Contains(l.State.Query.Query, "newterms.gap.")
	if l.VisualizationType == "lnsMetric" && alarming && v.Palette == nil {
		c.problem("it looks the same whether it is 0 or not")
	}
	if p := v.Palette; p != nil && (len(p.Params.ColorStops) != p.Params.Steps || len(p.Params.Stops) != p.Params.Steps) {
		c.problem("a palette of %d steps has %d colours", p.Params.Steps, len(p.Params.ColorStops))
	}
	for _, drawn := range v.Layers {
		if drawn.ColorMapping != nil {
			c.colors(*drawn.ColorMapping)
		}
		for _, id := range append(drawn.PrimaryGroups, drawn.SplitAccessor) {
			field := l.State.DatasourceStates.FormBased.Layers[drawn.LayerID].Columns[id].SourceField
			for _, value := range colorsOf(field) {
				if drawn.ColorMapping == nil || !drawn.ColorMapping.has(value) {
					c.problem("%s of %s has no colour of its own", value, field)
				}
			}
		}
	}
}
