package alert

import (
	"slices"

	"newterms/alerts/fields"
	"newterms/alerts/novelty"
)

const (
	// maxAttributes is how many attributes an alert's context has.
	maxAttributes = 10
	// maxValues is how many values of one property count.
	maxValues = 3
)

// Properties are novelty.PropertiesOf.
func (r Rule) Properties() []novelty.Property {
	newTerms, _ := r["new_terms_fields"].([]string)
	query, _ := r["query"].(string)
	return novelty.PropertiesOf(newTerms, r.InvestigationFields(), query)
}

// Attributes lists the values of the rule's Properties that an event of a pair has, as
// far as they can be asked for: none of a field with a value that is not indexed. It leaves out what an unknown actor has typed.
func (m *Maker) Attributes(from SourceEvent, terms []any, can func(field, value string) bool) []novelty.Attribute {
	var names []string
	for _, p := range m.properties {
		names = append(names, p.Fields...)
	}
	values := valuesOf(from, append(names, "okta.actor.id"))
	isUnknown := isUnknownActor(values, m.fields, terms)
	var all []novelty.Attribute
	for _, p := range m.properties {
		for _, field := range p.Fields {
			found := 0
			for _, one := range scalars(values[field]) {
				a := novelty.Attribute{Name: p.Name, Field: field, Value: fields.Text(one)}
				if isUnknown && fields.IsTyped(field) || slices.Contains(from.Ignored, field) || !can(field, a.Value) || found == maxValues || len(all) == maxAttributes || slices.Contains(all, a) {
					continue
				}
				all = append(all, a)
				found++
			}
			if found > 0 {
				break
			}
		}
	}
	return all
}

// Context returns what was known of the alert's values before it; nil if nobody asked.
func (a Alert) Context() *novelty.Context { return a.context }
