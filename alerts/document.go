package alerts

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// New builds the alert of a finding: the source event, and flat kibana.alert.*
// keys with the names and types of Kibana's security alerts. now is when the
// alert is made.
func New(rule Rule, run RunInfo, f Finding, now time.Time) Alert {
	doc := f.EventSource
	if doc == nil {
		doc = map[string]any{}
	}
	addMissing(doc, f.EventFields)
	ancestors, depth := ancestorsOf(doc, f)
	maps.DeleteFunc(doc, func(name string, _ any) bool { return isOurs(name) })
	dropped := alertsTemplate.fit(doc)

	original := originalOf(doc)
	removePath(doc, "event.kind")
	maps.Copy(doc, original)
	maps.Copy(doc, ruleFields(rule))
	maps.Copy(doc, findingFields(rule, f))
	maps.Copy(doc, map[string]any{
		"@timestamp":                            timestamp(now),
		"event.kind":                            "signal",
		"kibana.space_ids":                      []string{"default"},
		"kibana.alert.uuid":                     f.ID,
		"kibana.alert.instance.id":              "*",
		"kibana.alert.status":                   "active",
		"kibana.alert.workflow_status":          "open",
		"kibana.alert.workflow_tags":            []string{},
		"kibana.alert.workflow_assignee_ids":    []string{},
		"kibana.alert.start":                    timestamp(now),
		"kibana.alert.last_detected":            timestamp(now),
		"kibana.alert.intended_timestamp":       timestamp(now),
		"kibana.alert.ancestors":                ancestors,
		"kibana.alert.depth":                    depth,
		"kibana.alert.severity":                 rule["severity"],
		"kibana.alert.risk_score":               rule["risk_score"],
		"kibana.alert.rule.execution.uuid":      run.ID,
		"kibana.alert.rule.execution.type":      run.Type,
		"kibana.alert.rule.execution.timestamp": timestamp(now),
		"newterms.run.id":                       run.ID,
	})
	if block, ok := rule["building_block_type"]; ok {
		doc["kibana.alert.building_block_type"] = block
	}
	fields, _ := rule["new_terms_fields"].([]string)
	doc["kibana.alert.reason"] = describe(doc, fields, f.Terms).reason(rule)
	return Alert{Key: f.Key, runID: run.ID, document: doc, Dropped: dropped}
}

// findingFields is what the algorithm found.
func findingFields(rule Rule, f Finding) map[string]any {
	return map[string]any{
		"kibana.alert.new_terms": f.Terms,
		"newterms.first_seen":    timestamp(f.FirstSeen),
		"newterms.pair":          f.Pair,
		"newterms.fields":        rule["new_terms_fields"],
		"newterms.events":        f.Events,
		"newterms.window.from":   timestamp(f.From),
		"newterms.window.to":     timestamp(f.To),
	}
}

// ruleFields is kibana.alert.rule.*, with Kibana's names for the rule's type.
func ruleFields(rule Rule) map[string]any {
	fields := map[string]any{
		"kibana.alert.rule.uuid":         rule["rule_id"],
		"kibana.alert.rule.category":     "New Terms Rule",
		"kibana.alert.rule.producer":     "siem",
		"kibana.alert.rule.consumer":     "siem",
		"kibana.alert.rule.rule_type_id": "siem.newTermsRule",
		"kibana.alert.rule.enabled":      "true",
		"kibana.alert.rule.revision":     0,
		"kibana.alert.rule.parameters":   map[string]any(rule),
		"kibana.alert.rule.indices":      rule["index"],
	}
	for _, name := range []string{
		"rule_id", "name", "type", "description", "author", "license", "version", "tags", "severity", "risk_score",
		"threat", "references", "false_positives", "note", "setup", "from", "to", "interval", "max_signals",
		"timestamp_override", "building_block_type",
	} {
		if value, ok := rule[name]; ok {
			fields["kibana.alert.rule."+name] = value
		}
	}
	return fields
}

// originalOf copies event.* and data_stream.* of the source event, flat, and
// its @timestamp.
func originalOf(doc map[string]any) map[string]any {
	original := map[string]any{}
	if at, ok := lookup(doc, "@timestamp"); ok {
		original["kibana.alert.original_time"] = at
	}
	for path, value := range leaves(doc) {
		if name, ok := strings.CutPrefix(path, "event."); ok {
			original["kibana.alert.original_event."+name] = value
		}
		if name, ok := strings.CutPrefix(path, "data_stream."); ok {
			original["kibana.alert.original_data_stream."+name] = value
		}
	}
	return original
}

// ancestorsOf names the source event. If that is itself an alert, its own
// ancestors come first and the new alert is one deeper.
func ancestorsOf(doc map[string]any, f Finding) (ancestors []any, depth int64) {
	source := map[string]any{"id": f.EventID, "index": f.EventIndex, "type": "event", "depth": 0}
	before, isAlert := lookup(doc, "kibana.alert.ancestors")
	if !isAlert {
		return []any{source}, 1
	}
	depth = integer(firstOf(doc, "kibana.alert.depth"))
	source["type"], source["depth"] = "signal", depth
	if rule := firstOf(doc, "kibana.alert.rule.uuid"); rule != nil {
		source["rule"] = rule
	}
	if list, ok := before.([]any); ok {
		ancestors = slices.Clone(list)
	}
	return append(ancestors, source), depth + 1
}

// isOurs reports whether a top-level key of a source event is one that only an
// alert may carry.
func isOurs(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	return top == "kibana" || top == "signal" || top == "newterms" || top == "threshold_result"
}
