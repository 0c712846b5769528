package main

// triage shows what waits for a decision, in its own time range, and what was decided in
// the picked one.
func triage() object {
	const open, closed = "kibana.alert.workflow_status: open", "kibana.alert.workflow_status: closed"
	const asTrue, asFalse = closed + " and kibana.alert.workflow_reason: true_positive", closed + " and kibana.alert.workflow_reason: false_positive"
	const assignees, decided = "kibana.alert.workflow_assignee_ids", "kibana.alert.workflow_status_updated_at"
	reasons := []shade{{"true_positive", red}, {"benign_positive", orange}, {"false_positive", blue}, {"duplicate", yellow}}
	precision := func() column { return fraction{of: asTrue, all: closed}.share("precision", "Precision") }
	toAcknowledge := func(label string) column { return median("acknowledge", label, "newterms.time_to_acknowledge_ms") }
	toClose := func(label string) column { return median("close", label, "newterms.time_to_close_ms") }
	return dashboard(triageDashboard, "Triage", "What waits for a decision, who works on it, and what was decided: how fast, and how precise the rules are",
		alertsView, "now-30d", []control{
			{"rule", "Rule", ruleName}, {"severity", "Severity", "kibana.alert.severity"}, {"assignee", "Assigned to", assignees},
		}, []panel{
			{"links", "Dashboards", grid{0, 0, 48, 4}, links{{"New-term alerts", alertsDashboard}, {"Job health", runsDashboard}}, ""},
			{"oldest", "Oldest open alert", grid{0, 4, 8, 6}, figure(alertsView, open, oldest("oldest", "Oldest open alert", "kibana.alert.start")), monitored},
			{"unassigned", "Open and not assigned", grid{8, 4, 8, 6}, figure(alertsView, open+" and not "+assignees+": *",
				count("n", "Open and not assigned, of 90 days")), monitored},
			{"closed", "Closed", grid{16, 4, 8, 6}, figure(decidedView, closed, count("n", "Closed")), ""},
			{"precision", "Precision", grid{24, 4, 8, 6}, figure(decidedView, "", precision()), ""},
			{"acknowledge", "Time to acknowledge", grid{32, 4, 8, 6}, figure(decidedView, "", toAcknowledge("Median time to acknowledge")), ""},
			{"close", "Time to close", grid{40, 4, 8, 6}, figure(decidedView, "", toClose("Median time to close")), ""},
			{"work", "Who works on what", grid{0, 10, 22, 14}, table(alertsView, "kibana.alert.workflow_status: (open or acknowledged)",
				top("assignee", "Assigned to", assignees, "n", 20), top("rule", "Rule", ruleName, "n", 5), count("n", "Open or acknowledged"),
				count("acknowledged", "Acknowledged").where("kibana.alert.workflow_status: acknowledged"),
				oldest("oldest", "Oldest", "kibana.alert.start")), monitored},
			{"waiting", "Oldest open alerts", grid{22, 10, 26, 14}, savedSession("newterms-oldest-open"), monitored},
			{"reasons", "Closed, by reason", grid{0, 24, 24, 12}, chart(decidedView, closed, "bar_stacked", reasons,
				overTime("time", decided), top("reason", "Reason", "kibana.alert.workflow_reason", "n", 6), count("n", "Closed")), ""},
			{"times", "Median time to acknowledge and to close", grid{24, 24, 24, 12}, chart(decidedView, "", "line", nil,
				overTime("time", decided), toAcknowledge("To acknowledge"), toClose("To close")), ""},
			{"precisions", "Rules: precision, and time to decide", grid{0, 36, 48, 12}, table(decidedView, "", top("rule", "Rule", ruleName, "n", 50),
				count("n", "Closed").where(closed), count("true", "True positives").where(asTrue), count("false", "False positives").where(asFalse),
				precision(), toAcknowledge("Median time to acknowledge"), toClose("Median time to close")), ""},
			{"decisions", "Decisions", grid{0, 48, 48, 14}, savedSession("newterms-decisions"), ""},
		})
}
