package kibana_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

type dashboard struct {
	Title, Description string
	TimeRestore        bool
	TimeFrom, TimeTo   string
	RefreshInterval    struct {
		Pause bool
		Value int
	}
	KibanaSavedObjectMeta json.RawMessage
	OptionsJSON           string
	PanelsJSON            string
	ControlGroupInput     struct {
		ControlStyle, ChainingSystem         string
		PanelsJSON, IgnoreParentSettingsJSON string
	}
}

type panel struct {
	Type, PanelIndex, Title, PanelRefName, Version string
	GridData                                       struct {
		X, Y, W, H int
		I          string
	}
	EmbeddableConfig struct {
		Enhancements map[string]any
		Attributes   *lens
	}
}

func (c *checklist) dashboard(o savedObject) {
	var d dashboard
	if !c.decode("attributes", o.Attributes, &d) {
		return
	}
	if d.TimeRestore && (d.TimeFrom == "" || d.TimeTo == "") {
		c.problem("timeRestore without timeFrom and timeTo")
	}
	c.searchSource("", d.KibanaSavedObjectMeta)
	var options map[string]bool
	c.decode("optionsJSON", []byte(d.OptionsJSON), &options)
	c.decode("ignoreParentSettingsJSON", []byte(d.ControlGroupInput.IgnoreParentSettingsJSON), &options)
	views := map[string]string{} // reference → id
	for _, r := range o.References {
		views[r.Name] = r.ID
	}
	needed := c.controls(d.ControlGroupInput.PanelsJSON, views)
	var panels []panel
	if !c.decode("panelsJSON", []byte(d.PanelsJSON), &panels) {
		return
	}
	for i, p := range panels {
		where := c.where
		c.where += "/" + p.PanelIndex
		c.grid(p, panels[:i])
		maps.Copy(needed, c.panel(p, views))
		c.where = where
	}
	c.referenceNames(o, needed)
}

// controls returns the references that the controls need.
func (c *checklist) controls(text string, views map[string]string) map[string]string {
	needed := map[string]string{}
	var controls map[string]struct {
		Order         int
		Width, Type   string
		Grow          bool
		ExplicitInput struct {
			ID, FieldName, Title string
			Enhancements         map[string]any
		}
	}
	c.decode("controls", []byte(text), &controls)
	for id, control := range controls {
		name := "controlGroup_" + id + ":optionsListDataView"
		needed[name] = views[name]
		if control.Type != "optionsListControl" || control.ExplicitInput.ID != id {
			c.problem("control %s is a %s with id %s", id, control.Type, control.ExplicitInput.ID)
		}
		c.field(views[name], control.ExplicitInput.FieldName, groupable()...)
	}
	return needed
}

const gridWidth = 48

func (c *checklist) grid(p panel, before []panel) {
	g := p.GridData
	if p.PanelIndex == "" || strings.Contains(p.PanelIndex, ":") || p.PanelIndex != g.I {
		c.problem("panelIndex %q, i %q", p.PanelIndex, g.I)
	}
	if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > gridWidth {
		c.problem("it is not on the grid: %+v", g)
	}
	for _, other := range before {
		o := other.GridData
		if other.PanelIndex == p.PanelIndex {
			c.problem("its panelIndex stands twice")
		}
		if g.X < o.X+o.W && o.X < g.X+g.W && g.Y < o.Y+o.H && o.Y < g.Y+g.H {
			c.problem("it lies over panel %s", other.PanelIndex)
		}
	}
}

// panel returns the references that a panel needs.
func (c *checklist) panel(p panel, views map[string]string) map[string]string {
	switch l := p.EmbeddableConfig.Attributes; {
	case (l == nil) == (p.PanelRefName == ""):
		c.problem("it must be either by value or by reference")
	case l == nil:
		if p.Type != "search" || p.PanelRefName != "panel_"+p.PanelIndex {
			c.problem("type %s by reference %s", p.Type, p.PanelRefName)
		}
		name := p.PanelIndex + ":" + p.PanelRefName
		return map[string]string{name: views[name]}
	case p.Type != "lens" || l.Type != "lens":
		c.problem("type %s by value", p.Type)
	default:
		needed := map[string]string{}
		for name, view := range c.lens(*l) {
			needed[p.PanelIndex+":"+name] = view
		}
		return needed
	}
	return nil
}

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
