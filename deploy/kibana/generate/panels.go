package main

// A panel on the grid, which is 48 wide.
type panel struct {
	id, title string
	at        grid
	content   content
	since     string // the panel's own time range up to now; "" for the dashboard's
}

type grid struct{ x, y, w, h int }

// A content is what a panel shows.
type content interface {
	// embed gives Kibana's name of the kind, the configuration and what it
	// refers to.
	embed(p panel) (kind string, config object, references []object)
}

// object gives the panel and the references that the dashboard needs for it.
func (p panel) object() (object, []object) {
	kind, config, references := p.content.embed(p)
	config["enhancements"] = object{}
	if p.since != "" {
		config["timeRange"] = object{"from": p.since, "to": "now"}
	}
	o := object{
		"panelIndex": p.id, "type": kind, "title": p.title, "embeddableConfig": config, "version": "8.9.0",
		"gridData": object{"x": p.at.x, "y": p.at.y, "w": p.at.w, "h": p.at.h, "i": p.id},
	}
	if kind == "search" {
		o["panelRefName"] = "panel_" + p.id
	}
	return o, references
}

// savedSession is a session by reference.
type savedSession string

func (s savedSession) embed(p panel) (string, object, []object) {
	return "search", object{}, []object{reference(p.id+":panel_"+p.id, "search", string(s))}
}

func (l lens) embed(p panel) (string, object, []object) {
	config := object{"attributes": l.attributes(p.title, p.id)}
	if l.kind == "lnsMetric" {
		config["hidePanelTitles"] = true // a figure has its own heading
	}
	var references []object
	for _, layer := range l.layers(p.id) {
		references = append(references, reference(p.id+":"+layerReference(layer), "index-pattern", l.view))
	}
	return "lens", config, references
}

// markdown is a text by value.
type markdown string

func (m markdown) embed(panel) (string, object, []object) {
	source := object{"query": kuery(""), "filter": []any{}}
	return "visualization", object{"hidePanelTitles": true, "savedVis": object{
		"id": "", "title": "", "description": "", "type": "markdown", "uiState": object{},
		"params": object{"fontSize": 12, "openLinksInNewTab": false, "markdown": string(m)},
		"data":   object{"aggs": []any{}, "searchSource": source},
	}}, nil
}

// links lead to other dashboards: label, then id. Each dashboard keeps its own
// time range and controls, for they show different data.
type links [][2]string

func (l links) embed(p panel) (string, object, []object) {
	var all, references []object
	for i, link := range l {
		name := "link_" + link[1] + "_dashboard"
		all = append(all, object{
			"id": link[1], "type": "dashboardLink", "order": i, "label": link[0], "destinationRefName": name,
			"options": object{"openInNewTab": false, "useCurrentDateRange": false, "useCurrentFilters": false},
		})
		references = append(references, reference(p.id+":"+name, "dashboard", link[1]))
	}
	return "links", object{"hidePanelTitles": true, "attributes": object{"layout": "horizontal", "links": all}}, references
}

// places is a map of a view's geo_point, with what is told of a place.
type places struct {
	view, field string
	tooltip     []string
}

func (m places) embed(p panel) (string, object, []object) {
	const source = "layer_1_source_index_pattern"
	base := object{
		"id": "base", "type": "EMS_VECTOR_TILE", "visible": true, "alpha": 1, "minZoom": 0, "maxZoom": 24, "label": nil, "style": object{},
		"sourceDescriptor": object{"type": "EMS_TMS", "isAutoSelect": true},
	}
	static := func(options object) object { return object{"type": "STATIC", "options": options} }
	alerts := object{
		"id": p.id, "type": "GEOJSON_VECTOR", "visible": true, "alpha": 0.75, "minZoom": 0, "maxZoom": 24, "label": p.title,
		"sourceDescriptor": object{
			"type": "ES_SEARCH", "id": p.id + "-source", "geoField": m.field, "indexPatternRefName": source, "scalingType": "LIMIT",
			"applyGlobalQuery": true, "applyGlobalTime": true, "filterByMapBounds": false, "tooltipProperties": m.tooltip,
			"sortField": "", "sortOrder": "desc", "topHitsSize": 1,
		},
		"style": object{"type": "VECTOR", "isTimeAware": true, "properties": object{
			"fillColor": static(object{"color": red}), "lineColor": static(object{"color": "#ffffff"}), "lineWidth": static(object{"size": 1}),
			"iconSize": static(object{"size": 8}), "symbolizeAs": object{"options": object{"value": "circle"}},
		}},
	}
	state := object{
		"center": object{"lat": 30, "lon": 10}, "zoom": 1.2, "query": kuery(""), "filters": []any{},
		"timeFilters":   object{"from": "now-7d", "to": "now"},
		"refreshConfig": object{"isPaused": true, "interval": 0}, "settings": object{"autoFitToDataBounds": true},
	}
	return "map", object{
		"isLayerTOCOpen": false, "hiddenLayers": []any{}, "openTOCDetails": []any{},
		"attributes": object{
			"title": p.title, "description": "", "layerListJSON": text([]object{base, alerts}), "mapStateJSON": text(state),
			"uiStateJSON": text(object{"isLayerTOCOpen": false, "openTOCDetails": []any{}}),
		},
	}, []object{reference(p.id+":"+source, "index-pattern", m.view)}
}
