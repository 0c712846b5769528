package kibana_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// common is what the configuration of each panel may have.
type common struct {
	Enhancements    map[string]any
	TimeRange       *struct{ From, To string }
	HidePanelTitles bool
}

type lensPanel struct {
	common
	Attributes *lens
}

type markdownPanel struct {
	common
	SavedVis struct {
		ID, Title, Description, Type string
		UIState                      map[string]any
		Params                       struct {
			FontSize          int
			OpenLinksInNewTab bool
			Markdown          string
		}
		Data struct {
			Aggs         []any
			SearchSource struct {
				Query  query
				Filter []any
			}
		}
	}
}

type linksPanel struct {
	common
	Attributes struct {
		Layout string
		Links  []struct {
			ID, Type, Label, DestinationRefName string
			Order                               int
			Options                             struct{ OpenInNewTab, UseCurrentDateRange, UseCurrentFilters bool }
		}
	}
}

type mapPanel struct {
	common
	IsLayerTOCOpen               bool
	HiddenLayers, OpenTOCDetails []any
	Attributes                   struct{ Title, Description, LayerListJSON, MapStateJSON, UIStateJSON string }
}

// panel returns the references that a panel needs: from name to id.
func (c *checklist) panel(p panel, ids map[string]string) map[string]string {
	if (p.Type == "search") != (p.PanelRefName != "") {
		c.problem("it must be either by value or by reference")
		return nil
	}
	needed := map[string]string{}
	var basic common
	switch p.Type {
	case "search":
		if p.PanelRefName != "panel_"+p.PanelIndex {
			c.problem("reference %s", p.PanelRefName)
		}
		c.decode("embeddableConfig", p.EmbeddableConfig, &basic)
		needed[p.PanelRefName] = ids[p.PanelIndex+":"+p.PanelRefName]
	case "lens":
		needed, basic = c.lensPanel(p)
	case "visualization":
		basic = c.markdown(p)
	case "links":
		needed, basic = c.links(p, ids)
	case "map":
		needed, basic = c.places(p, ids)
	default:
		c.problem("type %s", p.Type)
	}
	if r := basic.TimeRange; r != nil && (!strings.HasPrefix(r.From, "now-") || r.To != "now") {
		c.problem("its time range is %v", *r)
	}
	prefixed := map[string]string{}
	for name, id := range needed {
		prefixed[p.PanelIndex+":"+name] = id
	}
	return prefixed
}

func (c *checklist) lensPanel(p panel) (map[string]string, common) {
	var config lensPanel
	if !c.decode("embeddableConfig", p.EmbeddableConfig, &config) {
		return nil, common{}
	}
	l := config.Attributes
	if l == nil || l.Type != "lens" {
		c.problem("it holds no Lens by value")
		return nil, config.common
	}
	if l.VisualizationType == "lnsMetric" {
		c.figure(*l, config.common)
	}
	return c.lens(*l), config.common
}

// figure checks what makes a number wrong or hard to read: "N/A" for none, a
// second heading, and a time since something that depends on the range that was
// picked.
func (c *checklist) figure(l lens, config common) {
	if !config.HidePanelTitles {
		c.problem("it has two headings: hidePanelTitles is missing")
	}
	for _, layer := range l.State.DatasourceStates.FormBased.Layers {
		for id, col := range layer.Columns {
			switch {
			case col.Params.EmptyAsNull:
				c.problem("column %s shows N/A instead of 0", id)
			case (col.OperationType == "last_value" || col.OperationType == "min") && config.TimeRange == nil:
				c.problem("column %s needs a time range of its own", id)
			}
		}
	}
}

func (c *checklist) markdown(p panel) common {
	var config markdownPanel
	if c.decode("embeddableConfig", p.EmbeddableConfig, &config) && (config.SavedVis.Type != "markdown" || config.SavedVis.Params.Markdown == "") {
		c.problem("it is a %s without a text", config.SavedVis.Type)
	}
	return config.common
}

func (c *checklist) links(p panel, ids map[string]string) (map[string]string, common) {
	var config linksPanel
	c.decode("embeddableConfig", p.EmbeddableConfig, &config)
	needed := map[string]string{}
	for i, link := range config.Attributes.Links {
		id := ids[p.PanelIndex+":"+link.DestinationRefName]
		needed[link.DestinationRefName] = id
		if _, ok := c.objects["dashboard/"+id]; !ok || link.Type != "dashboardLink" || link.Label == "" || link.Order != i {
			c.problem("link %d leads to %q as %s, a %s", i, id, link.DestinationRefName, link.Type)
		}
		if link.DestinationRefName != "link_"+link.ID+"_dashboard" {
			c.problem("link %s is not found by the name %s", link.ID, link.DestinationRefName)
		}
	}
	if len(needed) == 0 || config.Attributes.Layout == "" {
		c.problem("there are no links")
	}
	return needed, config.common
}

type mapLayer struct {
	Type             string
	Style            struct{ Properties map[string]any }
	SourceDescriptor struct {
		Type, GeoField, IndexPatternRefName, ScalingType string
		TooltipProperties                                []string
		ApplyGlobalQuery, ApplyGlobalTime                bool
	}
}

// layers are those of a map, which are not checked for keys: Kibana takes any.
func (c *checklist) layers(config mapPanel) []mapLayer {
	var layers []mapLayer
	if err := json.Unmarshal([]byte(config.Attributes.LayerListJSON), &layers); err != nil {
		c.problem("layerListJSON: %v", err)
	}
	return layers
}

func (c *checklist) places(p panel, ids map[string]string) (map[string]string, common) {
	var config mapPanel
	c.decode("embeddableConfig", p.EmbeddableConfig, &config)
	var state map[string]any
	c.decode("mapStateJSON", []byte(config.Attributes.MapStateJSON), &state)
	c.decode("uiStateJSON", []byte(config.Attributes.UIStateJSON), &state)
	needed, base := map[string]string{}, false
	for i, l := range c.layers(config) {
		source := l.SourceDescriptor
		if source.Type == "EMS_TMS" && l.Type == "EMS_VECTOR_TILE" {
			base = true
			continue
		}
		view := ids[p.PanelIndex+":"+source.IndexPatternRefName]
		needed[source.IndexPatternRefName] = view
		if source.Type != "ES_SEARCH" || l.Type != "GEOJSON_VECTOR" || !source.ApplyGlobalQuery || !source.ApplyGlobalTime {
			c.problem("layer %d is a %s of a %s, or has no regard to the controls", i, l.Type, source.Type)
		}
		c.field(view, source.GeoField, "geo_point")
		for _, name := range source.TooltipProperties {
			c.field(view, name)
		}
		if !slices.Contains(slices.Collect(maps.Keys(l.Style.Properties)), "fillColor") {
			c.problem("layer %d has no colour", i)
		}
	}
	if len(needed) == 0 || !base {
		c.problem("the map has no base, or nothing on it")
	}
	return needed, config.common
}
