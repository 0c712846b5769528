package alert

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
)

// A Description is what an analyst must know about an alert first: who, from where, and
// what. What the event lacks is "".
type Description struct {
	FirstSeen time.Time
	NewTerms  []NewTerm // the pair, in the order of the rule's new-terms fields
	Events    string    // number of the pair's matching events in the window
	Several   []string  // in what they differ, such as "5 logins"
	New       []string  // what is new to everyone, and what to the first term

	// Actor is the display name, and Login the name given at sign-in. For an unknown
	// actor they are "unknown" and "".
	Actor, ActorID, Login string
	Account               string // id of the cloud account
	IP, Network           string // of the client
	Place, Country        string // of the client; Place is "city, country"
	Browser, OS           string
	Action                string
	Outcome, Why          string
	Entities
	// Fields are new terms and investigation fields that nothing above has, in the
	// rule's order.
	Fields []NewTerm
}

// A NewTerm is a value, such as a term of a pair, as text, and its field.
type NewTerm struct{ Field, Value string }

// Describe describes the alert.
func (a Alert) Describe() Description {
	d := *a.described
	d.FirstSeen, d.Events = a.FirstSeen, fields.Text(a.own["newterms.events"])
	if a.summary != nil {
		d.Several = a.summary.Several()
	}
	if a.context != nil {
		d.New = a.context.New()
	}
	return d
}

// describe describes a pair and its event.
func describe(doc map[string]any, names []string, terms []any) Description {
	d := describeEvent(func(paths ...string) string { return textOf(doc, paths...) })
	for i, field := range names {
		value := fields.Text(terms[i])
		switch {
		case terms[i] == nil:
			value = "(missing)"
		case strings.TrimSpace(value) == "":
			value = strconv.Quote(value)
		}
		d.NewTerms = append(d.NewTerms, NewTerm{field, value})
		switch field { // the event may have several ids; the term is the new one
		case "okta.actor.id":
			d.ActorID = value
		case "cloud.account.id":
			d.Account = value
		}
	}
	if isUnknownActor(doc, names, terms) {
		d.hideTyped()
	}
	return d
}

// DescribeStored describes an alert as it is stored: of a pair, by new-terms field.
func DescribeStored(document map[string]any, names []string, terms []any) Description {
	if len(terms) != len(names) {
		names, terms = nil, nil
	}
	d := describe(document, names, terms)
	d.Events = textOf(document, "newterms.events")
	return d
}

// describe describes a pair and its event, with what the rule wants to be looked at.
func (m *Maker) describe(e *Event, terms []any) Description {
	d := describe(e.described, m.fields, terms)
	d.Fields = d.unshown(d.NewTerms)
	unknown := isUnknownActor(e.described, m.fields, terms)
	var more []NewTerm
	for _, field := range m.investigate {
		if value := textOf(e.described, field); value != "" {
			more = append(more, NewTerm{field, value})
		} else if value := fields.Text(e.extra[field]); value != "" {
			more = append(more, NewTerm{field, value})
		}
	}
	more = slices.DeleteFunc(more, func(f NewTerm) bool { return unknown && fields.IsTyped(f.Field) || slices.Contains(m.fields, f.Field) })
	d.Fields = append(d.Fields, d.unshown(more)...)
	return d
}

// isUnknownActor reports whether a pair or its event is of an unknown actor.
func isUnknownActor(doc map[string]any, names []string, terms []any) bool {
	ids, _ := elastic.Lookup(doc, "okta.actor.id")
	for i, field := range names {
		if field == "okta.actor.id" {
			ids = []any{ids, terms[i]}
		}
	}
	return slices.ContainsFunc(scalars(ids), func(id any) bool { return fields.IsUnknownActor(fields.Text(id)) })
}

// hideTyped removes what an unknown actor has typed.
func (d *Description) hideTyped() {
	d.Actor, d.Login = fields.UnknownActor, ""
	for i, term := range d.NewTerms {
		if fields.IsTyped(term.Field) {
			d.NewTerms[i].Value = "(not shown, as an unknown actor has typed it)"
		}
	}
}

// describeEvent reads Okta's own fields if an event has them, and otherwise those of
// ECS. first returns the text of the first field that has any.
func describeEvent(first func(paths ...string) string) Description {
	d := Description{
		Actor:   first("okta.actor.display_name", "user.full_name", "user.name"),
		ActorID: first("okta.actor.id", "user.id"),
		Login:   first("okta.actor.alternate_id", "user.email", "user.name"),
		Account: first("cloud.account.id"),
		IP:      first(fields.ClientIP()...),
		Country: first(fields.Country()...),
		Network: first(fields.Network()...),
		Browser: first("okta.client.user_agent.browser"),
		OS:      first("okta.client.user_agent.os", "user_agent.os.name"),
		Action:  first("okta.event_type", "event.action"),
		Outcome: first("okta.outcome.result", "event.outcome"),
		Why:     first("okta.outcome.reason"),
	}
	d.Place = joinFilled(", ", first("client.geo.city_name", "source.geo.city_name"), d.Country)
	if d.Browser == "" || d.Browser == "UNKNOWN" { // Okta knows few of them
		d.Browser = first("user_agent.name")
	}
	if d.Browser == "" && d.OS == "" {
		d.Browser = first("okta.client.user_agent.raw_user_agent", "user_agent.original")
	}
	if first("okta.actor.id", "okta.event_type") == "" { // what else Okta's events have is of the collector
		d.Entities = entitiesOf(first)
	}
	return d
}

// describedFields lists the fields that describeEvent reads.
func describedFields() []string {
	var read []string
	describeEvent(func(paths ...string) string { // all of them, where none has a text
		read = append(read, paths...)
		return ""
	})
	return read
}
