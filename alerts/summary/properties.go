package summary

import (
	"slices"
	"strings"

	"newterms/alerts/fields"
)

// A property is what people ask about events.
type property struct {
	name, names string
	fields      []string // that say it; the first one that an index maps is summarized
	isWord      bool     // it has short values, of a few kinds
}

// okta lists the properties of Okta's events.
func okta() []property {
	return []property{
		{"login", "logins", []string{"okta.actor.alternate_id", "user.email"}, false},
		{"address", "addresses", fields.ClientIP(), false},
		{"network", "networks", fields.Network(), false},
		{"user agent", "user agents", []string{"okta.client.user_agent.raw_user_agent", "user_agent.original"}, false},
		{"action", "actions", []string{"okta.event_type", "event.action"}, true},
		{"outcome", "outcomes", []string{"okta.outcome.result", "event.outcome"}, true},
	}
}

// ecs lists the properties of other events.
func ecs() []property {
	return []property{
		{"user", "users", []string{"user.name", "user.id"}, false},
		{"host", "hosts", []string{"host.name", "host.id"}, false},
		{"process", "processes", []string{"process.name", "process.executable"}, false},
		{"parent process", "parent processes", []string{"process.parent.name", "process.parent.executable"}, false},
		{"command line", "command lines", []string{"process.command_line"}, false},
		{"file", "files", []string{"file.path", "file.name"}, false},
		{"registry path", "registry paths", []string{"registry.path"}, false},
		{"container", "containers", []string{"container.name", "container.id"}, false},
		{"account", "accounts", []string{"cloud.account.id"}, false},
		{"address", "addresses", []string{"source.ip", "client.ip"}, false},
		{"network", "networks", []string{"source.as.organization.name", "client.as.organization.name"}, false},
		{"destination", "destinations", []string{"destination.ip", "destination.domain"}, false},
		{"user agent", "user agents", []string{"user_agent.original", "user_agent.name"}, false},
		{"action", "actions", []string{"event.action"}, true},
		{"outcome", "outcomes", []string{"event.outcome"}, true},
	}
}

// propertyOf returns what a field says; the zero property for other fields.
func propertyOf(field string) property {
	if field == actorID {
		return property{name: "actor", names: "actors"}
	}
	for _, p := range slices.Concat(okta(), ecs()) {
		if slices.Contains(p.fields, field) {
			return p
		}
	}
	return property{}
}

// maxFields is how many fields of a rule are summarized: each costs a bucket for each of
// its values.
const maxFields = 20

// FieldsOf lists the fields to summarize for a rule with some new-terms fields,
// investigation fields and a query: of each group the first one that an index maps.
// Those of Okta's rules are fixed. Other rules say in investigation_fields what to look
// at, or else all entities of ECS are. okta.actor.id tells what an unknown actor did.
func FieldsOf(newTerms, investigation []string, query string) [][]string {
	var groups [][]string
	properties := ecs()
	isOkta := IsOkta(newTerms, query)
	if isOkta {
		properties = okta()
	}
	if isOkta || len(investigation) == 0 {
		for _, p := range properties {
			groups = append(groups, p.fields)
		}
	}
	for _, field := range investigation {
		groups = append(groups, []string{field})
	}
	isKnown := func(field string) bool { return slices.Contains(newTerms, field) || strings.HasPrefix(field, "@") }
	groups = slices.DeleteFunc(groups, func(fields []string) bool { return slices.ContainsFunc(fields, isKnown) })
	groups = groups[:min(len(groups), maxFields)]
	if !slices.Contains(newTerms, actorID) {
		groups = append(groups, []string{actorID})
	}
	return groups
}

// IsOkta reports whether a rule with some new-terms fields and a query is about Okta.
func IsOkta(newTerms []string, query string) bool {
	return strings.Contains(query, "okta.") || slices.ContainsFunc(newTerms, func(field string) bool { return strings.HasPrefix(field, "okta.") })
}
