package compare_test

import (
	"fmt"
	"strings"
	"time"
)

// logDocuments are those of Kibana's event log about the rule, and about another one
// that runs all the time.
func (f *fortnightCase) logDocuments() []object {
	var documents []object
	add := func(at time.Time, d object) {
		if !at.Before(f.logFrom) {
			d["@timestamp"] = stamp(at)
			documents = append(documents, d)
		}
	}
	for at := f.start.Add(-3 * day); at.Before(f.end()); at = at.Add(12 * time.Hour) {
		e := &execution{at: at, uuid: f.uuid(), revision: 1}
		add(at, f.logged(e, "another", "alerting", "execute", object{"start": stamp(at), "end": stamp(at.Add(time.Second)), "outcome": "success"}))
	}
	for _, e := range f.runs {
		if f.lostRuns[e] {
			continue
		}
		f.logRun(e, add)
		if e.gap != (window{}) && !e.gapLost {
			add(e.at.Add(3*time.Second), f.gapDocument(e))
		}
	}
	return documents
}

// logged has what all documents about a run have.
func (f *fortnightCase) logged(e *execution, uuid, provider, action string, event object) object {
	event["provider"], event["action"], event["kind"] = provider, action, "alert"
	return object{
		"event": event, "message": action + " of a rule",
		"rule": object{"id": uuid, "name": f.ruleID(), "license": "basic", "category": "siem.newTermsRule", "ruleset": "siem"},
		"kibana": object{
			"saved_objects": []object{{"rel": "primary", "type": "alert", "id": uuid, "type_id": "siem.newTermsRule"}}, "space_ids": []string{"default"},
			"alert": object{"rule": object{
				"rule_type_id": "siem.newTermsRule", "consumer": "siem", "revision": e.revision, "execution": object{"uuid": e.uuid},
			}},
		},
	}
}

func (f *fortnightCase) logRun(e *execution, add func(time.Time, object)) {
	start, end := e.at.Add(e.drift), e.at.Add(e.drift+4*time.Second)
	times := func() object {
		return object{"start": stamp(start), "end": stamp(end), "duration": end.Sub(start).Nanoseconds()}
	}
	about := func(provider, action string, event object) object {
		return f.logged(e, f.ruleUUID(), provider, action, event)
	}
	status, message := f.statusOf(e)
	execution := func(d object) object {
		return d["kibana"].(object)["alert"].(object)["rule"].(object)["execution"].(object)
	}
	if e.manual() {
		d := about("alerting", "execute-backfill", times())
		d["event"].(object)["outcome"] = "success"
		execution(d)["backfill"] = object{"id": "b-" + e.uuid[:8], "start": stamp(e.backfilled), "interval": fmt.Sprintf("%dh", f.interval/time.Hour)}
		add(end, d)
		return
	}
	add(start, about("alerting", "execute-start", object{"start": stamp(start)}))
	if e.outcome == "timeout" {
		add(end, about("alerting", "execute-timeout", times()))
	} else {
		d := about("alerting", "execute", times())
		outcome := "success"
		if status == "failed" {
			outcome = "failure"
			d["error"], d["event"].(object)["reason"] = object{"message": message}, "execute"
		}
		d["event"].(object)["outcome"] = outcome
		d["kibana"].(object)["alerting"] = object{"outcome": strings.Replace(outcome, "failure", "failed", 1)}
		d["kibana"].(object)["task"] = object{"scheduled": stamp(e.at.Add(-2 * time.Second)), "schedule_delay": 2_000_000_000}
		add(end, d)
	}
	if f.bare {
		return
	}
	if status != "" {
		d := about("securitySolution.ruleExecution", "status-change", object{})
		execution(d)["status"], execution(d)["status_order"] = status, map[string]int{"succeeded": 0, "partial failure": 20, "failed": 30}[status]
		d["message"] = message
		add(end.Add(-time.Millisecond), d)
	}
	if e.outcome != "failed" && e.outcome != "timeout" {
		d := about("securitySolution.ruleExecution", "execution-metrics", object{})
		metrics := object{"total_search_duration_ms": 120, "total_indexing_duration_ms": 9}
		if e.gap != (window{}) {
			metrics["execution_gap_duration_s"] = int(e.gap.to.Sub(e.gap.from).Seconds())
			metrics["gap_range"] = object{"gte": stamp(e.gap.from), "lte": stamp(e.gap.to)}
		}
		execution(d)["metrics"] = metrics
		add(end.Add(-2*time.Millisecond), d)
	}
}

// statusOf is the status that Kibana gives a run, "" for none, with its message.
func (f *fortnightCase) statusOf(e *execution) (status, message string) {
	switch {
	case e.outcome == "timeout":
		return "", ""
	case e.outcome == "failed" && f.esql:
		return "failed", "the query failed: the data node left"
	case e.outcome == "failed":
		return "failed", "the search failed: no connection to the cluster"
	case e.outcome == "partial":
		return "failed", `search of the history failed on a shard: index: "events" reason: "data too large" type: "circuit_breaking_exception"`
	case e.outcome == "page":
		return "failed", "the search of a page failed: the answer was too large"
	case e.gap != (window{}):
		return "failed", fmt.Sprintf("%s were not queried between this run and the last one", e.gap.to.Sub(e.gap.from))
	case e.truncated:
		return "partial failure", "the maximum alert limit of a run was reached"
	}
	return "succeeded", "the rule ran"
}

func (f *fortnightCase) gapDocument(e *execution) object {
	d := f.logged(&execution{uuid: e.uuid, revision: e.revision}, f.ruleUUID(), "alerting", "gap", object{})
	whole := object{"gte": stamp(e.gap.from), "lte": stamp(e.gap.to)}
	gap := object{"status": "unfilled", "range": whole, "unfilled_intervals": []object{whole}, "total_gap_duration_ms": e.gap.to.Sub(e.gap.from).Milliseconds()}
	if e.filled {
		gap["status"], gap["unfilled_intervals"], gap["filled_intervals"] = "filled", []object{}, []object{whole}
	}
	rule := d["kibana"].(object)["alert"].(object)["rule"].(object)
	rule["gap"] = gap
	delete(rule, "execution")
	return d
}

// logMapping is that of the event log, of the fields that matter.
func logMapping() object {
	m := mappingOf(map[string]string{
		"@timestamp": "date", "event.provider": "keyword", "event.action": "keyword", "event.kind": "keyword", "event.outcome": "keyword", "event.reason": "keyword",
		"event.start": "date", "event.end": "date", "event.duration": "long", "message": "text", "error.message": "text",
		"rule.id": "keyword", "rule.name": "keyword", "rule.category": "keyword", "kibana.space_ids": "keyword", "kibana.alerting.outcome": "keyword",
		"kibana.task.scheduled": "date", "kibana.task.schedule_delay": "long", "kibana.alert.rule.rule_type_id": "keyword", "kibana.alert.rule.revision": "long",
		"kibana.alert.rule.execution.uuid": "keyword", "kibana.alert.rule.execution.status": "keyword", "kibana.alert.rule.execution.status_order": "long",
		"kibana.alert.rule.execution.metrics.execution_gap_duration_s": "long", "kibana.alert.rule.execution.metrics.gap_range": "date_range",
		"kibana.alert.rule.execution.backfill.id": "keyword", "kibana.alert.rule.execution.backfill.start": "date", "kibana.alert.rule.execution.backfill.interval": "keyword",
		"kibana.alert.rule.gap.status": "keyword", "kibana.alert.rule.gap.range": "date_range", "kibana.alert.rule.gap.unfilled_intervals": "date_range",
		"kibana.alert.rule.gap.filled_intervals": "date_range", "kibana.alert.rule.gap.total_gap_duration_ms": "long",
	})
	m["properties"].(object)["kibana.saved_objects"] = object{"type": "nested", "properties": object{
		"rel": object{"type": "keyword"}, "type": object{"type": "keyword"}, "id": object{"type": "keyword"}, "type_id": object{"type": "keyword"},
	}}
	return m
}
