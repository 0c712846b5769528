package main

// guide tells how to read the alerts. The import puts the triage notes of the
// rules behind it.
const guide = `**How to read this**

An alert is the first event of a pair, such as a user and an account, after at least the history of its rule (7 days, mostly)
without one. It stands at the time of that event, not at the time when it was found.

1. Look at *Newest alerts*. Its reason says who, from where, and what is new, and to whom. Sort by *newterms.novelty*: it counts
what nobody had before. A user's name leads to the user's page in
Security, *source event* to the event in Discover.
2. Work through the triage note of the rule. It is in *Rules and their triage notes*, at the end: open the rule's row.
3. Say what became of it: ` + "`newterms close ALERT_ID --reason true_positive`" + ` or ` + "`newterms acknowledge`" + `, with the
alert's ` + "`kibana.alert.uuid`" + `. A closed alert does not come back. *Triage* shows who works on what, and what was closed.

Many users who are new at once often have one cause, such as a new network: see *Job health*.`

func alertsOverview() object {
	return dashboard(alertsDashboard, "New-term alerts", "Pairs seen for the first time: who, from where, and what is new", alertsView, "now-7d",
		[]control{
			{"rule", "Rule", ruleName}, {"user", "User", "user.name"},
			{"account", "Account", "cloud.account.id"}, {"status", "Status", "kibana.alert.workflow_status"},
			{"new", "New to everyone", "newterms.context.new_to_everyone"},
		}, append([]panel{
			{"links", "Dashboards", grid{0, 0, 48, 4}, links{{"Triage", triageDashboard}, {"Job health", runsDashboard}}, ""},
			{"open", "Open alerts", grid{0, 4, 8, 7}, figure(alertsView, "kibana.alert.workflow_status: open", count("n", "Open alerts of 90 days")), monitored},
			{"users", "Users", grid{0, 11, 8, 7}, figure(alertsView, "", users()), ""},
			{"over-time", "First seen, by severity", grid{8, 4, 25, 14}, chart(alertsView, "", "bar_stacked", severities(),
				overTime("time", "newterms.first_seen"), top("severity", "Severity", "kibana.alert.severity", "n", 5), alerts()), ""},
			{"guide", "How to read this", grid{33, 4, 15, 14}, markdown(guide), ""},
			{"newest", "Newest alerts", grid{0, 18, 48, 16}, savedSession("newterms-newest-alerts"), ""},
			{"rules", "Rules", grid{0, 34, 24, 14}, table(alertsView, "", top("rule", "Rule", ruleName, "n", 20),
				top("severity", "Severity", "kibana.alert.severity", "n", 4), maximum("risk", "Risk", "kibana.alert.risk_score"), alerts(),
				count("open", "Open").where("kibana.alert.workflow_status: open")), ""},
			{"rules-over-time", "First seen, by rule, and the period before", grid{24, 34, 24, 14}, chart(alertsView, "", "bar_stacked", nil,
				overTime("time", "newterms.first_seen"), top("rule", "Rule", ruleName, "n", 8), alerts()).
				withPeriodBefore("line", overTime("time", "newterms.first_seen")), ""},
			{"rules-before", "Rules, and the period before", grid{0, 48, 24, 12}, chart(alertsView, "", "bar_horizontal", nil,
				top("rule", "Rule", ruleName, "n", 20), alerts()).
				withPeriodBefore("bar_horizontal", top("rule", "Rule", ruleName, "n-before", 20)), ""},
			{"tactics", "ATT&CK tactics", grid{24, 48, 12, 12}, table(alertsView, "",
				top("tactic", "Tactic", "kibana.alert.rule.threat.tactic.name", "n", 14), users(), alerts()), ""},
			{"techniques", "ATT&CK techniques", grid{36, 48, 12, 12}, table(alertsView, "",
				top("technique", "Technique", "kibana.alert.rule.threat.technique.name", "n", 20), users(), alerts()), ""},
			{"notes", "Rules and their triage notes", grid{0, 110, 48, 12}, savedSession("newterms-rules"), ever},
		}, whoAndWhere()...))
}

func alerts() column { return count("n", "Alerts") }
func users() column  { return unique("users", "Users", "user.name") }

// whoAndWhere breaks the alerts down by what they are about.
func whoAndWhere() []panel {
	risks := []shade{{"LOW", green}, {"MEDIUM", yellow}, {"HIGH", red}}
	outcomes := []shade{{"success", green}, {"failure", red}, {"unknown", yellow}}
	statuses := []shade{{"open", orange}, {"acknowledged", yellow}, {"closed", green}}
	return []panel{
		{"map", "Where from", grid{0, 60, 24, 14}, places{alertsView, "client.geo.location",
			[]string{"user.name", "source.ip", "client.as.organization.name", "newterms.first_seen"}}, ""},
		{"addresses", "Top addresses", grid{24, 60, 24, 14}, table(alertsView, "",
			topAddresses("address", "Address", "source.ip", "n", 10), users(), alerts()), ""},
		{"top-users", "Top users", grid{0, 74, 16, 12}, table(alertsView, "",
			top("user", "User", "user.name", "n", 10), top("okta", "Okta id", "okta.actor.id", "n", 3), alerts()), ""},
		{"top-accounts", "Top accounts", grid{16, 74, 16, 12}, table(alertsView, "",
			top("account", "Account", "cloud.account.id", "n", 10), users(), alerts()), ""},
		{"top-networks", "Top networks", grid{32, 74, 16, 12}, table(alertsView, "",
			top("network", "Network", "client.as.organization.name", "n", 10), users(), alerts()), ""},
		{"hosts", "Top hosts", grid{0, 86, 12, 12}, table(alertsView, "host.name: *",
			top("host", "Host", "host.name", "n", 10), users(), alerts()), ""},
		{"processes", "Top processes", grid{12, 86, 12, 12}, table(alertsView, "process.name: *",
			top("process", "Process", "process.name", "n", 10), unique("hosts", "Hosts", "host.name"), alerts()), ""},
		{"okta-risk", "Risk, as Okta judges it", grid{24, 86, 12, 12}, donut(alertsView, risks,
			top("risk", "Risk level", "okta.debug_context.debug_data.risk_level", "n", 4), alerts()), ""},
		{"statuses", "What became of them", grid{36, 86, 12, 12}, donut(alertsView, statuses,
			top("status", "Status", "kibana.alert.workflow_status", "n", 3), alerts()), ""},
		{"countries", "Countries", grid{0, 98, 12, 12}, donut(alertsView, nil, top("country", "Country", "client.geo.country_name", "n", 8), alerts()), ""},
		{"user-agents", "User agents", grid{12, 98, 12, 12}, donut(alertsView, nil, top("agent", "User agent", "user_agent.name", "n", 8), alerts()), ""},
		{"actions", "Actions", grid{24, 98, 12, 12}, donut(alertsView, nil, top("action", "Action", "event.action", "n", 8), alerts()), ""},
		{"outcomes", "Outcomes", grid{36, 98, 12, 12}, donut(alertsView, outcomes, top("outcome", "Outcome", "event.outcome", "n", 4), alerts()), ""},
	}
}
