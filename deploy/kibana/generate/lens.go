package main

// A column of a Lens layer: a bucket (a dimension) or a metric.
type column struct {
	id     string
	bucket bool
	object object
}

func count(id, label string) column {
	return metric(id, label, "count", "___records___", object{"emptyAsNull": true})
}

// where narrows a metric to the documents that match a query.
func (c column) where(query string) column {
	c.object["filter"] = kuery(query)
	return c
}

func metric(id, label, operation, field string, params object) column {
	return column{id, false, object{
		"operationType": operation, "sourceField": field, "label": label, "customLabel": true,
		"dataType": "number", "isBucketed": false, "scale": "ratio", "params": params,
	}}
}

func unique(id, label, field string) column {
	return metric(id, label, "unique_count", field, object{"emptyAsNull": true})
}

func sum(id, label, field string) column {
	return metric(id, label, "sum", field, object{"emptyAsNull": true})
}

func maximum(id, label, field string) column {
	return metric(id, label, "max", field, object{"emptyAsNull": true})
}

// newest is a date of the newest document that has it.
func newest(id, label, field string) column {
	c := metric(id, label, "last_value", field, object{"sortField": "@timestamp", "showArrayValues": false})
	c.object["dataType"] = "date"
	return c.where(`"` + field + `": *`)
}

func overTime(id, field string) column {
	return column{id, true, object{
		"operationType": "date_histogram", "sourceField": field, "label": "Time (" + field + ")", "customLabel": true,
		"dataType": "date", "isBucketed": true, "scale": "interval",
		"params": object{"interval": "auto", "includeEmptyRows": true, "dropPartials": false},
	}}
}

// top is the values of a keyword that have the most of a metric, with what is
// left and what lacks it, so that nothing vanishes.
func top(id, label, field, by string, size int) column {
	return column{id, true, object{
		"operationType": "terms", "sourceField": field, "label": label, "customLabel": true,
		"dataType": "string", "isBucketed": true, "scale": "ordinal",
		"params": object{
			"size": size, "orderBy": object{"type": "column", "columnId": by}, "orderDirection": "desc",
			"otherBucket": true, "missingBucket": true, "parentFormat": object{"id": "terms"},
			"include": []any{}, "exclude": []any{}, "includeIsRegex": false, "excludeIsRegex": false,
		},
	}}
}

// topAddresses is top for IP addresses, of which Kibana does not count what is
// missing.
func topAddresses(id, label, field, by string, size int) column {
	c := top(id, label, field, by, size)
	c.object["dataType"] = "ip"
	c.object["params"].(object)["missingBucket"] = false
	return c
}

// A lens is a panel by value with one layer.
type lens struct {
	view, query string
	kind        string // visualizationType
	columns     []column
	visual      func(layer string, columns []column) object
}

func (l lens) attributes(title, layer string) object {
	order, columns := []string{}, object{}
	for _, c := range l.columns {
		order = append(order, c.id)
		columns[c.id] = c.object
	}
	return object{
		"title": title, "type": "lens", "visualizationType": l.kind,
		"references": []object{reference(layerReference(layer), "index-pattern", l.view)},
		"state": object{
			"visualization": l.visual(layer, l.columns), "query": kuery(l.query), "filters": []any{},
			"datasourceStates": object{
				"formBased": object{"layers": object{layer: object{"columnOrder": order, "columns": columns, "incompleteColumns": object{}}}},
				"textBased": object{"layers": object{}},
			},
			"internalReferences": []any{}, "adHocDataViews": object{},
		},
	}
}

func layerReference(layer string) string { return "indexpattern-datasource-layer-" + layer }

// figure shows one number: 0 where there is nothing to count, not "N/A".
func figure(view, query string, c column) lens {
	if params := c.object["params"].(object); params["emptyAsNull"] != nil {
		params["emptyAsNull"] = false
	}
	return lens{view, query, "lnsMetric", []column{c}, func(layer string, columns []column) object {
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
	return lens{view, query, "lnsDatatable", columns, func(layer string, columns []column) object {
		var shown []object
		for _, c := range columns {
			shown = append(shown, object{"columnId": c.id, "isTransposed": false})
		}
		return object{"layerId": layer, "layerType": "data", "columns": shown}
	}}
}

// donut shows shares, with colours for some values if they mean something.
func donut(view string, shades []shade, group, size column) lens {
	return lens{view, "", "lnsPie", []column{group, size}, func(layer string, columns []column) object {
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

// chart draws metrics over the first column, a time, split by a second bucket
// if there is one, whose values have the colours. series is bar, bar_stacked or
// line.
func chart(view, query, series string, shades []shade, columns ...column) lens {
	return lens{view, query, "lnsXY", columns, func(layer string, columns []column) object {
		drawn := object{
			"layerId": layer, "layerType": "data", "seriesType": series, "position": "top", "showGridlines": false, "xAccessor": columns[0].id,
		}
		var accessors []string
		for _, c := range columns[1:] {
			if c.bucket {
				drawn["splitAccessor"], drawn["colorMapping"] = c.id, inColors(shades)
			} else {
				accessors = append(accessors, c.id)
			}
		}
		drawn["accessors"] = accessors
		shown := object{"x": true, "yLeft": true, "yRight": true}
		return object{
			"preferredSeriesType": series, "legend": object{"isVisible": true, "position": "right"}, "valueLabels": "hide",
			"fittingFunction": "None", "axisTitlesVisibilitySettings": object{"x": false, "yLeft": false, "yRight": false},
			"tickLabelsVisibilitySettings": shown, "gridlinesVisibilitySettings": shown, "layers": []object{drawn},
		}
	}}
}
