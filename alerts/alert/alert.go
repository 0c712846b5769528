// Package alert builds alerts from events: the document, its id, the values that a rule
// overrides, and a description for people.
package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/alerts/fields"
	"newterms/alerts/novelty"
	"newterms/alerts/runs"
	"newterms/alerts/summary"
	"newterms/esquery/elastic/words"
)

// A Finding is a first occurrence and its event.
type Finding struct {
	Key
	Terms []any // one for each of the rule's new_terms_fields, in order
	// LastSeen is when the pair was seen before, earlier than the rule's history; zero
	// if it was not, as far as the run has searched.
	LastSeen time.Time
	Events   int64 // matching events of the pair in the window
	// From and To are the window in which Events were counted, To exclusive.
	From, To time.Time

	Event *Event
	// Summary is about all events of the pair in the window; nil if there is one event.
	Summary *summary.Summary
	// Context says what is new, and to whom; nil if nobody asked.
	Context *novelty.Context
}

// A Maker makes all alerts of a run.
type Maker struct {
	// Link returns the address of an alert in Kibana. It may be set before the first
	// alert; nil means that alerts have none.
	Link func(id string, firstSeen time.Time) string

	rule   Rule
	fields []string // the new-terms fields
	// investigate are the rule's investigation fields, and extra those of them that
	// descriptions do not read anyway.
	investigate, extra []string
	properties         []novelty.Property
	runID              string
	unseen             string         // text about a pair that was not seen before
	common             map[string]any // keys that all alerts of the run have, flat
	overrides          Overrides
	json               []byte // of common, without braces
}

// NewMaker returns the maker of a run. Its error is about a rule that cannot be encoded
// as JSON.
func NewMaker(rule Rule, run runs.Info) (*Maker, error) {
	m := &Maker{rule: rule, runID: run.ID, unseen: unseen(rule, run.TimeLimited), common: ruleFields(rule)}
	m.fields, _ = rule["new_terms_fields"].([]string)
	m.investigate, m.properties = rule.InvestigationFields(), rule.Properties()
	described := describedFields()
	m.extra = slices.DeleteFunc(slices.Clone(m.investigate), func(field string) bool { return slices.Contains(described, field) || strings.HasPrefix(field, "@") })
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
	if m.overrides, err = OverridesOf(rule); err != nil {
		return nil, fmt.Errorf("rule %v: %w", rule["rule_id"], err)
	}
	for _, key := range m.overrides.keys() {
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
	described := m.describe(e, f.Terms)
	own := map[string]any{
		"@timestamp":                            words.Stamp(now),
		"kibana.alert.uuid":                     f.ID,
		"kibana.alert.start":                    words.Stamp(now),
		"kibana.alert.last_detected":            words.Stamp(now),
		"kibana.alert.intended_timestamp":       words.Stamp(now),
		"kibana.alert.rule.execution.timestamp": words.Stamp(now),
		"kibana.alert.ancestors":                e.ancestors,
		"kibana.alert.depth":                    e.depth,
		"kibana.alert.new_terms":                f.Terms,
		"kibana.alert.reason":                   m.reason(f, rule, described),
		"newterms.first_seen":                   words.Stamp(f.FirstSeen),
		"newterms.pair":                         f.Pair,
		"newterms.events":                       f.Events,
		"newterms.window.from":                  words.Stamp(f.From),
		"newterms.window.to":                    words.Stamp(f.To),
		"newterms.lag_ms":                       now.Sub(f.FirstSeen).Milliseconds(),
	}
	if m.Link != nil {
		own["kibana.alert.url"] = m.Link(f.ID, f.FirstSeen)
	}
	if !f.LastSeen.IsZero() {
		own["newterms.last_seen"] = words.Stamp(f.LastSeen)
	}
	of := f.Summary
	if of != nil {
		shown := of.ForPeople(isUnknownActor(e.described, m.fields, f.Terms))
		of = &shown
		maps.Copy(own, of.Members())
	}
	if f.Context != nil {
		maps.Copy(own, f.Context.Members())
	}
	for _, key := range m.overrides.keys() {
		own[key] = rule[key[strings.LastIndexByte(key, '.')+1:]]
	}
	return Alert{Key: f.Key, maker: m, own: own, terms: f.Terms, event: e, described: &described, summary: of, context: f.Context, LeftOut: e.leftOut}
}

// reason returns the reason of an alert, with the rule's name after overrides. A name
// that an unknown actor has typed is not used.
func (m *Maker) reason(f Finding, rule Rule, d Description) string {
	if fields.IsTyped(m.overrides.name) && isUnknownActor(f.Event.described, m.fields, f.Terms) {
		rule = maps.Clone(rule)
		rule["name"] = m.rule["name"]
	}
	return d.reason(rule, joinFilled("; ", m.lastSeen(f), f.Context.Clause()))
}

// An Alert is a document to write. Only a Maker makes one.
type Alert struct {
	Key
	maker     *Maker
	own       map[string]any // keys of this alert alone, flat
	terms     []any
	event     *Event
	described *Description // of the pair and its event
	// summary is that of the finding, as it is written.
	summary *summary.Summary
	context *novelty.Context
	// rounds counts how often the target refused the alert. mappedOnly reports that
	// only mapped values are left of the event.
	rounds     int
	mappedOnly bool
	// LeftOut lists the fields of the event that do not fit the mapping of the alerts
	// target, or "the event" with a reason.
	LeftOut []string
}

// Terms returns the pair, a value or nil for each new-terms field.
func (a Alert) Terms() []any { return a.terms }

// Novelty returns newterms.novelty; ok is false if the alert has no context.
func (a Alert) Novelty() (n int, ok bool) {
	if a.context == nil || a.context.Missing != "" {
		return 0, false
	}
	return a.context.Novelty(), true
}

// RunID returns the id of the run that made the alert.
func (a Alert) RunID() string { return a.maker.runID }

// URL returns the alert's address in Kibana; "" if it has none.
func (a Alert) URL() string { return fields.Text(a.own["kibana.alert.url"]) }

// Event returns _index/_id of the source event; "" if it is not known.
func (a Alert) Event() string { return a.event.reference }

// encoded returns the document with more members at its beginning. Its parts have no
// member twice.
func (a Alert) encoded(more map[string]any) ([]byte, error) {
	document := append(make([]byte, 0, a.Size()), '{')
	for _, own := range []map[string]any{more, a.own} {
		members, err := membersOf(own)
		if err != nil {
			return nil, err
		}
		if len(own) > 0 {
			document = append(append(document, members...), ',')
		}
	}
	document = append(document, a.maker.json...)
	for _, members := range [][]byte{a.event.copies, a.event.document} {
		if len(members) > 0 {
			document = append(append(document, ','), members...)
		}
	}
	return append(document, '}'), nil
}

// Size returns the approximate size of the document in bytes.
func (a Alert) Size() int {
	const own = 1500 // as measured
	size := own
	if a.summary != nil {
		for _, f := range a.summary.Fields {
			for _, v := range f.Values {
				size += len(v.Text) + len(f.Name) + len(`{"field":"","value":"","events":1},`)
			}
		}
	}
	if a.context != nil {
		size += 600 + 300*len(a.context.Attributes)
	}
	return size + len(a.maker.json) + len(a.event.document) + len(a.event.copies)
}

// Document returns the document to write. Its _id is the alert's ID.
func (a Alert) Document() ([]byte, error) { return a.encoded(nil) }

// JSON returns the document with its _id, on one line.
func (a Alert) JSON() ([]byte, error) { return a.encoded(map[string]any{"_id": a.ID}) }

// MarshalJSON is JSON, for encoders; they take more than twice the time.
func (a Alert) MarshalJSON() ([]byte, error) { return a.JSON() }
