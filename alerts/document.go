package alerts

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// New builds the alert of a finding: the source event, and flat kibana.alert.*
// keys with the names and types of Kibana's security alerts. now is when the
// alert is made. There is an alert whatever the event holds: if nothing else
// helps, one without the event.
func New(rule Rule, run RunInfo, f Finding, now time.Time) (alert Alert) {
	defer func() {
		if failure := recover(); failure != nil {
			f.EventSource, f.EventFields = nil, nil
			f.EventMissing = fmt.Sprintf("building the alert failed with %v", failure)
			alert = build(rule, run, f, now)
		}
	}()
	return build(rule, run, f, now)
}

func build(rule Rule, run RunInfo, f Finding, now time.Time) Alert {
	event := f.EventSource
	if event == nil {
		event = map[string]any{}
	}
	addMissing(event, f.EventFields)
	setDates(event, f.EventFields)
	ancestors, depth := ancestorsOf(event, f)
	maps.DeleteFunc(event, func(name string, _ any) bool { return isOurs(name) })
	leftOut := alertsTemplate.fit(event)
	if f.EventMissing != "" {
		leftOut = append(leftOut, "the event, because "+f.EventMissing)
	}
	ours := originalOf(event)
	removePath(event, "event.kind")
	maps.Copy(ours, ruleFields(rule))
	maps.Copy(ours, findingFields(rule, f))
	maps.Copy(ours, map[string]any{
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
		"newterms.search":                       run.Search,
	})
	if block, ok := rule["building_block_type"]; ok {
		ours["kibana.alert.building_block_type"] = block
	}
	fields, _ := rule["new_terms_fields"].([]string)
	ours["kibana.alert.reason"] = describe(event, fields, f.Terms).reason(rule)
	alert := Alert{Key: f.Key, runID: run.ID, ours: ours, event: event, LeftOut: leftOut}
	if f.EventID != "" {
		alert.source = f.EventIndex + "/" + f.EventID
	}
	return alert
}

// DateFields are the dates of events that alerts have, as the alerts template
// maps them: without a format of their own.
func DateFields() []string { return slices.Clone(alertsTemplate.dates) }

var isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)

// setDates takes dates from the mapped fields where the source has them in a
// format that only its mapping knows, such as seconds.
func setDates(event map[string]any, fields map[string][]any) {
	for _, path := range alertsTemplate.dates {
		value, ok := lookup(event, path)
		if s, isText := value.(string); !ok || isText && isoDate.MatchString(s) {
			continue
		}
		dates := slices.Clone(fields[path])
		if len(dates) == 0 || slices.ContainsFunc(dates, func(d any) bool { return !isoDate.MatchString(text(d)) }) {
			continue
		}
		removePath(event, path)
		if len(dates) == 1 {
			put(event, path, dates[0])
		} else {
			put(event, path, dates)
		}
	}
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
func originalOf(event map[string]any) map[string]any {
	original := map[string]any{}
	if at, ok := lookup(event, "@timestamp"); ok {
		original["kibana.alert.original_time"] = at
	}
	for path, value := range leaves(event) {
		if name, ok := strings.CutPrefix(path, "event."); ok {
			original["kibana.alert.original_event."+name] = value
		}
		if name, ok := strings.CutPrefix(path, "data_stream."); ok {
			original["kibana.alert.original_data_stream."+name] = value
		}
	}
	return original
}

// ancestorsOf names the source event, as far as it is known. If that is itself
// an alert, its own ancestors come first and the new alert is one deeper.
func ancestorsOf(event map[string]any, f Finding) (ancestors []any, depth int64) {
	source := map[string]any{"type": "event", "depth": 0}
	if f.EventID != "" {
		source["id"], source["index"] = f.EventID, f.EventIndex
	}
	before, isAlert := lookup(event, "kibana.alert.ancestors")
	if !isAlert {
		return []any{source}, 1
	}
	depth = min(max(integer(firstOf(event, "kibana.alert.depth")), 0), maxDepth)
	source["type"], source["depth"] = "signal", depth
	if rule, ok := firstOf(event, "kibana.alert.rule.uuid").(string); ok {
		source["rule"] = rule
	}
	list, _ := before.([]any)
	for _, one := range list {
		if ancestor := asAncestor(one); ancestor != nil {
			ancestors = append(ancestors, ancestor)
		}
	}
	return append(ancestors, source), depth + 1
}

// maxDepth is more than any chain of alerts on alerts has.
const maxDepth = 1000

// asAncestor keeps what an ancestor of an alert may have, or returns nil.
func asAncestor(value any) map[string]any {
	found, _ := value.(map[string]any)
	ancestor := map[string]any{}
	for _, name := range []string{"id", "index", "type", "rule"} {
		if s, ok := found[name].(string); ok {
			ancestor[name] = s
		}
	}
	if len(ancestor) == 0 {
		return nil
	}
	ancestor["depth"] = min(max(integer(found["depth"]), 0), maxDepth)
	return ancestor
}

// isOurs reports whether a top-level key of a source event is one that only an
// alert may carry.
func isOurs(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	return top == "kibana" || top == "signal" || top == "newterms" || top == "threshold_result"
}
