package alert

import (
	"slices"
	"strings"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
)

// A Facet is a property of an alert that analysts look at, with the field that it comes
// from.
type Facet struct {
	Kind  string // actor, account, network, country, user agent, client IP, event type, outcome, or the name of a new-terms field
	Field string
	Value string
	Name  string // of an actor, beside the id that is its Value; else ""
	// Source reports that it says who or from where. A whole account, country or action
	// does not, and neither does an unknown actor.
	Source bool
}

// Facets lists what the alert has of its new terms, actor, network, address and so on.
// Of several fields with the same meaning it takes one that isMapped, if there is one:
// only such a field can be searched. It leaves out what an unknown actor has typed: that
// may be a password.
func (a Alert) Facets(isMapped func(field string) bool) []Facet {
	d, doc := a.Describe(), a.event.described
	var facets []Facet
	add := func(f Facet) {
		f.Source = f.Source && !(f.Kind == "actor" && fields.IsUnknownActor(f.Value))
		same := func(other Facet) bool { return other.Field == f.Field && other.Value == f.Value }
		if f.Value != "" && !slices.ContainsFunc(facets, same) {
			facets = append(facets, f)
		}
	}
	for i, term := range d.NewTerms {
		value := fields.Text(a.terms[i])
		switch {
		case a.terms[i] == nil || value != term.Value: // absent, or not shown
		case term.Field == "okta.actor.id":
			add(Facet{"actor", term.Field, value, actorName(d), true})
		case term.Field == "cloud.account.id":
			add(Facet{"account", term.Field, value, "", false})
		default:
			add(Facet{term.Field, term.Field, value, "", true})
		}
	}
	isUnknown := isUnknownActor(doc, a.maker.fields, a.terms)
	for _, of := range facetFields() {
		has := slices.DeleteFunc(slices.Clone(of.fields), func(field string) bool { return textOf(doc, field) == "" })
		isTerm := func(f Facet) bool { return f.Kind == of.kind } // the event may have others
		if len(has) == 0 || slices.ContainsFunc(facets, isTerm) {
			continue
		}
		field := has[max(0, slices.IndexFunc(has, isMapped))]
		if isUnknown && fields.IsTyped(field) {
			continue
		}
		value, _ := elastic.Lookup(doc, field)
		for _, one := range scalars(value) {
			f := Facet{Kind: of.kind, Field: field, Value: fields.Text(one), Source: of.source}
			if of.kind == "actor" && strings.HasSuffix(field, ".id") {
				f.Name = actorName(d)
			}
			add(f)
		}
	}
	return facets
}

func actorName(d Description) string {
	if d.Actor == d.ActorID {
		return ""
	}
	return d.Actor
}

type facetField struct {
	kind   string
	fields []string // the first one that an event has counts
	source bool
}

// facetFields are those of describeEvent, one for each kind.
func facetFields() []facetField {
	return []facetField{
		{"actor", []string{"okta.actor.id", "user.id", "user.name"}, true},
		{"account", []string{"cloud.account.id"}, false},
		{"network", fields.Network(), true},
		{"country", fields.Country(), false},
		{"user agent", fields.UserAgent(), false},
		{"client IP", fields.ClientIP(), true},
		{"host", []string{"host.name"}, true},
		{"process", []string{"process.name", "process.executable"}, true},
		{"event type", []string{"okta.event_type", "event.action"}, false},
		{"outcome", []string{"okta.outcome.result", "event.outcome"}, false},
	}
}

// FacetKinds lists the kinds of facets that the alerts of a rule with some new-terms
// fields may have: those of the new terms, and the others.
func FacetKinds(newTerms []string) []string {
	var kinds []string
	for _, field := range newTerms {
		if field != "okta.actor.id" && field != "cloud.account.id" {
			kinds = append(kinds, field)
		}
	}
	for _, of := range facetFields() {
		kinds = append(kinds, of.kind)
	}
	return kinds
}

// FieldTexts returns the texts of some fields of an alert, its new terms among them.
func FieldTexts(source map[string]any, names []string) map[string][]string {
	texts := map[string][]string{}
	for _, field := range names {
		if value, ok := elastic.Lookup(source, field); ok {
			for _, one := range scalars(value) {
				texts[field] = append(texts[field], fields.Text(one))
			}
		}
	}
	newTerms, _ := source["newterms.fields"].([]any)
	terms, _ := source["kibana.alert.new_terms"].([]any)
	for i, name := range newTerms {
		if i < len(terms) {
			texts[fields.Text(name)] = append(texts[fields.Text(name)], fields.Text(terms[i]))
		}
	}
	return texts
}
