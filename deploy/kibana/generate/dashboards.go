package main

// A panel on the grid, which is 48 wide: a Lens by value, or a session by
// reference.
type panel struct {
	id, title  string
	x, y, w, h int
	lens       lens
	session    string
}

// A control above a dashboard narrows it to values of a field.
type control struct{ id, title, field string }

func dashboards() []object {
	const good = "newterms.run.state: success and newterms.run.type: scheduled"
	return []object{
		dashboard("newterms-alerts-dashboard", "New-term alerts", "Pairs seen for the first time: who, from where, and what is new", alertsView, "now-7d",
			[]control{
				{"rule", "Rule", "kibana.alert.rule.name"}, {"actor", "Actor", "okta.actor.display_name"},
				{"account", "Account", "cloud.account.id"}, {"status", "Status", "kibana.alert.workflow_status"},
			}, []panel{
				{"open", "Open alerts", 0, 0, 8, 6, figure(alertsView, "kibana.alert.workflow_status: open", count("n", "Open alerts")), ""},
				{"actors", "Actors", 0, 6, 8, 6, figure(alertsView, "", unique("n", "Actors", "okta.actor.id")), ""},
				{"over-time", "First seen, by severity", 8, 0, 40, 12, chart(alertsView, "", "bar_stacked",
					overTime("time", "newterms.first_seen"), top("severity", "Severity", "kibana.alert.severity", "n", 5), count("n", "Alerts")), ""},
				{"newest", "Newest alerts", 0, 12, 48, 16, lens{}, "newterms-newest-alerts"},
				{"top-actors", "Top actors", 0, 28, 16, 12, table(alertsView, "",
					top("actor", "Actor", "okta.actor.display_name", "n", 10), top("id", "Id", "okta.actor.id", "n", 3), count("n", "Alerts")), ""},
				{"top-accounts", "Top accounts", 16, 28, 16, 12, table(alertsView, "",
					top("account", "Account", "cloud.account.id", "n", 10), unique("actors", "Actors", "okta.actor.id"), count("n", "Alerts")), ""},
				{"top-networks", "Top networks", 32, 28, 16, 12, table(alertsView, "",
					top("network", "Network", "okta.security_context.as.organization.name", "n", 10), unique("actors", "Actors", "okta.actor.id"), count("n", "Alerts")), ""},
				{"countries", "Countries", 0, 40, 12, 12, donut(alertsView, "", top("country", "Country", "client.geo.country_name", "n", 10), count("n", "Alerts")), ""},
				{"user-agents", "User agents", 12, 40, 12, 12, donut(alertsView, "", top("agent", "User agent", "okta.client.user_agent.browser", "n", 10), count("n", "Alerts")), ""},
				{"event-types", "Event types", 24, 40, 12, 12, donut(alertsView, "", top("type", "Event type", "okta.event_type", "n", 10), count("n", "Alerts")), ""},
				{"outcomes", "Outcomes", 36, 40, 12, 12, donut(alertsView, "", top("outcome", "Outcome", "okta.outcome.result", "n", 10), count("n", "Alerts")), ""},
			}),
		dashboard("newterms-runs-dashboard", "Job health", "Whether newterms runs, keeps up and can judge what it sees", runsView, "now-24h",
			[]control{{"rule", "Rule", "kibana.alert.rule.name"}, {"type", "Run type", "newterms.run.type"}},
			[]panel{
				{"last-good", "Time since the last good run", 0, 0, 12, 6, figure(runsView, good, newest("started", "The last good scheduled run started", "newterms.run.started")), ""},
				{"covered", "Looked at up to", 12, 0, 12, 6, figure(runsView, good, newest("to", "All events before", "newterms.window.to")), ""},
				{"failures", "Failed runs", 24, 0, 12, 6, figure(runsView, "newterms.run.state: failure", count("n", "Failed runs")), ""},
				{"gaps", "Gaps", 36, 0, 12, 6, figure(runsView, "newterms.gap.rerun: * and newterms.run.state: started", count("n", "Runs that left a gap")), ""},
				{"states", "Runs by status", 0, 6, 24, 12, chart(runsView, "", "bar",
					overTime("time", "@timestamp"), top("state", "Status", "newterms.run.state", "n", 3), count("n", "Run documents")), ""},
				{"coverage", "Window coverage and gaps", 24, 6, 24, 12, chart(runsView, good, "bar",
					overTime("time", "@timestamp"), sum("window", "Time looked at", "newterms.window.length_ms"), sum("gap", "Gap", "newterms.gap.length_ms")), ""},
				{"durations", "Duration, and Elasticsearch's part of it", 0, 18, 24, 12, chart(runsView, "", "line",
					overTime("time", "@timestamp"), maximum("duration", "Duration", "newterms.duration_ms"), maximum("took", "Elasticsearch took", "newterms.took_ms")), ""},
				{"counts", "What the runs found", 24, 18, 24, 12, chart(runsView, "", "line", overTime("time", "@timestamp"),
					sum("candidates", "Candidates", "newterms.candidates"), sum("new", "New", "newterms.new"), sum("written", "Alerts written", "newterms.written"),
					sum("alerted", "Already alerted", "newterms.already_alerted"), sum("lacking", "Events that lack a term", "newterms.lacking_terms")), ""},
				{"errors", "Last errors", 0, 30, 24, 14, lens{}, "newterms-failed-runs"},
				{"gap-list", "Gaps and how to rerun them", 24, 30, 24, 14, lens{}, "newterms-gaps"},
			}),
	}
}

func dashboard(id, title, description, view, since string, controls []control, panels []panel) object {
	references, shown := []object{}, []object{}
	for _, p := range panels {
		o := object{
			"panelIndex": p.id, "title": p.title, "gridData": object{"x": p.x, "y": p.y, "w": p.w, "h": p.h, "i": p.id}, "version": "8.9.0",
		}
		if p.session != "" {
			o["type"], o["panelRefName"], o["embeddableConfig"] = "search", "panel_"+p.id, object{"enhancements": object{}}
			references = append(references, reference(p.id+":panel_"+p.id, "search", p.session))
		} else {
			o["type"], o["embeddableConfig"] = "lens", object{"attributes": p.lens.attributes(p.title, p.id), "enhancements": object{}}
			references = append(references, reference(p.id+":"+layerReference(p.id), "index-pattern", p.lens.view))
		}
		shown = append(shown, o)
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
		"refreshInterval":       object{"pause": true, "value": 60000},
		"kibanaSavedObjectMeta": object{"searchSourceJSON": text(object{"query": kuery(""), "filter": []any{}})},
		"optionsJSON":           text(object{"useMargins": true, "syncColors": false, "syncCursor": true, "syncTooltips": false, "hidePanelTitles": false}),
		"controlGroupInput": object{
			"controlStyle": "oneLine", "chainingSystem": "HIERARCHICAL", "panelsJSON": text(inputs),
			"ignoreParentSettingsJSON": text(object{"ignoreFilters": false, "ignoreQuery": false, "ignoreTimerange": false, "ignoreValidations": false}),
		},
		"panelsJSON": text(shown),
	}, references)
}
