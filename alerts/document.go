package alerts

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// A Maker makes all alerts of a run.
type Maker struct {
	rule   Rule
	fields []string // the new-terms fields
	runID  string
	unseen string         // text about a pair that was not seen before
	common map[string]any // keys that all alerts of the run have, flat
	from   Overrides
	json   []byte // of common, without braces
}

// NewMaker returns the maker of a run. Its error is about a rule that cannot be encoded
// as JSON.
func NewMaker(rule Rule, run RunInfo) (*Maker, error) {
	m := &Maker{rule: rule, runID: run.ID, unseen: unseen(rule, run.TimeLimited), common: ruleFields(rule)}
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
		"newterms.run.type":                  run.Type,
		"newterms.search":                    run.Search,
	})
	if block, ok := rule["building_block_type"]; ok {
		m.common["kibana.alert.building_block_type"] = block
	}
	var err error
	if m.from, err = OverridesOf(rule); err != nil {
		return nil, fmt.Errorf("rule %v: %w", rule["rule_id"], err)
	}
	for _, key := range m.from.keys() {
		delete(m.common, key)
	}
	if m.json, err = membersOf(m.common); err != nil {
		return nil, fmt.Errorf("encode the rule %v: %w", rule["rule_id"], err)
	}
	return m, nil
}

// Alert builds the alert of a finding: the source event, and flat kibana.alert.* keys
// with the names and types of Kibana's security alerts. now is the alert's time.
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
	e, rule := f.Event, m.rule
	if len(e.overrides) > 0 {
		rule = maps.Clone(rule)
		maps.Copy(rule, e.overrides)
	}
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
		"kibana.alert.reason":                   m.reason(f, rule),
		"newterms.first_seen":                   timestamp(f.FirstSeen),
		"newterms.pair":                         f.Pair,
		"newterms.events":                       f.Events,
		"newterms.window.from":                  timestamp(f.From),
		"newterms.window.to":                    timestamp(f.To),
		"newterms.lag_ms":                       now.Sub(f.FirstSeen).Milliseconds(),
	}
	if !f.LastSeen.IsZero() {
		own["newterms.last_seen"] = timestamp(f.LastSeen)
	}
	for _, key := range m.from.keys() {
		own[key] = rule[key[strings.LastIndexByte(key, '.')+1:]]
	}
	return Alert{Key: f.Key, maker: m, own: own, terms: f.Terms, event: e, LeftOut: e.leftOut}
}

// reason returns the reason of an alert, with the rule's name after overrides. A name
// that an unknown actor has typed is not used.
func (m *Maker) reason(f Finding, rule Rule) string {
	if typedFields.MatchString(m.from.name) && isUnknownActor(f.Event.described, m.fields, f.Terms) {
		rule = maps.Clone(rule)
		rule["name"] = m.rule["name"]
	}
	return describe(f.Event.described, m.fields, f.Terms).reason(rule, m.lastSeen(f))
}

// An Alert is a document to write. Only a Maker makes one.
type Alert struct {
	Key
	maker *Maker
	own   map[string]any // keys of this alert alone, flat
	terms []any
	event *Event
	// rounds counts how often the target refused the alert. mappedOnly reports that
	// only mapped values are left of the event.
	rounds     int
	mappedOnly bool
	// LeftOut lists the fields of the event that do not fit the mapping of the alerts
	// target, or "the event" with a reason.
	LeftOut []string
}

// Event returns the place of the source event as _index/_id; "" if it is not known.
func (a Alert) Event() string { return a.event.place }

// encoded returns the document with more members at its beginning. Its parts have no
// member twice.
func (a Alert) encoded(more map[string]any) ([]byte, error) {
	document := append(make([]byte, 0, a.size()), '{')
	for _, own := range []map[string]any{more, a.own} {
		var err error
		if document, err = appendMembers(document, own); err != nil {
			return nil, err
		}
		if len(own) > 0 {
			document = append(document, ',')
		}
	}
	document = append(document, a.maker.json...)
	for _, members := range [][]byte{a.event.original, a.event.document} {
		if len(members) > 0 {
			document = append(append(document, ','), members...)
		}
	}
	return append(document, '}'), nil
}

// size returns the approximate size of the document in bytes.
func (a Alert) size() int {
	const own = 1500 // as measured
	return own + len(a.maker.json) + len(a.event.document) + len(a.event.original)
}

// JSON returns the document with its _id, on one line.
func (a Alert) JSON() ([]byte, error) { return a.encoded(map[string]any{"_id": a.ID}) }

// MarshalJSON is JSON, for encoders; they take more than twice the time.
func (a Alert) MarshalJSON() ([]byte, error) { return a.JSON() }

// alertNames lists the rule's parameters that each alert has. ruleNames adds those that
// only the rule's own document has, and that Kibana has under kibana.alert.rule.
func alertNames() []string {
	return []string{
		"rule_id", "name", "type", "description", "version", "tags", "severity", "risk_score", "threat", "timestamp_override", "building_block_type",
	}
}

func ruleNames() []string {
	return append(alertNames(), "author", "license", "references", "false_positives", "note", "setup", "from", "to", "interval", "max_signals")
}

// ruleFields returns kibana.alert.rule.* of an alert. Other parameters, which Kibana
// has in each alert, are in the rule's own document here.
func ruleFields(rule Rule) map[string]any {
	fields := map[string]any{
		"kibana.alert.rule.uuid":         rule["rule_id"],
		"kibana.alert.rule.category":     "New Terms Rule",
		"kibana.alert.rule.producer":     "siem",
		"kibana.alert.rule.consumer":     "siem",
		"kibana.alert.rule.rule_type_id": "siem.newTermsRule",
		"kibana.alert.rule.enabled":      "true",
		"kibana.alert.rule.revision":     0,
		"kibana.alert.rule.indices":      rule["index"],
	}
	for _, name := range alertNames() {
		if value, ok := rule[name]; ok {
			fields["kibana.alert.rule."+name] = value
		}
	}
	if threat, ok := fields["kibana.alert.rule.threat"]; ok {
		fields["kibana.alert.rule.threat"] = without(threat, "reference")
	}
	return fields
}

// without copies a JSON value without the members of a name.
func without(value any, name string) any {
	switch v := value.(type) {
	case []any:
		kept := make([]any, len(v))
		for i, one := range v {
			kept[i] = without(one, name)
		}
		return kept
	case []map[string]any: // as TOML has it
		kept := make([]any, len(v))
		for i, one := range v {
			kept[i] = without(one, name)
		}
		return kept
	case map[string]any:
		kept := map[string]any{}
		for key, member := range v {
			if key != name {
				kept[key] = without(member, name)
			}
		}
		return kept
	}
	return value
}
