package kibana_test

import (
	"encoding/json"
	"maps"
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
	EmbeddableConfig json.RawMessage
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
	if !d.RefreshInterval.Pause && d.RefreshInterval.Value < 30_000 {
		c.problem("it is refreshed every %d ms", d.RefreshInterval.Value)
	}
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
	c.referenceNames(o, c.tagged(needed))
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
		c.ofAnyRule(control.ExplicitInput.FieldName)
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
