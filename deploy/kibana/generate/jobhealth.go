package main

func jobHealth() object {
	const good = "newterms.run.state: success and newterms.run.type: scheduled"
	const failed = "newterms.run.state: failure"
	const ended = "newterms.run.state: (success or failure)" // a run has a document of its start, too
	states := []shade{{"success", green}, {"failure", red}}
	perRule := func(c column) column { return c.where(c.object["filter"].(object)["query"].(string) + " and " + good) }
	return dashboard(runsDashboard, "Job health", "Whether newterms runs, keeps up and can judge what it sees", runsView, "now-24h",
		[]control{{"rule", "Rule", ruleName}, {"type", "Run type", "newterms.run.type"}},
		[]panel{
			{"links", "Dashboards", grid{0, 0, 48, 4}, links{{"New-term alerts", alertsDashboard}, {"Triage", triageDashboard}}, ""},
			{"last-good", "Time since the last good run", grid{0, 4, 12, 6}, figure(runsView, good,
				newest("started", "The last good scheduled run started", "newterms.run.started")), monitored},
			{"covered", "Looked at up to", grid{12, 4, 12, 6}, figure(runsView, good, newest("to", "Looked at all events up to", "newterms.window.to")), monitored},
			{"failures", "Failed runs", grid{24, 4, 12, 6}, alarm(runsView, failed, count("n", "Failed runs")), ""},
			{"gaps", "Gaps", grid{36, 4, 12, 6}, alarm(runsView, "newterms.gap.rerun: * and newterms.run.state: started", count("n", "Runs that left a gap")), ""},
			{"rules", "Rules and their last good run", grid{0, 10, 48, 8}, table(runsView, "", top("rule", "Rule", ruleName, "n", 50),
				perRule(newest("started", "Last good run", "newterms.run.started")), perRule(newest("to", "Looked at up to", "newterms.window.to")),
				count("n", "Runs").where(ended), count("failed", "Failed runs").where(failed),
				fraction{of: ended, all: "newterms.run.state: started"}.rest("open", "Running or interrupted")), monitored},
			{"states", "Runs by status", grid{0, 18, 24, 12}, chart(runsView, ended, "bar_stacked", states,
				overTime("time", "@timestamp"), top("state", "Status", "newterms.run.state", "n", 2), count("n", "Runs")), ""},
			{"coverage", "Window coverage and gaps", grid{24, 18, 24, 12}, chart(runsView, good, "bar", nil,
				overTime("time", "@timestamp"), sum("window", "Time looked at", "newterms.window.length_ms"), sum("gap", "Gap", "newterms.gap.length_ms")), ""},
			{"durations", "Duration, and Elasticsearch's part of it", grid{0, 30, 24, 12}, chart(runsView, "", "line", nil,
				overTime("time", "@timestamp"), maximum("duration", "Duration", "newterms.duration_ms"), maximum("took", "Elasticsearch took", "newterms.took_ms")), ""},
			{"counts", "What the runs found", grid{24, 30, 24, 12}, chart(runsView, "", "line", nil, overTime("time", "@timestamp"),
				sum("candidates", "Candidates", "newterms.candidates"), sum("new", "New", "newterms.new"), sum("written", "Alerts written", "newterms.written"),
				sum("alerted", "Already alerted", "newterms.already_alerted"), sum("lacking", "Events that lack a term", "newterms.lacking_terms")), ""},
			{"lag", "Time to detect: from first seen to alert written", grid{0, 42, 48, 10}, chart(alertsView, "", "line", nil,
				overTime("time", "newterms.first_seen"), median("median", "Median", "newterms.lag_ms"),
				maximum("slowest", "Slowest", "newterms.lag_ms")), monitored},
			{"errors", "Last errors", grid{0, 52, 24, 14}, savedSession("newterms-failed-runs"), ""},
			{"gap-list", "Gaps and how to rerun them", grid{24, 52, 24, 14}, savedSession("newterms-gaps"), ""},
			{"causes", "Runs whose alerts have one cause", grid{0, 66, 48, 12}, savedSession("newterms-causes"), ""},
		})
}
