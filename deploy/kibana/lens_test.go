package kibana_test

import (
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
	CustomLabel, IsBucketed                            bool
	Params                                             struct {
		EmptyAsNull, ShowArrayValues, IncludeEmptyRows, DropPartials bool
		OtherBucket, MissingBucket, IncludeIsRegex, ExcludeIsRegex   bool
		SortField, Interval, OrderDirection                          string
		Size                                                         int
		OrderBy                                                      struct{ Type, ColumnID string }
		ParentFormat                                                 struct{ ID string }
		Include, Exclude                                             []any
	}
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
	for id, layer := range l.State.DatasourceStates.FormBased.Layers {
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
	metrics := false
	for _, id := range l.ColumnOrder {
		col := l.Columns[id]
		if col.IsBucketed && metrics {
			c.problem("bucket %s comes after a metric", id)
		}
		metrics = metrics || !col.IsBucketed
		c.column(view, id, col, l)
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
	case "sum", "max":
		c.field(view, col.SourceField, "long", "float")
	case "unique_count":
		c.field(view, col.SourceField, groupable()...)
	case "last_value":
		c.field(view, col.SourceField, groupable()...)
		c.field(view, col.Params.SortField, "date")
	case "date_histogram":
		c.field(view, col.SourceField, "date")
	case "terms":
		c.field(view, col.SourceField, groupable()...)
		if by, ok := l.Columns[col.Params.OrderBy.ColumnID]; !ok || by.IsBucketed {
			c.problem("column %s is ordered by %q, which is no metric", id, col.Params.OrderBy.ColumnID)
		}
	default:
		c.problem("column %s: operation %q", id, col.OperationType)
	}
	if bucketed := col.OperationType == "terms" || col.OperationType == "date_histogram"; bucketed != col.IsBucketed {
		c.problem("column %s: isBucketed is %t", id, col.IsBucketed)
	}
}
