package main

const (
	alertsDashboard = "newterms-alerts-dashboard"
	triageDashboard = "newterms-triage-dashboard"
	runsDashboard   = "newterms-runs-dashboard"
)

// A control above a dashboard narrows it to values of a field.
type control struct{ id, title, field string }

func dashboards() []object { return []object{alertsOverview(), triage(), jobHealth()} }

// monitored is a time range of its own, for what must not depend on the one that
// was picked.
const monitored = "now-90d"

const ruleName = "kibana.alert.rule.name"

// ever is for what is written once: a rule has a document of the first run with it.
const ever = "now-10y"

func dashboard(id, title, description, view, since string, controls []control, panels []panel) object {
	references, shown := []object{tagged()}, []object{}
	for _, p := range panels {
		o, needed := p.object()
		shown, references = append(shown, o), append(references, needed...)
	}
	inputs := object{}
	for i, c := range controls {
		inputs[c.id] = object{
			"order": i, "width": "medium", "grow": true, "type": "optionsListControl",
			"explicitInput": object{"id": c.id, "fieldName": c.field, "title": c.title, "enhancements": object{}},
		}
		references = append(references, reference("controlGroup_"+c.id+":optionsListDataView", "index-pattern", view))
	}
	return savedObject("dashboard", id, "8.9.0", object{
		"title": title, "description": description, "timeRestore": true, "timeFrom": since, "timeTo": "now",
		"refreshInterval":       object{"pause": false, "value": 60000},
		"kibanaSavedObjectMeta": object{"searchSourceJSON": text(object{"query": kuery(""), "filter": []any{}})},
		"optionsJSON":           text(object{"useMargins": true, "syncColors": false, "syncCursor": true, "syncTooltips": false, "hidePanelTitles": false}),
		"controlGroupInput": object{
			"controlStyle": "oneLine", "chainingSystem": "HIERARCHICAL", "panelsJSON": text(inputs),
			"ignoreParentSettingsJSON": text(object{"ignoreFilters": false, "ignoreQuery": false, "ignoreTimerange": false, "ignoreValidations": false}),
		},
		"panelsJSON": text(shown),
	}, references)
}
