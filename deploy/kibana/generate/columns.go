package main

// A column of a Lens layer: a bucket (a dimension) or a metric.
type column struct {
	id     string
	bucket bool
	object object
	parts  []column // that a formula is computed from
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
	return column{id: id, object: object{
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

func median(id, label, field string) column {
	return metric(id, label, "median", field, object{})
}

// oldest is the earliest date.
func oldest(id, label, field string) column {
	c := metric(id, label, "min", field, object{})
	c.object["dataType"] = "date"
	return c
}

// A fraction counts the documents of one query for each of another.
type fraction struct{ of, all string }

// share is a fraction in percent. It is empty where all is 0.
func (f fraction) share(id, label string) column {
	c := f.computed(id, label, "divide", "/")
	c.object["params"].(object)["format"] = object{"id": "percent", "params": object{"decimals": 0}}
	return c
}

// rest is how many more documents all has.
func (f fraction) rest(id, label string) column {
	return fraction{of: f.all, all: f.of}.computed(id, label, "subtract", "-")
}

// computed is a formula of two counts. Kibana computes it from the parts, and reads the
// text only when the panel is edited.
func (f fraction) computed(id, label, operation, sign string) column {
	count := func(id, query string) column {
		c := count(id, "Part of "+label).where(query)
		c.object["params"] = object{"emptyAsNull": false}
		return c
	}
	left, right := count(id+"X0", f.of), count(id+"X1", f.all)
	text := "count(kql='" + f.of + "') " + sign + " count(kql='" + f.all + "')"
	referring := func(id, label, operation string, params object, to ...string) column {
		c := metric(id, label, operation, "", params)
		delete(c.object, "sourceField")
		c.object["references"] = to
		return c
	}
	math := referring(id+"X2", "Part of "+label, "math", object{"tinymathAst": object{
		"type": "function", "name": operation, "args": []string{left.id, right.id}, "location": object{"min": 0, "max": len(text)}, "text": text,
	}}, left.id, right.id)
	c := referring(id, label, "formula", object{"formula": text, "isFormulaBroken": false}, math.id)
	c.parts = []column{left, right, math}
	return c
}

// newest is a date of the newest document that has it.
func newest(id, label, field string) column {
	c := metric(id, label, "last_value", field, object{"sortField": "@timestamp", "showArrayValues": false})
	c.object["dataType"] = "date"
	return c.where(`"` + field + `": *`)
}

func overTime(id, field string) column {
	return column{id: id, bucket: true, object: object{
		"operationType": "date_histogram", "sourceField": field, "label": "Time (" + field + ")", "customLabel": true,
		"dataType": "date", "isBucketed": true, "scale": "interval",
		"params": object{"interval": "auto", "includeEmptyRows": true, "dropPartials": false},
	}}
}

// top is the values of a keyword that have the most of a metric, with what is
// left and what lacks it, so that nothing vanishes.
func top(id, label, field, by string, size int) column {
	return column{id: id, bucket: true, object: object{
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
