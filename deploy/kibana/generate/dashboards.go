package main

const (
	alertsDashboard = "newterms-alerts-dashboard"
	runsDashboard   = "newterms-runs-dashboard"
)

// A control above a dashboard narrows it to values of a field.
type control struct{ id, title, field string }

func dashboards() []object { return []object{alertsOverview(), jobHealth()} }

// guide tells how to read the alerts. The import puts the triage notes of the
// rules behind it.
const guide = `**How to read this**

An alert is the first event of a pair, such as a user and an account, after at least the history of its rule (7 days, mostly)
without one. It stands at the time of that event, not at the time when it was found.

1. Look at *Newest alerts*. Its reason says who, from where, and what is new. A user's name leads to the user's page in
Security, *source event* to the event in Discover.
2. Work through the triage note of the rule. It is in *Rules and their triage notes*, at the end: open the rule's row.
3. Say what became of it: ` + "`newterms close ALERT_ID --reason '…'`" + ` or ` + "`newterms acknowledge`" + `, with the alert's
` + "`kibana.alert.uuid`" + `. A closed alert does not come back.

Many users who are new at once from one network mean that the network is new: see *Top networks*.`

// monitored is a time range of its own, for what must not depend on the one that
// was picked.
const monitored = "now-90d"

// ever is for what is written once: a rule has a document of the first run with it.
const ever = "now-10y"

func alertsOverview() object {
	alerts, users := func() column { return count("n", "Alerts") }, func() column { return unique("users", "Users", "user.name") }
	risks := []shade{{"LOW", green}, {"MEDIUM", yellow}, {"HIGH", red}}
	outcomes := []shade{{"success", green}, {"failure", red}, {"unknown", yellow}}
	statuses := []shade{{"open", orange}, {"acknowledged", yellow}, {"closed", green}}
	return dashboard(alertsDashboard, "New-term alerts", "Pairs seen for the first time: who, from where, and what is new", alertsView, "now-7d",
		[]control{
			{"rule", "Rule", "kibana.alert.rule.name"}, {"user", "User", "user.name"},
			{"account", "Account", "cloud.account.id"}, {"status", "Status", "kibana.alert.workflow_status"},
		}, []panel{
			{"links", "Dashboards", grid{0, 0, 48, 4}, links{{"Job health", runsDashboard}}, ""},
			{"open", "Open alerts", grid{0, 4, 8, 7}, figure(alertsView, "kibana.alert.workflow_status: open", count("n", "Open alerts of 90 days")), monitored},
			{"users", "Users", grid{0, 11, 8, 7}, figure(alertsView, "", users()), ""},
			{"over-time", "First seen, by severity", grid{8, 4, 25, 14}, chart(alertsView, "", "bar_stacked", severities(),
				overTime("time", "newterms.first_seen"), top("severity", "Severity", "kibana.alert.severity", "n", 5), alerts()), ""},
			{"guide", "How to read this", grid{33, 4, 15, 14}, markdown(guide), ""},
			{"newest", "Newest alerts", grid{0, 18, 48, 16}, savedSession("newterms-newest-alerts"), ""},
			{"map", "Where from", grid{0, 34, 24, 14}, places{alertsView, "client.geo.location",
				[]string{"user.name", "source.ip", "client.as.organization.name", "newterms.first_seen"}}, ""},
			{"rules", "Rules", grid{24, 34, 24, 14}, table(alertsView, "", top("rule", "Rule", "kibana.alert.rule.name", "n", 20),
				top("severity", "Severity", "kibana.alert.severity", "n", 4), maximum("risk", "Risk", "kibana.alert.risk_score"), alerts(),
				count("open", "Open").where("kibana.alert.workflow_status: open")), ""},
			{"top-users", "Top users", grid{0, 48, 16, 12}, table(alertsView, "",
				top("user", "User", "user.name", "n", 10), top("okta", "Okta id", "okta.actor.id", "n", 3), alerts()), ""},
			{"top-accounts", "Top accounts", grid{16, 48, 16, 12}, table(alertsView, "",
				top("account", "Account", "cloud.account.id", "n", 10), users(), alerts()), ""},
			{"top-networks", "Top networks", grid{32, 48, 16, 12}, table(alertsView, "",
				top("network", "Network", "client.as.organization.name", "n", 10), users(), alerts()), ""},
			{"countries", "Countries", grid{0, 60, 12, 12}, donut(alertsView, nil, top("country", "Country", "client.geo.country_name", "n", 8), alerts()), ""},
			{"user-agents", "User agents", grid{12, 60, 12, 12}, donut(alertsView, nil, top("agent", "User agent", "user_agent.name", "n", 8), alerts()), ""},
			{"actions", "Actions", grid{24, 60, 12, 12}, donut(alertsView, nil, top("action", "Action", "event.action", "n", 8), alerts()), ""},
			{"outcomes", "Outcomes", grid{36, 60, 12, 12}, donut(alertsView, outcomes, top("outcome", "Outcome", "event.outcome", "n", 4), alerts()), ""},
			{"addresses", "Top addresses", grid{0, 72, 24, 12}, table(alertsView, "",
				topAddresses("address", "Address", "source.ip", "n", 10), users(), alerts()), ""},
			{"okta-risk", "Risk, as Okta judges it", grid{24, 72, 12, 12}, donut(alertsView, risks,
				top("risk", "Risk level", "okta.debug_context.debug_data.risk_level", "n", 4), alerts()), ""},
			{"statuses", "What became of them", grid{36, 72, 12, 12}, donut(alertsView, statuses,
				top("status", "Status", "kibana.alert.workflow_status", "n", 3), alerts()), ""},
			{"decisions", "Closed and acknowledged", grid{0, 84, 48, 12}, savedSession("newterms-decisions"), ""},
			{"notes", "Rules and their triage notes", grid{0, 96, 48, 12}, savedSession("newterms-rules"), ever},
		})
}

func jobHealth() object {
	const good = "newterms.run.state: success and newterms.run.type: scheduled"
	const failed = "newterms.run.state: failure"
	states := []shade{{"success", green}, {"failure", red}, {"started", blue}}
	perRule := func(c column) column { return c.where(c.object["filter"].(object)["query"].(string) + " and " + good) }
	return dashboard(runsDashboard, "Job health", "Whether newterms runs, keeps up and can judge what it sees", runsView, "now-24h",
		[]control{{"rule", "Rule", "kibana.alert.rule.name"}, {"type", "Run type", "newterms.run.type"}},
		[]panel{
			{"links", "Dashboards", grid{0, 0, 48, 4}, links{{"New-term alerts", alertsDashboard}}, ""},
			{"last-good", "Time since the last good run", grid{0, 4, 12, 6}, figure(runsView, good,
				newest("started", "The last good scheduled run started", "newterms.run.started")), monitored},
			{"covered", "Looked at up to", grid{12, 4, 12, 6}, figure(runsView, good, newest("to", "Looked at all events up to", "newterms.window.to")), monitored},
			{"failures", "Failed runs", grid{24, 4, 12, 6}, alarm(runsView, failed, count("n", "Failed runs")), ""},
			{"gaps", "Gaps", grid{36, 4, 12, 6}, alarm(runsView, "newterms.gap.rerun: * and newterms.run.state: started", count("n", "Runs that left a gap")), ""},
			{"rules", "Rules and their last good run", grid{0, 10, 48, 8}, table(runsView, "", top("rule", "Rule", "kibana.alert.rule.name", "n", 50),
				perRule(newest("started", "Last good run", "newterms.run.started")), perRule(newest("to", "Looked at up to", "newterms.window.to")),
				count("failed", "Failed runs").where(failed), count("n", "Run documents").where("newterms.run.state: *")), monitored},
			{"states", "Runs by status", grid{0, 18, 24, 12}, chart(runsView, "", "bar_stacked", states,
				overTime("time", "@timestamp"), top("state", "Status", "newterms.run.state", "n", 3), count("n", "Run documents")), ""},
			{"coverage", "Window coverage and gaps", grid{24, 18, 24, 12}, chart(runsView, good, "bar", nil,
				overTime("time", "@timestamp"), sum("window", "Time looked at", "newterms.window.length_ms"), sum("gap", "Gap", "newterms.gap.length_ms")), ""},
			{"durations", "Duration, and Elasticsearch's part of it", grid{0, 30, 24, 12}, chart(runsView, "", "line", nil,
				overTime("time", "@timestamp"), maximum("duration", "Duration", "newterms.duration_ms"), maximum("took", "Elasticsearch took", "newterms.took_ms")), ""},
			{"counts", "What the runs found", grid{24, 30, 24, 12}, chart(runsView, "", "line", nil, overTime("time", "@timestamp"),
				sum("candidates", "Candidates", "newterms.candidates"), sum("new", "New", "newterms.new"), sum("written", "Alerts written", "newterms.written"),
				sum("alerted", "Already alerted", "newterms.already_alerted"), sum("lacking", "Events that lack a term", "newterms.lacking_terms")), ""},
			{"lag", "Time to detect: from first seen to alert written", grid{0, 42, 48, 10}, chart(alertsView, "", "line", nil,
				overTime("time", "newterms.first_seen"), metric("median", "Median", "median", "newterms.lag_ms", object{"emptyAsNull": true}),
				maximum("slowest", "Slowest", "newterms.lag_ms")), monitored},
			{"errors", "Last errors", grid{0, 52, 24, 14}, savedSession("newterms-failed-runs"), ""},
			{"gap-list", "Gaps and how to rerun them", grid{24, 52, 24, 14}, savedSession("newterms-gaps"), ""},
		})
}

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
