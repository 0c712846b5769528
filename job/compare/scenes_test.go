package compare_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"newterms/esquery/query"
	"newterms/job/compare"
	"newterms/job/rule"
)

// lossOfOurs is an event of which Kibana alone has an alert, and lossOfTheirs the reverse.
func lossOfOurs(s *scene)   { s.event("ada", "10:20"); s.kibana("ada", "10:20", 11) }
func lossOfTheirs(s *scene) { s.event("ada", "10:20"); s.newterms("ada", "10:20", 12) }

// known adds alerts of another pair that both have, so that Kibana's rule is known.
func known(s *scene) {
	s.event("zoe", "1:20")
	s.kibana("zoe", "1:20", 2)
	s.newterms("zoe", "1:20", 6)
}

// otherRevision lets Kibana's runs from 9:00 to 13:00 have a second revision of the rule,
// which an alert shows.
func otherRevision(s *scene, change func(parameters map[string]any)) {
	for _, d := range s.log {
		for hour := 9; hour <= 13; hour++ {
			if d["kibana.alert.rule.execution.uuid"] == s.runID(hour) {
				d["kibana.alert.rule.revision"] = 2
			}
		}
	}
	s.event("yves", "8:30")
	s.newterms("yves", "8:30", 12)
	a := s.kibana("yves", "8:30", 9)
	a["kibana.alert.rule.revision"] = 2
	change(a["kibana.alert.rule.parameters"].(map[string]any))
	for _, other := range s.theirs {
		if strings.Contains(fmt.Sprint(other["kibana.alert.rule.execution.uuid"]), s.runID(11)) {
			other["kibana.alert.rule.revision"], other["kibana.alert.rule.parameters"] = 2, a["kibana.alert.rule.parameters"]
		}
	}
}

// TestClasses has for each class a difference that it explains, and one beside it that it
// does not: there the proof is missing.
func TestClasses(t *testing.T) {
	vpn := func(created, expires string) []rule.Exception {
		e := rule.Exception{Exception: query.Exception{Name: "vpn", Entries: []query.Entry{{Field: "network", Kind: "match", Values: []string{"vpn"}}}}, Created: clockAt(created)}
		if expires != "" {
			e.Expires = clockAt(expires)
		}
		return []rule.Exception{e}
	}
	gap := func(s *scene, from, to string, more map[string]any) {
		r := map[string]any{"gte": inMillis(clockAt(from)), "lte": inMillis(clockAt(to))}
		d := map[string]any{
			"@timestamp": inMillis(clockAt("20:00")), "event.action": "gap", "rule.id": "so-" + s.name, "kibana.alert.rule.gap.range": r,
			"kibana.alert.rule.gap.status": "unfilled", "kibana.alert.rule.gap.unfilled_intervals": []any{r},
		}
		for name, value := range more {
			d[name] = value
		}
		s.log = append(s.log, d)
	}
	const unexplained, proved, inferred = compare.Unexplained, compare.Proved, compare.Inferred
	type wanted struct {
		name  string
		class compare.Class
		sure  compare.Certainty
		of    string
	}
	var scenes []*scene
	var cases []wanted
	for _, c := range []struct {
		name  string
		make  func(s *scene)
		class compare.Class
		sure  compare.Certainty
		of    string // is part of the proof
	}{
		{"both", func(s *scene) { lossOfOurs(s); s.newterms("ada", "10:20", 12) }, "", "", ""},
		{"before the range", func(s *scene) {
			s.event("ada", "-1d10:20")
			s.kibana("ada", "-1d10:20", 1)
			s.newterms("bo", "-1d10:20", 0)
		}, "", "", ""},
		{"loss of ours", lossOfOurs, unexplained, "", "covered it, did not fail"},
		{"loss of theirs", lossOfTheirs, unexplained, "", "searched it, did not fail"},
		{"event gone", func(s *scene) { s.kibana("gus", "10:20", 11) }, unexplained, "", "no event of the pair has this time any more"},

		{"other fields", func(s *scene) {
			s.event("ada", "10:20")
			a := s.kibana("ada", "10:20", 11)
			a["kibana.alert.new_terms"] = []string{"ada"}
			a["kibana.alert.rule.parameters"] = map[string]any{"new_terms_fields": []string{"user"}}
		}, compare.RuleEdited, proved, "new_terms_fields"},
		{"fields in another order", func(s *scene) {
			lossOfOurs(s)
			s.newterms("ada", "10:20", 12)
			s.theirs[0]["kibana.alert.new_terms"] = []string{"h1", "ada"}
			s.theirs[0]["kibana.alert.rule.parameters"].(map[string]any)["new_terms_fields"] = []string{"host", "user"}
		}, "", "", ""},
		{"narrower query", func(s *scene) {
			lossOfTheirs(s)
			otherRevision(s, func(p map[string]any) { p["query"] = s.query() + " and user: (yves or zoe)" })
		}, compare.RuleEdited, proved, "revision 2 of Kibana's rule does not match the event"},
		{"narrower query that matches", func(s *scene) {
			lossOfTheirs(s)
			otherRevision(s, func(p map[string]any) { p["query"] = s.query() + " and user: (yves or ada)" })
		}, unexplained, "", ""},
		{"wider query", func(s *scene) {
			lossOfOurs(s)
			s.events[0]["kind"] = "login"
			otherRevision(s, func(p map[string]any) { p["query"] = "scene: " + s.name })
		}, compare.RuleEdited, proved, "only the query of revision 2"},
		{"wider query, older event", func(s *scene) {
			lossOfTheirs(s)
			s.event("ada", "-1d10:20")["kind"] = "login"
			otherRevision(s, func(p map[string]any) { p["query"] = "scene: " + s.name })
		}, compare.RuleEdited, proved, "matches the pair at 2026-03-09T10:20"},
		{"longer history", func(s *scene) {
			lossOfTheirs(s)
			s.event("ada", "-3d12:20")
			otherRevision(s, func(p map[string]any) { p["history_window_start"] = "now-4d" })
		}, compare.RuleEdited, proved, "looks back 4 days"},
		{"an index more", func(s *scene) {
			lossOfTheirs(s)
			s.ours[0]["kibana.alert.ancestors"] = []map[string]any{{"id": "ada", "index": ".ds-logs-audit-default-2026.03.01-000001"}}
			otherRevision(s, func(p map[string]any) { p["index"] = []string{"beats-*", "logs-audit-default"} })
		}, unexplained, "", ""},
		{"another index", func(s *scene) {
			lossOfTheirs(s)
			s.ours[0]["kibana.alert.ancestors"] = []map[string]any{{"id": "ada", "index": ".ds-logs-audit-default-2026.03.01-000001"}}
			otherRevision(s, func(p map[string]any) { p["index"] = []string{"beats-*", "logs-audit-default-two"} })
		}, compare.RuleEdited, inferred, "has another index"},
		{"an index more, and their event", func(s *scene) {
			lossOfOurs(s)
			otherRevision(s, func(p map[string]any) { p["index"] = []string{"beats-*"} })
		}, unexplained, "", ""},
		{"unknown revision", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			for _, d := range s.log {
				d["kibana.alert.rule.revision"] = map[bool]int{true: 2, false: 1}[d["kibana.alert.rule.execution.uuid"] == s.runID(11)]
			}
		}, compare.RuleEdited, inferred, "revision 2"},
		{"our run had another search", func(s *scene) { lossOfOurs(s); s.run(12, "success")["newterms.search"] = "other" }, compare.RuleEdited, inferred, "-ours-12"},

		{"no run of theirs", func(s *scene) { known(s); lossOfTheirs(s); s.without(4, 5, 6, 7, 8, 9, 10, 11, 12) }, compare.Outside, proved, "did not run from 2026-03-10T03:00:00.010Z to 2026-03-10T13:00:00.010Z"},
		{"no run of theirs in the log, but an alert", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.without(4, 5, 6, 7, 8, 9, 10, 11, 12)
			s.event("bo", "7:20")
			s.kibana("bo", "7:20", 8)
			s.newterms("bo", "7:20", 12)
		}, unexplained, "", "that the log has"},
		{"the log has no run, but an alert is later", func(s *scene) {
			lossOfTheirs(s)
			s.log = nil
			s.event("bo", "11:20")
			s.kibana("bo", "11:20", 12)
			s.newterms("bo", "11:20", 12)
		}, compare.NotKnowable, compare.Unknowable, "begins at 2026-03-10T12:00:03"},
		{"neither an alert nor a run of theirs", func(s *scene) { lossOfTheirs(s); s.log = nil }, unexplained, "", "no run of a rule that is called s"},
		{"runs without ids", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			for _, d := range s.log {
				delete(d, "kibana.alert.rule.execution.uuid")
			}
		}, unexplained, "", "run of 2026-03-10T11:00:00.010Z searched it"},
		{"event that is gone", func(s *scene) { known(s); s.newterms("gail", "10:20", 12) }, unexplained, "", "no event of the pair has this time any more"},
		{"one run missing in the log", func(s *scene) { known(s); lossOfTheirs(s); s.without(11) }, unexplained, "", ""},
		{"their rule is younger, and its first run looks back to the event", func(s *scene) {
			known(s)
			s.event("ada", "1:50")
			s.newterms("ada", "1:50", 6)
			s.without(0, 1)
			s.theirs[0]["kibana.alert.rule.created_at"] = inMillis(clockAt("1:55"))
		}, unexplained, "", "run of 2026-03-10T02:00:00.010Z searched it"},
		{"no run of ours", func(s *scene) { lossOfOurs(s); s.noRun(12) }, compare.Outside, proved, "no run of newterms"},

		{"gap", func(s *scene) { outage(s); gap(s, "3:00", "11:50", nil) }, compare.Gap, proved, "did not search from 2026-03-10T03:00"},
		{"gap that was filled", func(s *scene) {
			outage(s)
			gap(s, "3:00", "11:50", map[string]any{"kibana.alert.rule.gap.status": "filled", "kibana.alert.rule.gap.unfilled_intervals": []any{}})
		}, unexplained, "", "nothing shows why"},
		{"gap that somebody filled, which its document does not say", func(s *scene) {
			outage(s)
			gap(s, "3:00", "11:50", nil)
			s.logged(20, "execute-backfill", map[string]any{"kibana.alert.rule.execution.backfill": map[string]any{"start": inMillis(clockAt("10:00")), "interval": "1h"}})
			s.log[len(s.log)-1]["kibana.alert.rule.execution.uuid"] = s.name + "-by-hand"
		}, unexplained, "", "searched it, did not fail"},
		{"gap that was filled in part", func(s *scene) {
			outage(s)
			rest := map[string]any{"gte": inMillis(clockAt("3:00")), "lte": inMillis(clockAt("10:00"))}
			gap(s, "3:00", "11:50", map[string]any{"kibana.alert.rule.gap.status": "partially_filled", "kibana.alert.rule.gap.unfilled_intervals": []any{rest}})
		}, unexplained, "", ""},
		{"gap in the run's report", func(s *scene) {
			outage(s)
			s.logged(17, "execution-metrics", map[string]any{"kibana.alert.rule.execution.metrics.execution_gap_duration_s": 35000})
		}, compare.Gap, proved, "reports that it did not search 9 h 43 min"},
		{"gap in the report of the log's first run", func(s *scene) { firstReports(s, "10:20") }, compare.Gap, proved, "reports that it did not search 9 h 43 min"},
		{"before the gap of the log's first run", func(s *scene) { firstReports(s, "2:04") }, compare.Outside, proved, "first run"},
		{"caught up by the log's first run", func(s *scene) { firstReports(s, "12:20") }, unexplained, "", "run of 2026-03-10T17:00:00.010Z searched it"},
		{"caught up", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.without(10, 11, 12, 13)
		}, unexplained, "", "run of 2026-03-10T14:00:00.010Z searched it"},
		{"gap and a later event", func(s *scene) {
			outage(s)
			gap(s, "3:00", "11:50", nil)
			s.event("ada", "18:20")
		}, compare.GapShadow, proved, "not new to it at 2026-03-10T18:20"},
		{"gap and a later event in it", func(s *scene) { outage(s); gap(s, "3:00", "11:50", nil); s.event("ada", "10:40") }, compare.Gap, proved, ""},

		{"failed run", func(s *scene) { known(s); lossOfTheirs(s); s.failed(11, "no connection") }, compare.FailedRun, proved, "no connection"},
		{"failed run, and one that did not", func(s *scene) {
			known(s)
			s.event("ada", "10:55")
			s.newterms("ada", "10:55", 12)
			s.failed(11, "no connection")
		}, unexplained, "", "12:00:00.010Z searched it"},
		{"run that only reports a gap", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.failed(11, "20 minutes were not queried between this run and the last")
		}, unexplained, "", ""},
		{"run without an end", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.without(11)
			s.logged(11, "execute-start", nil)
			s.logged(11, "status-change", map[string]any{"kibana.alert.rule.execution.status": "running"})
		}, unexplained, "", "does not say how it ended"},
		{"timeout", func(s *scene) { known(s); lossOfTheirs(s); s.without(11); s.logged(11, "execute-timeout", nil) }, compare.FailedRun, proved, ""},
		{"failed run with alerts", func(s *scene) {
			lossOfTheirs(s)
			s.failed(11, "no connection")
			s.event("bo", "10:30")
			s.kibana("bo", "10:30", 11)
			s.newterms("bo", "10:30", 12)
		}, compare.FailedRun, inferred, "after it had written 1 alert"},

		{"limit", func(s *scene) { known(s); lossOfTheirs(s); capped(s, 3, "partial failure") }, compare.MaxSignals, proved, "wrote 3 alerts"},
		{"limit without a warning", func(s *scene) { known(s); lossOfTheirs(s); capped(s, 3, "succeeded") }, unexplained, "", ""},
		{"below the limit", func(s *scene) { known(s); lossOfTheirs(s); capped(s, 2, "partial failure") }, unexplained, "", ""},

		{"suppressed", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.events[1]["network"] = "x"
			suppresses(s, "x", "10:00", "10:30")
		}, compare.Suppressed, proved, "stands for 2 more events"},
		{"suppressed by another value", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.events[1]["network"] = "y"
			suppresses(s, "x", "10:00", "10:30")
		}, unexplained, "", ""},
		{"suppressed until before", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.events[1]["network"] = "x"
			suppresses(s, "x", "10:00", "10:19")
		}, unexplained, "", ""},

		{"exception that ended", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.events[1]["network"] = "vpn"
			s.exceptions = vpn("-1d0:00", "11:30")
		}, compare.Exception, proved, `"vpn" excluded the event until`},
		{"exception that ended before", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.events[1]["network"] = "vpn"
			s.exceptions = vpn("-1d0:00", "10:30")
		}, unexplained, "", ""},
		{"exception of another event", func(s *scene) { known(s); lossOfTheirs(s); s.exceptions = vpn("-1d0:00", "11:30") }, unexplained, "", ""},
		{"exception that began", func(s *scene) { lossOfOurs(s); s.events[0]["network"] = "vpn"; s.exceptions = vpn("11:30", "") }, compare.Exception, proved, "after Kibana's alert"},
		{"exception that began before", func(s *scene) { lossOfOurs(s); s.events[0]["network"] = "vpn"; s.exceptions = vpn("10:30", "") }, unexplained, "", "does not match the event"},
		{"our exclusion", func(s *scene) { lossOfOurs(s); s.events[0]["network"] = "vpn"; s.exclude = "network: vpn" }, compare.Exception, proved, "NEWTERMS_EXCLUDE excludes the event"},
		{"our exclusion of an earlier event", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.event("ada", "-1d10:20")["network"] = "vpn"
			s.exclude = "network: vpn"
		}, compare.Exception, proved, "history for Kibana"},

		{"edge of the history", func(s *scene) { lossOfOurs(s); s.event("ada", "-2d10:40") }, compare.HistoryEdge, proved, "seen at 2026-03-08T10:40"},
		{"edge of the history by another pair", func(s *scene) { lossOfOurs(s); s.event("bo", "-2d10:40") }, unexplained, "", ""},
		{"before the history", func(s *scene) { lossOfOurs(s); s.event("ada", "-2d10:19") }, unexplained, "", ""},

		{"edge of from", func(s *scene) { known(s); edgeOfFrom(s, "8:50:00.010") }, compare.FromEdge, proved, ""},
		{"near the edge of from", func(s *scene) { known(s); edgeOfFrom(s, "8:50:00.500") }, compare.FromEdge, inferred, ""},
		{"after the edge of from", func(s *scene) { known(s); edgeOfFrom(s, "8:50:02") }, unexplained, "", ""},

		{"late", func(s *scene) { known(s); s.event("ada", "10:20", "11:30"); s.newterms("ada", "10:20", 12) }, compare.Late, proved, "arrived after Kibana's last run"},
		{"late, but searched", func(s *scene) { known(s); s.event("ada", "10:55", "11:30"); s.newterms("ada", "10:55", 12) }, unexplained, "", ""},
		{"late as our runs show", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.ours[1]["newterms.run.id"] = s.name + "-ours-13"
			s.run(13, "success")
		}, compare.Late, inferred, "did not find it"},
		{"late, if the run had not failed", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.ours[1]["newterms.run.id"] = s.name + "-ours-13"
			s.run(12, "failure")
			s.run(13, "success")
		}, unexplained, "", ""},
		{"late, if the run had covered it", func(s *scene) {
			known(s)
			lossOfTheirs(s)
			s.ours[1]["newterms.run.id"] = s.name + "-ours-13"
			s.noRun(12)
			s.run(13, "success")
		}, unexplained, "", ""},
		{"late, if Kibana had not searched afterwards", func(s *scene) {
			known(s)
			s.event("ada", "10:55")
			s.newterms("ada", "10:55", 12)
			s.run(11, "success")
		}, unexplained, "", ""},
		{"late for ours", func(s *scene) { s.noRun(18); s.event("ada", "11:55", "12:30"); s.kibana("ada", "11:55", 13) }, compare.Late, proved, "last run of newterms"},

		{"partial search", func(s *scene) { lossOfOurs(s); s.event("ada", "-1d10:20"); s.failed(11, "a shard failed") }, compare.PartialSearch, proved, "2026-03-09T10:20"},
		{"a search that failed for another reason", func(s *scene) { lossOfOurs(s); s.event("ada", "-1d10:20"); s.failed(11, "no connection") }, unexplained, "", "nothing shows why it was new"},
		{"partial search without history", func(s *scene) { lossOfOurs(s); s.failed(11, "a shard failed") }, unexplained, "", ""},

		{"duplicate of one time", func(s *scene) {
			lossOfOurs(s)
			s.newterms("ada", "10:20", 12)
			s.kibana("ada", "10:20", 12)
		}, compare.Duplicate, proved, "same pair"},
		{"late history", func(s *scene) { lossOfOurs(s); s.event("ada", "-1d10:20", "11:30") }, compare.LateHistory, proved, "it arrived later"},
		{"history that was there", func(s *scene) { lossOfOurs(s); s.event("ada", "-1d10:20") }, unexplained, "", ""},
		{"late history of ours", func(s *scene) { known(s); lossOfTheirs(s); s.event("ada", "-1d10:20") }, compare.LateHistory, inferred, "newterms had not seen"},

		{"by hand, after our run", func(s *scene) { byHand(s, "12:30") }, compare.Manual, inferred, "was a manual one"},
		{"by hand, before our run", func(s *scene) { byHand(s, "11:30") }, unexplained, "", ""},

		{"a clause on the time", func(s *scene) {
			lossOfOurs(s)
			s.parameters = map[string]any{"query": s.query() + " and event.created >= now-30d"}
			s.events[0]["event"].(map[string]any)["created"] = "2000-01-01T00:00:00Z"
			s.theirs[0]["kibana.alert.rule.parameters"].(map[string]any)["query"] = s.parameters["query"]
		}, compare.QueryTime, proved, "event.created"},
		{"absent term", func(s *scene) {
			known(s)
			s.missingTerms = true
			delete(s.event("ada", "10:20"), "host")
			s.newterms("ada", "10:20", 12)["kibana.alert.new_terms"] = []any{"ada", nil}
		}, compare.FieldValues, proved, "lacks host"},

		{"our run failed", func(s *scene) { lossOfOurs(s); s.run(12, "failure")["error.message"] = "too slow" }, compare.OursFailed, proved, "failed: too slow"},
		{"our run failed, and another did not", func(s *scene) { lossOfOurs(s); s.run(12, "failure"); s.run(13, "success") }, unexplained, "", ""},
		{"gap of ours", func(s *scene) {
			lossOfOurs(s)
			s.noRun(12)
			r := s.run(18, "success")
			r["newterms.gap.from"], r["newterms.gap.to"] = inMillis(clockAt("6:00")), inMillis(clockAt("11:50"))
		}, compare.OursFailed, proved, "no run covered"},
		{"log that begins later", func(s *scene) {
			s.event("ada", "0:20")
			s.newterms("ada", "0:20", 6)
			s.without(0, 1, 2)
			s.event("bo", "0:30")
			s.kibana("bo", "0:30", 1)
			s.newterms("bo", "0:30", 6)
		}, compare.NotKnowable, compare.Unknowable, "begins at"},

		{"other event", func(s *scene) {
			s.event("ada", "10:20")
			s.event("ada", "10:25")
			s.kibana("ada", "10:25", 11)
			s.newterms("ada", "10:20", 12)
		}, compare.OtherEvent, proved, "10:25"},
		{"another rule of Kibana's", func(s *scene) {
			lossOfOurs(s)
			s.newterms("ada", "10:20", 12)
			s.kibana("ada", "10:20", 11)["kibana.alert.rule.uuid"] = "so-2-" + s.name
		}, "", "", ""},
		{"another event for another rule of Kibana's", func(s *scene) {
			s.event("ada", "10:20")
			s.event("ada", "10:25")
			s.kibana("ada", "10:20", 11)
			s.newterms("ada", "10:20", 12)
			s.kibana("ada", "10:25", 11)["kibana.alert.rule.uuid"] = "so-2-" + s.name
		}, "", "", ""},
		{"severity", func(s *scene) {
			lossOfOurs(s)
			s.newterms("ada", "10:20", 12)
			s.theirs[0]["kibana.alert.severity"] = "high"
		}, compare.Severity, proved, "high"},
		{"late alert", func(s *scene) {
			lossOfOurs(s)
			s.newterms("ada", "10:20", 12)
			s.theirs[0]["@timestamp"] = inMillis(clockAt("18:30"))
		}, compare.Lag, proved, "6 h 30 min later"},
	} {
		one := &scene{name: fmt.Sprint("s", len(scenes))}
		one.ran()
		c.make(one)
		scenes, cases = append(scenes, one), append(cases, wanted{c.name, c.class, c.sure, c.of})
	}
	p := newStage(t, scenes)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, report, err := p.compareWithout(t.Context(), scenes[i], "")
			switch {
			case err != nil:
				t.Fatal(err)
			case c.class == "" && len(got) > 0:
				t.Errorf("got %+v, want nothing", got)
			case c.class == "":
			case len(got) != 1 || got[0].Class != c.class || got[0].Certainty != c.sure || !strings.Contains(got[0].Because, c.of) || got[0].Command == "":
				t.Errorf("got %+v, want %s, %s, %q", got, c.class, c.sure, c.of)
			case report.Classes[c.class] != 1 || (report.Unexplained > 0) != (c.class == compare.Unexplained) || len(report.Unread) > 0:
				t.Errorf("got the report %+v", report)
			}
		})
	}
}

// outage lets Kibana not run for so long that it does not make up for all of it.
func outage(s *scene) {
	known(s)
	lossOfTheirs(s)
	s.without(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
}

// firstReports adds an alert of ours, and lets the log begin with a run that reports that
// it did not search the time from 2:06:40 to 11:50.
func firstReports(s *scene, at string) {
	known(s)
	s.event("ada", at)
	s.newterms("ada", at, 12)
	for hour := range 17 {
		s.without(hour)
	}
	s.logged(17, "execution-metrics", map[string]any{"kibana.alert.rule.execution.metrics.execution_gap_duration_s": 35000})
}

// capped lets Kibana's run of 11:00 write a number of alerts and end with a status.
func capped(s *scene, alerts int, status string) {
	for n := range alerts {
		user := fmt.Sprint("c", n)
		s.event(user, "10:10")
		s.kibana(user, "10:10", 11)
		s.newterms(user, "10:10", 12)
	}
	for _, d := range s.log {
		if d["kibana.alert.rule.execution.uuid"] == s.runID(11) && d["event.action"] == "status-change" {
			d["kibana.alert.rule.execution.status"] = status
		}
	}
}

// suppresses adds an alert of Kibana's that stands for events of a network.
func suppresses(s *scene, network, from, to string) {
	s.event("sam", "10:00")["network"] = network
	s.newterms("sam", "10:00", 12)
	a := s.kibana("sam", "10:00", 11)
	a["kibana.alert.suppression.terms"] = []any{map[string]any{"field": "network", "value": network}}
	a["kibana.alert.suppression.start"], a["kibana.alert.suppression.end"] = inMillis(clockAt(from)), inMillis(clockAt(to))
	a["kibana.alert.suppression.docs_count"] = 2
}

// edgeOfFrom adds an event where the window of the first run after a pause begins.
func edgeOfFrom(s *scene, at string) {
	s.without(3, 4, 5, 6, 7, 8, 9)
	s.event("ada", at)
	s.newterms("ada", at, 12)
}

// byHand adds an alert of a run of Kibana's that somebody asked for.
func byHand(s *scene, written string) {
	s.event("ada", "10:20")
	a := s.kibana("ada", "10:20", 11)
	a["@timestamp"], a["kibana.alert.rule.execution.type"] = inMillis(clockAt(written)), "manual"
	a["kibana.alert.rule.execution.uuid"], a["kibana.alert.intended_timestamp"] = s.name+"-by-hand", inMillis(clockAt("11:00"))
}

// TestUnread lists what cannot be read, and says of no difference that it has a cause
// which only that would show. Nothing is compared with nothing.
func TestUnread(t *testing.T) {
	one := &scene{name: "s0"}
	one.ran()
	lossOfOurs(one)
	one.event("bo", "10:30")
	one.newterms("bo", "10:30", 12)
	p := newStage(t, []*scene{one})
	for name, c := range map[string]struct {
		missing string // of the indices
		unread  []string
		classes map[compare.Class]int
	}{
		"all is there":        {"", nil, map[compare.Class]int{compare.Unexplained: 2}},
		"no log":              {"log", []string{"not read: Kibana's event log"}, map[compare.Class]int{compare.NotKnowable: 2}},
		"no alerts of theirs": {"theirs", []string{"not read: Kibana's alerts"}, map[compare.Class]int{compare.NotKnowable: 1}},
		"no alerts of ours":   {"ours", []string{"not read: the alerts of newterms"}, map[compare.Class]int{compare.NotKnowable: 1}},
		"no runs of ours":     {"runs", []string{"not read: the runs of newterms"}, map[compare.Class]int{compare.NotKnowable: 1, compare.Unexplained: 1}},
		"no events":           {"events", []string{"not read: the events of the rule"}, map[compare.Class]int{compare.NotKnowable: 2}},
		"neither alerts":      {"ours theirs", nil, nil},
		"neither of ours":     {"ours runs", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, report, err := p.compareWithout(t.Context(), one, c.missing)
			if (err != nil) != (c.classes == nil) {
				t.Fatal(err)
			}
			if c.classes == nil {
				return
			}
			matches := len(report.Unread) == len(c.unread)
			for i := range min(len(report.Unread), len(c.unread)) {
				matches = matches && strings.HasPrefix(report.Unread[i], c.unread[i]+" (") && strings.Contains(report.Unread[i], " → these answers are missing: ")
			}
			if !matches || !maps.Equal(report.Classes, c.classes) {
				t.Errorf("got %q and %v, want %q and %v", report.Unread, report.Classes, c.unread, c.classes)
			}
		})
	}
}
