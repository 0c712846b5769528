package kibana_test

import (
	"encoding/json"
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
