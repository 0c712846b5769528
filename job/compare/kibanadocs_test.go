package compare_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

type object = map[string]any

const millis = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) string { return t.UTC().Format(millis) }

// document is the event as it is indexed.
func (f *fortnightCase) document(s *sighting) object {
	event := object{"action": s.action, "kind": "event", "created": "2099-01-01T00:00:00.000Z"}
	if !s.created.IsZero() {
		event["created"] = stamp(s.created)
	}
	d := object{
		"fortnight": fmt.Sprint(f.id), "event": event, "@timestamp": stamp(s.at), "okta": object{"actor": object{"id": one(s.actors)}},
		"source": object{"ip": s.ip}, "network": object{"name": s.network},
	}
	if len(s.accounts) > 0 {
		d["cloud"] = object{"account": object{"id": one(s.accounts)}}
		if f.numeric {
			d["cloud"] = object{"account": object{"number": one(numbers(s.accounts))}}
		}
	}
	switch {
	case !f.override:
		event["ingested"] = stamp(s.visible.Add(-time.Second))
	case !s.unstamped:
		event["ingested"], d["@timestamp"] = stamp(s.at), stamp(s.at.Add(-20*time.Second))
	}
	return d
}

// numbers are terms as numbers.
func numbers(terms []string) []any {
	var all []any
	for _, term := range terms {
		all = append(all, json.Number(term))
	}
	return all
}

// one is a value, or a list of several.
func one[T any](values []T) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

// query is that of the rule; actions is what Kibana's asks for.
func (f *fortnightCase) query(actions []string) string {
	q := fmt.Sprintf("fortnight:%d and event.action:(%s)", f.id, strings.Join(actions, " or "))
	if f.timed {
		q += fmt.Sprintf(" and event.created >= now-%dd", created/day)
	}
	return q
}

func (f *fortnightCase) fields() []string {
	switch {
	case f.single:
		return []string{"okta.actor.id"}
	case f.numeric:
		return []string{"okta.actor.id", "cloud.account.number"}
	}
	return []string{"okta.actor.id", "cloud.account.id"}
}

// parameters are those of the rule, in the form of Kibana's API.
func (f *fortnightCase) parameters(index string) object {
	p := object{
		"rule_id": f.ruleID(), "name": f.ruleID(), "type": "new_terms", "language": "kuery", "severity": "medium", "risk_score": 47,
		"index": []string{index}, "query": f.query([]string{"signin", "sso"}), "new_terms_fields": f.fields(),
		"history_window_start": fmt.Sprintf("now-%dh", f.history/time.Hour), "from": fmt.Sprintf("now-%dm", f.lookback/time.Minute), "to": "now",
		"interval": fmt.Sprintf("%dh", f.interval/time.Hour), "max_signals": f.maxSignals, "description": "Made by a test.", "enabled": true, "version": 1,
	}
	if f.override {
		p["timestamp_override"] = "event.ingested"
	}
	if len(f.items) > 0 {
		p["exceptions_list"] = []object{{"id": f.ruleUUID(), "list_id": f.ruleID(), "namespace_type": "single", "type": "detection"}}
	}
	if f.suppress {
		s := object{"group_by": []string{"source.ip"}, "missing_fields_strategy": "suppress"}
		if f.duration > 0 {
			s["duration"] = object{"value": int(f.duration / time.Hour), "unit": "h"}
		}
		p["alert_suppression"] = s
	}
	return p
}

// alertDocument is an alert as Kibana writes it.
func (f *fortnightCase) alertDocument(a *kibanaAlert, index string) object {
	d := f.document(a.event)
	parameters := f.parameters(index)
	parameters["query"] = f.query(f.actions(a.run))
	if f.reversed {
		parameters["new_terms_fields"] = []string{f.fields()[1], f.fields()[0]}
	}
	kind, intended := "scheduled", a.at
	if a.run.manual() {
		kind, intended = "manual", a.run.backfilled.Add(f.interval)
	}
	flat := object{
		"@timestamp": stamp(a.at), "event.kind": "signal", "kibana.space_ids": []string{"default"}, "kibana.version": "9.1.0",
		"kibana.alert.uuid": a.id, "kibana.alert.new_terms": f.typed(f.kibanaTerms(a.pair)), "kibana.alert.status": "active", "kibana.alert.workflow_status": "open",
		"kibana.alert.original_time": d["@timestamp"], "kibana.alert.depth": 1, "kibana.alert.severity": a.severity, "kibana.alert.risk_score": 47,
		"kibana.alert.ancestors": []object{{"id": a.event.id, "index": index, "type": "event", "depth": 0}},
		"kibana.alert.start":     stamp(a.at), "kibana.alert.last_detected": stamp(a.at), "kibana.alert.intended_timestamp": stamp(intended),
		"kibana.alert.rule.uuid": f.ruleUUID(), "kibana.alert.rule.rule_id": f.ruleID(), "kibana.alert.rule.name": f.ruleID(), "kibana.alert.rule.type": "new_terms",
		"kibana.alert.rule.version": a.run.revision, "kibana.alert.rule.revision": a.run.revision, "kibana.alert.rule.enabled": true,
		"kibana.alert.rule.from": parameters["from"], "kibana.alert.rule.to": "now", "kibana.alert.rule.interval": parameters["interval"],
		"kibana.alert.rule.max_signals": f.maxSignals, "kibana.alert.rule.execution.uuid": a.run.uuid, "kibana.alert.rule.execution.type": kind,
		"kibana.alert.rule.execution.timestamp": stamp(a.at), "kibana.alert.rule.parameters": parameters, "kibana.alert.instance.id": a.id,
	}
	for name, value := range d["event"].(object) {
		flat["kibana.alert.original_event."+name] = value
	}
	delete(d["event"].(object), "kind")
	if f.suppress {
		flat["kibana.alert.suppression.terms"] = []object{{"field": "source.ip", "value": a.event.ip}}
		flat["kibana.alert.suppression.start"], flat["kibana.alert.suppression.end"] = d["@timestamp"], stamp(a.ends())
		flat["kibana.alert.suppression.docs_count"] = len(a.folded)
	}
	for name, value := range flat {
		d[name] = value
	}
	return d
}

// typed are the terms as Kibana keeps them: numbers are numbers.
func (f *fortnightCase) typed(terms []string) []any {
	var all []any
	for _, term := range terms {
		if f.numeric && !strings.HasPrefix(term, "00u") && strings.Trim(term, "0123456789") == "" {
			all = append(all, json.Number(term))
		} else {
			all = append(all, term)
		}
	}
	return all
}

// kibanaMapping is that of Kibana's alerts, of the fields that matter.
func kibanaMapping() object {
	kinds := map[string]string{
		"@timestamp": "date", "event.kind": "keyword", "kibana.space_ids": "keyword", "kibana.version": "keyword", "kibana.alert.depth": "long", "kibana.alert.risk_score": "float",
		"kibana.alert.original_time": "date", "kibana.alert.start": "date", "kibana.alert.last_detected": "date", "kibana.alert.intended_timestamp": "date",
		"kibana.alert.original_event.ingested": "date", "kibana.alert.original_event.created": "date", "kibana.alert.rule.revision": "long",
		"kibana.alert.rule.execution.timestamp": "date", "kibana.alert.rule.max_signals": "long", "kibana.alert.rule.parameters": "flattened",
		"kibana.alert.ancestors.depth": "long", "kibana.alert.suppression.start": "date", "kibana.alert.suppression.end": "date", "kibana.alert.suppression.docs_count": "long",
		"source.ip": "ip",
	}
	for _, name := range strings.Fields("uuid new_terms status workflow_status severity ancestors.id ancestors.index ancestors.type suppression.terms.field " +
		"suppression.terms.value instance.id original_event.action original_event.kind rule.uuid rule.rule_id rule.name rule.type rule.version rule.from rule.to " +
		"rule.interval rule.execution.uuid rule.execution.type") {
		kinds["kibana.alert."+name] = "keyword"
	}
	for _, name := range []string{"event.action", "network.name", "cloud.account.id"} {
		kinds[name] = "keyword"
	}
	return mappingOf(kinds)
}

func mappingOf(kinds map[string]string) object {
	properties := object{}
	for name, kind := range kinds {
		properties[name] = object{"type": kind}
		if kind == "flattened" {
			properties[name].(object)["ignore_above"] = 4096
		}
	}
	return object{"dynamic": false, "properties": properties}
}
