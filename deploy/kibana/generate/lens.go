package main

// A lens is a panel by value.
type lens struct {
	view, query string
	kind        string // visualizationType
	columns     []column
	before      []column // of a second layer, if there is one
	visual      func(layer string, columns []column) object
}

// secondLayer returns the id of the second layer of a panel.
func secondLayer(panel string) string { return panel + "-before" }

// layers returns the ids of the layers of a panel.
func (l lens) layers(panel string) []string {
	if l.before == nil {
		return []string{panel}
	}
	return []string{panel, secondLayer(panel)}
}

func (l lens) attributes(title, panel string) object {
	layers, references := object{panel: data(l.columns)}, []object{}
	if l.before != nil {
		layers[secondLayer(panel)] = data(l.before)
	}
	for _, id := range l.layers(panel) {
		references = append(references, reference(layerReference(id), "index-pattern", l.view))
	}
	return object{
		"title": title, "type": "lens", "visualizationType": l.kind, "references": references,
		"state": object{
			"visualization": l.visual(panel, l.columns), "query": kuery(l.query), "filters": []any{},
			"datasourceStates":   object{"formBased": object{"layers": layers}, "textBased": object{"layers": object{}}},
			"internalReferences": []any{}, "adHocDataViews": object{},
		},
	}
}

// data is what a layer asks for.
func data(all []column) object {
	order, columns := []string{}, object{}
	for _, c := range all {
		for _, c := range append(c.parts, c) {
			order = append(order, c.id)
			columns[c.id] = c.object
		}
	}
	return object{"columnOrder": order, "columns": columns, "incompleteColumns": object{}}
}

func layerReference(layer string) string { return "indexpattern-datasource-layer-" + layer }

// withZeros shows 0 where there is nothing to count, not "N/A" or an empty cell.
func withZeros(columns ...column) []column {
	for _, c := range columns {
		if params := c.object["params"].(object); params["emptyAsNull"] != nil {
			params["emptyAsNull"] = false
		}
	}
	return columns
}

// figure shows one number.
func figure(view, query string, c column) lens {
	return lens{view: view, query: query, kind: "lnsMetric", columns: withZeros(c), visual: func(layer string, columns []column) object {
		return object{"layerId": layer, "layerType": "data", "metricAccessor": columns[0].id}
	}}
}

// alarm is a figure that is green at 0 and else red.
func alarm(view, query string, c column) lens {
	l := figure(view, query, c)
	plain := l.visual
	l.visual = func(layer string, columns []column) object {
		visual := plain(layer, columns)
		visual["palette"] = redFromOne()
		return visual
	}
	return l
}

// table shows the buckets in rows, the metrics last.
func table(view, query string, columns ...column) lens {
	return lens{view: view, query: query, kind: "lnsDatatable", columns: withZeros(columns...), visual: func(layer string, columns []column) object {
		var shown []object
		for _, c := range columns {
			shown = append(shown, object{"columnId": c.id, "isTransposed": false})
		}
		return object{"layerId": layer, "layerType": "data", "columns": shown}
	}}
}

// donut shows shares, with colours for some values if they mean something.
func donut(view string, shades []shade, group, size column) lens {
	return lens{view: view, kind: "lnsPie", columns: []column{group, size}, visual: func(layer string, columns []column) object {
		drawn := object{
			"layerId": layer, "layerType": "data", "primaryGroups": []string{columns[0].id}, "metrics": []string{columns[1].id},
			"numberDisplay": "percent", "categoryDisplay": "default", "legendDisplay": "default", "nestedLegend": false,
		}
		if shades != nil {
			drawn["colorMapping"] = inColors(shades)
		}
		return object{"shape": "donut", "layers": []object{drawn}}
	}}
}

// chart draws metrics over the first column, a time or values, split by a second bucket
// if there is one, whose values have the colours. series is bar, bar_horizontal,
// bar_stacked or line.
func chart(view, query, series string, shades []shade, columns ...column) lens {
	return lens{view: view, query: query, kind: "lnsXY", columns: columns, visual: func(layer string, columns []column) object {
		shown := object{"x": true, "yLeft": true, "yRight": true}
		return object{
			"preferredSeriesType": series, "legend": object{"isVisible": true, "position": "right"}, "valueLabels": "hide",
			"fittingFunction": "None", "axisTitlesVisibilitySettings": object{"x": false, "yLeft": false, "yRight": false},
			"tickLabelsVisibilitySettings": shown, "gridlinesVisibilitySettings": shown, "layers": []object{drawn(layer, series, shades, columns)},
		}
	}}
}

// drawn is a layer of a chart.
func drawn(layer, series string, shades []shade, columns []column) object {
	o := object{
		"layerId": layer, "layerType": "data", "seriesType": series, "position": "top", "showGridlines": false, "xAccessor": columns[0].id,
	}
	var accessors []string
	for _, c := range columns[1:] {
		if c.bucket {
			o["splitAccessor"] = c.id
			if shades != nil {
				o["colorMapping"] = inColors(shades)
			}
		} else {
			accessors = append(accessors, c.id)
		}
	}
	o["accessors"] = accessors
	return o
}

// withPeriodBefore draws the number of documents in the period before, over the values of
// x. It has a layer of its own, because Kibana refuses terms in a layer of two periods.
func (l lens) withPeriodBefore(series string, x column) lens {
	x.id += "-before"
	number := count("n-before", "Period before")
	number.object["timeShift"] = "previous"
	l.before = withZeros(x, number)
	plain := l.visual
	l.visual = func(layer string, columns []column) object {
		visual := plain(layer, columns)
		visual["layers"] = append(visual["layers"].([]object), drawn(secondLayer(layer), series, nil, l.before))
		return visual
	}
	return l
}
