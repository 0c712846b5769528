// Command generate prints the saved objects of the dashboards, for
// newterms.ndjson: go generate ./deploy/kibana.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

type object = map[string]any

func main() {
	objects := append(dataViews(), append(sessions(), dashboards()...)...)
	for _, o := range objects {
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

// The versions are those of the oldest Kibana that may import the objects: 8.9
// for dashboards, below which by-value Lens panels would be migrated, wrongly.
// Every later Kibana brings them up to its own.
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
	alertsView = "newterms-alerts"
	runsView   = "newterms-runs"
)

func dataViews() []object {
	duration := object{"id": "duration", "params": object{"inputFormat": "milliseconds", "outputFormat": "humanizePrecise", "outputPrecision": 1}}
	return []object{
		// By first_seen, so that the alerts of a rerun stand where they happened.
		dataView(alertsView, "New-term alerts", ".alerts-newterms.detections-default", "newterms.first_seen", object{}),
		dataView(runsView, "newterms runs", ".alerts-newterms.runs-default", "@timestamp", object{
			"newterms.run.started":      object{"id": "relative_date"},
			"newterms.duration_ms":      duration,
			"newterms.took_ms":          duration,
			"newterms.window.length_ms": duration,
			"newterms.gap.length_ms":    duration,
		}),
	}
}

func dataView(id, name, title, timeField string, formats object) object {
	return savedObject("index-pattern", id, "8.0.0", object{
		"title": title, "name": name, "timeFieldName": timeField,
		"allowHidden": true, // the targets are hidden data streams
		"fields":      "[]", "fieldAttrs": "{}", "fieldFormatMap": text(formats), "runtimeFieldMap": "{}", "sourceFilters": "[]",
	}, nil)
}

// sessions are the saved Discover sessions that the dashboards show as tables.
func sessions() []object {
	return []object{
		session("newterms-newest-alerts", "Newest alerts", alertsView, "", "newterms.first_seen",
			"kibana.alert.severity", "kibana.alert.reason", "okta.actor.display_name", "cloud.account.id", "okta.client.ip",
			"client.geo.country_name", "okta.security_context.as.organization.name", "kibana.alert.workflow_status"),
		session("newterms-failed-runs", "Last errors", runsView, "newterms.run.state: failure", "@timestamp",
			"kibana.alert.rule.name", "newterms.run.type", "error.message", "newterms.window.from", "newterms.window.to"),
		session("newterms-gaps", "Gaps and how to rerun them", runsView, "newterms.gap.rerun: * and newterms.run.state: started", "@timestamp",
			"kibana.alert.rule.name", "newterms.gap.from", "newterms.gap.to", "newterms.gap.rerun"),
	}
}

func session(id, title, view, query, newestFirst string, columns ...string) object {
	const index = "kibanaSavedObjectMeta.searchSourceJSON.index"
	return savedObject("search", id, "8.0.0", object{
		"title": title, "description": "", "columns": columns, "sort": [][]string{{newestFirst, "desc"}},
		"grid": object{}, "hideChart": true, "isTextBasedQuery": false, "timeRestore": false,
		"kibanaSavedObjectMeta": object{"searchSourceJSON": text(object{"query": kuery(query), "filter": []any{}, "indexRefName": index})},
	}, []object{reference(index, "index-pattern", view)})
}

func kuery(query string) object { return object{"language": "kuery", "query": query} }
