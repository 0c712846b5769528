package novelty

import (
	"slices"
	"strings"

	"newterms/alerts/fields"
	"newterms/alerts/summary"
)

// A Property is what an event may have beside its pair.
type Property struct {
	Name   string
	Fields []string // that say it; the first one with a value counts
}

// maxProperties is how many a rule has: each costs nine aggregations for each alert.
const maxProperties = 8

// PropertiesOf lists the properties that contexts are about, for a rule with some
// new-terms fields, investigation fields and a query. Those of Okta's rules are fixed.
// Other rules say in investigation_fields what to look at, or else entities of ECS are.
// A property that a new-terms field says is left out.
func PropertiesOf(newTerms, investigation []string, query string) []Property {
	properties := ecs()
	if summary.IsOkta(newTerms, query) {
		properties = okta()
	} else if len(investigation) > 0 {
		properties = nil
		for _, field := range investigation {
			properties = append(properties, Property{field, []string{field}})
		}
	}
	properties = slices.DeleteFunc(properties, func(p Property) bool {
		return slices.ContainsFunc(p.Fields, func(field string) bool { return slices.Contains(newTerms, field) || strings.HasPrefix(field, "@") })
	})
	return properties[:min(len(properties), maxProperties)]
}

func okta() []Property {
	return []Property{
		{"client IP", fields.ClientIP()}, {"network", fields.Network()}, {"country", fields.Country()}, {"user agent", fields.UserAgent()},
	}
}

func ecs() []Property {
	return []Property{
		{"user", []string{"user.name", "user.id"}},
		{"host", []string{"host.name", "host.id"}},
		{"process", []string{"process.name", "process.executable"}},
		{"parent process", []string{"process.parent.name", "process.parent.executable"}},
		{"address", []string{"source.ip", "client.ip"}},
		{"network", []string{"source.as.organization.name", "client.as.organization.name"}},
		{"country", []string{"source.geo.country_name", "client.geo.country_name"}},
		{"user agent", []string{"user_agent.name", "user_agent.original"}},
		{"destination", []string{"destination.ip", "destination.domain"}},
		{"container", []string{"container.name", "container.id"}},
		{"account", []string{"cloud.account.id"}},
	}
}

// nameOf returns what a new-terms field says, for people.
func nameOf(field string) string {
	switch field {
	case "okta.actor.id":
		return "actor"
	case "cloud.account.id":
		return "account"
	}
	return field
}
