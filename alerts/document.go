package alerts

import (
	"bytes"
	"fmt"
	"maps"
	"time"
)

// A Maker makes the alerts of a run. All are made by it, so that what they say
// is in one place.
type Maker struct {
	rule   Rule
	fields []string // the new-terms fields
	runID  string
	common map[string]any // what all alerts of the run say, flat
	json   []byte         // of common, without braces
}

// NewMaker makes the maker of a run. Its error is of a rule that is no JSON.
func NewMaker(rule Rule, run RunInfo) (*Maker, error) {
	m := &Maker{rule: rule, runID: run.ID, common: ruleFields(rule)}
	m.fields, _ = rule["new_terms_fields"].([]string)
	maps.Copy(m.common, map[string]any{
		"event.kind":                         "signal",
		"kibana.space_ids":                   []string{"default"},
		"kibana.alert.instance.id":           "*",
		"kibana.alert.status":                "active",
		"kibana.alert.workflow_status":       "open",
		"kibana.alert.workflow_tags":         []string{},
		"kibana.alert.workflow_assignee_ids": []string{},
		"kibana.alert.severity":              rule["severity"],
		"kibana.alert.risk_score":            rule["risk_score"],
		"kibana.alert.rule.execution.uuid":   run.ID,
		"kibana.alert.rule.execution.type":   run.Type,
		"newterms.fields":                    rule["new_terms_fields"],
		"newterms.run.id":                    run.ID,
		"newterms.search":                    run.Search,
	})
	if block, ok := rule["building_block_type"]; ok {
		m.common["kibana.alert.building_block_type"] = block
	}
	var err error
	if m.json, err = membersOf(m.common); err != nil {
		return nil, fmt.Errorf("encode the rule %v: %w", rule["rule_id"], err)
	}
	return m, nil
}

// Alert builds the alert of a finding: the source event, and flat kibana.alert.*
// keys with the names and types of Kibana's security alerts. now is when the
// alert is made.
func (m *Maker) Alert(f Finding, now time.Time) (alert Alert) {
	defer func() {
		if failure := recover(); failure != nil {
			f.Event = NewEvent(SourceEvent{Missing: fmt.Sprintf("building the alert failed with %v", failure)})
			alert = m.alert(f, now)
		}
	}()
	return m.alert(f, now)
}

func (m *Maker) alert(f Finding, now time.Time) Alert {
	e := f.Event
	own := map[string]any{
		"@timestamp":                            timestamp(now),
		"kibana.alert.uuid":                     f.ID,
		"kibana.alert.start":                    timestamp(now),
		"kibana.alert.last_detected":            timestamp(now),
		"kibana.alert.intended_timestamp":       timestamp(now),
		"kibana.alert.rule.execution.timestamp": timestamp(now),
		"kibana.alert.ancestors":                e.ancestors,
		"kibana.alert.depth":                    e.depth,
		"kibana.alert.new_terms":                f.Terms,
		"kibana.alert.reason":                   describe(e.document, m.fields, f.Terms).reason(m.rule),
		"newterms.first_seen":                   timestamp(f.FirstSeen),
		"newterms.pair":                         f.Pair,
		"newterms.events":                       f.Events,
		"newterms.window.from":                  timestamp(f.From),
		"newterms.window.to":                    timestamp(f.To),
	}
	return Alert{Key: f.Key, maker: m, own: own, terms: f.Terms, event: e, LeftOut: e.leftOut}
}

// An Alert is a document to write. Only a Maker makes one.
type Alert struct {
	Key
	maker *Maker
	own   map[string]any // what only this alert says, flat
	terms []any
	event *Event
	// rounds counts how often the target refused it, and mappedOnly tells that
	// nothing but mapped values is left of the event.
	rounds     int
	mappedOnly bool
	// LeftOut names the fields of the event that do not fit the mapping of the
	// alerts target, or "the event" with a reason.
	LeftOut []string
}

// Event tells where the source event is, as _index/_id; "" if it is not known.
func (a Alert) Event() string { return a.event.place }

// encoded is the document that is written, with more members at its beginning.
// The parts of it say nothing twice.
func (a Alert) encoded(more map[string]any) ([]byte, error) {
	own := maps.Clone(a.own)
	maps.Copy(own, more)
	first, err := membersOf(own)
	if err != nil {
		return nil, err
	}
	event, err := a.event.encoded()
	if err != nil {
		return nil, err
	}
	parts := [][]byte{first, a.maker.json}
	if len(event) > 0 {
		parts = append(parts, event)
	}
	document := make([]byte, 0, len(first)+len(a.maker.json)+len(event)+4)
	document = append(document, '{')
	document = append(document, bytes.Join(parts, []byte(","))...)
	return append(document, '}'), nil
}

// MarshalJSON gives the document with its _id.
func (a Alert) MarshalJSON() ([]byte, error) { return a.encoded(map[string]any{"_id": a.ID}) }

// ruleNames are the parameters that Kibana has under kibana.alert.rule.
func ruleNames() []string {
	return []string{
		"rule_id", "name", "type", "description", "author", "license", "version", "tags", "severity", "risk_score",
		"threat", "references", "false_positives", "note", "setup", "from", "to", "interval", "max_signals",
		"timestamp_override", "building_block_type",
	}
}

// ruleFields is kibana.alert.rule.*, with Kibana's names for the rule's type.
// Kibana has all parameters once more in one object; here it has those that are
// nowhere else, since an alert would be twice as large.
func ruleFields(rule Rule) map[string]any {
	others := maps.Clone(rule)
	fields := map[string]any{
		"kibana.alert.rule.uuid":         rule["rule_id"],
		"kibana.alert.rule.category":     "New Terms Rule",
		"kibana.alert.rule.producer":     "siem",
		"kibana.alert.rule.consumer":     "siem",
		"kibana.alert.rule.rule_type_id": "siem.newTermsRule",
		"kibana.alert.rule.enabled":      "true",
		"kibana.alert.rule.revision":     0,
		"kibana.alert.rule.indices":      rule["index"],
		"kibana.alert.rule.parameters":   map[string]any(others),
	}
	delete(others, "index")
	for _, name := range ruleNames() {
		if value, ok := rule[name]; ok {
			fields["kibana.alert.rule."+name] = value
			delete(others, name)
		}
	}
	return fields
}
