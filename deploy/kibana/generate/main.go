// Command generate prints the saved objects of the dashboards, for
// newterms.ndjson: go generate ./deploy/kibana.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

type object = map[string]any

func main() {
	for _, o := range slices.Concat([]object{tag()}, dataViews(), sessions(), dashboards()) {
		os.Stdout.Write(encode(o))
		fmt.Println()
	}
}

// encode is compact JSON with sorted keys. What is encoded here always can be.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func text(v any) string { return string(encode(v)) }

// The versions are old ones that every supported Kibana brings up to its own. A
// dashboard of less than 8.9 would have its by-value Lens panels migrated,
// wrongly.
func savedObject(kind, id, version string, attributes object, references []object) object {
	if references == nil {
		references = []object{}
	}
	return object{
		"type": kind, "id": id, "attributes": attributes, "references": references, "managed": false,
		"coreMigrationVersion": "8.8.0", "typeMigrationVersion": version,
	}
}

func reference(name, kind, id string) object { return object{"name": name, "type": kind, "id": id} }

// The data views. The import puts the configured targets in the place of the
// titles.
const (
	alertsView  = "newterms-alerts"
	decidedView = "newterms-decided-alerts"
	runsView    = "newterms-runs"
)

func dataViews() []object {
	const alertsTarget = ".alerts-newterms.detections-default"
	return []object{
		// By first_seen, so that the alerts of a rerun stand where they happened.
		dataView(alertsView, "New-term alerts", alertsTarget, "newterms.first_seen", alertFormats()),
		// By the last decision, so that what was closed stands where it was closed.
		dataView(decidedView, "New-term alerts by decision", alertsTarget, "kibana.alert.workflow_status_updated_at", alertFormats()),
		dataView(runsView, "newterms runs", ".alerts-newterms.runs-default", "@timestamp", object{
			"newterms.cause.where": link("../app/discover#/?_g=(time:(from:now-90d,to:now))&_a=(dataSource:(dataViewId:"+alertsView+",type:dataView),index:"+alertsView+
				",query:(language:kuery,query:'{{value}}'))", "their alerts"),
			"newterms.run.started":      object{"id": "relative_date"},
			"newterms.window.from":      shortDate(),
			"newterms.window.to":        shortDate(),
			"newterms.duration_ms":      duration(),
			"newterms.took_ms":          duration(),
			"newterms.window.length_ms": duration(),
			"newterms.gap.length_ms":    duration(),
		}),
	}
}

func alertFormats() object {
	return object{
		// Links that need no licence, as drilldowns do. Kibana puts its address
		// and the space before "..". The data view logs-* is Fleet's.
		"user.name": link("../app/security/users/name/{{value}}", "{{value}}"),
		"event.id": link("../app/discover#/?_g=(time:(from:now-1y,to:now))&_a=(dataSource:(dataViewId:'logs-*',type:dataView),index:'logs-*',"+
			"query:(language:kuery,query:'event.id:%22{{value}}%22'))", "source event"),
		"kibana.alert.start":                      object{"id": "relative_date"},
		"kibana.alert.workflow_status_updated_at": shortDate(),
		"newterms.lag_ms":                         duration(),
		"newterms.time_to_acknowledge_ms":         duration(),
		"newterms.time_to_close_ms":               duration(),
	}
}

// duration is the format of a number of milliseconds.
func duration() object {
	return object{"id": "duration", "params": object{"inputFormat": "milliseconds", "outputFormat": "humanizePrecise", "outputPrecision": 1}}
}

// shortDate fits a quarter of a dashboard.
func shortDate() object { return object{"id": "date", "params": object{"pattern": "MMM D, HH:mm"}} }

// link is a field format that makes a link of a value.
func link(url, label string) object {
	return object{"id": "url", "params": object{"urlTemplate": url, "labelTemplate": label}}
}

func dataView(id, name, title, timeField string, formats object) object {
	return savedObject("index-pattern", id, "8.0.0", object{
		"title": title, "name": name, "timeFieldName": timeField,
		"allowHidden":  true, // the targets are hidden data streams
		"allowNoIndex": true, // which may not be there yet
		"fields":       "[]", "fieldAttrs": "{}", "fieldFormatMap": text(formats), "runtimeFieldMap": "{}", "sourceFilters": "[]",
	}, nil)
}

const tagID = "newterms-tag"

// tag finds all of these objects among others of a space.
func tag() object {
	return savedObject("tag", tagID, "8.0.0", object{"name": "newterms", "description": "First occurrences, found by newterms", "color": "#54B399"}, nil)
}

func tagged() object { return reference("tag-ref-"+tagID, "tag", tagID) }

// sessions are the saved Discover sessions that the dashboards show as tables.
func sessions() []object {
	return []object{
		session("newterms-newest-alerts", "Newest alerts", alertsView, "", newestFirst("newterms.first_seen"), widths{"kibana.alert.reason": 420, "event.id": 110, "kibana.alert.uuid": 110},
			"kibana.alert.severity", "kibana.alert.risk_score", "kibana.alert.rule.name", "kibana.alert.reason", "newterms.novelty", "user.name", "source.ip",
			"client.as.organization.name", "okta.debug_context.debug_data.risk_level", "kibana.alert.workflow_status", "event.id", "kibana.alert.uuid"),
		session("newterms-oldest-open", "Oldest open alerts", alertsView, "kibana.alert.workflow_status: open", oldestFirst("kibana.alert.start"),
			widths{"kibana.alert.reason": 300, "kibana.alert.uuid": 110},
			"kibana.alert.start", "kibana.alert.severity", "kibana.alert.reason", "newterms.novelty", "kibana.alert.workflow_assignee_ids", "kibana.alert.uuid"),
		session("newterms-decisions", "Decisions", decidedView, "", newestFirst("kibana.alert.workflow_status_updated_at"),
			widths{"kibana.alert.reason": 360, "newterms.workflow_comment": 240}, "kibana.alert.workflow_status", "kibana.alert.workflow_user",
			"kibana.alert.workflow_reason", "newterms.workflow_comment", "kibana.alert.workflow_assignee_ids", "kibana.alert.rule.name", "kibana.alert.reason"),
		session("newterms-rules", "Rules and their triage notes", runsView, "event.action: newterms-rule", newestFirst("@timestamp"), widths{"kibana.alert.rule.note": 700},
			"kibana.alert.rule.name", "kibana.alert.rule.severity", "kibana.alert.rule.description", "kibana.alert.rule.note"),
		session("newterms-failed-runs", "Last errors", runsView, "newterms.run.state: failure", newestFirst("@timestamp"), widths{"error.message": 420},
			"kibana.alert.rule.name", "newterms.run.type", "error.message", "newterms.window.from", "newterms.window.to"),
		session("newterms-causes", "Runs whose alerts have one cause", runsView, "newterms.cause.text: *", newestFirst("@timestamp"), widths{"newterms.cause.text": 420, "newterms.cause.exclude": 300},
			"kibana.alert.rule.name", "newterms.cause.text", "newterms.cause.share", "newterms.cause.exclude", "newterms.cause.where"),
		session("newterms-gaps", "Gaps and how to rerun them", runsView, "newterms.gap.rerun: * and newterms.run.state: started", newestFirst("@timestamp"), nil,
			"kibana.alert.rule.name", "newterms.gap.from", "newterms.gap.to", "newterms.gap.rerun"),
	}
}

// widths of columns, in pixels; the others share what is left.
type widths map[string]int

type sorting [2]string // by a field, which way

func newestFirst(field string) sorting { return sorting{field, "desc"} }
func oldestFirst(field string) sorting { return sorting{field, "asc"} }

func session(id, title, view, query string, by sorting, w widths, columns ...string) object {
	const index = "kibanaSavedObjectMeta.searchSourceJSON.index"
	grid := object{}
	for column, width := range w {
		grid[column] = object{"width": width}
	}
	// The suffix tells the title from others of the space.
	return savedObject("search", id, "8.0.0", object{
		"title": title + " [newterms]", "description": "", "columns": columns, "sort": []sorting{by},
		"grid": object{"columns": grid}, "hideChart": true, "isTextBasedQuery": false, "timeRestore": false,
		"kibanaSavedObjectMeta": object{"searchSourceJSON": text(object{"query": kuery(query), "filter": []any{}, "indexRefName": index})},
	}, []object{reference(index, "index-pattern", view), tagged()})
}

func kuery(query string) object { return object{"language": "kuery", "query": query} }
