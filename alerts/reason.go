package alerts

import (
	"fmt"
	"strings"
)

// reason says in one line who, from where, and what is new:
//
//	Ada Lovelace (ada@example.com) from 203.0.113.7 (Oslo, Norway, Example Hosting): first okta.actor.id 00u1,
//	cloud.account.id 123456789012 in 7d. user.session.start, SUCCESS. Medium alert: First Occurrence of …
func reason(rule Rule, f Finding, doc map[string]any) string {
	var b strings.Builder
	if who := who(doc); who != "" {
		b.WriteString(who)
		if where := where(doc); where != "" {
			b.WriteString(" from " + where)
		}
		b.WriteString(": ")
	}
	b.WriteString("first " + pairText(rule, f.Terms) + " in " + historyText(rule) + ". ")
	if what := join(textOf(doc, "okta.event_type", "event.action"), textOf(doc, "okta.outcome.result", "event.outcome")); what != "" {
		b.WriteString(what + ". ")
	}
	severity := textOf(rule, "severity")
	if severity != "" {
		severity = strings.ToUpper(severity[:1]) + severity[1:] + " "
	}
	b.WriteString(severity + "alert: " + textOf(rule, "name"))
	return b.String()
}

func who(doc map[string]any) string {
	return withDetail(
		textOf(doc, "okta.actor.display_name", "user.full_name", "user.name", "host.name"),
		textOf(doc, "okta.actor.alternate_id", "user.email", "user.name"))
}

func where(doc map[string]any) string {
	place := join(
		textOf(doc, "client.geo.city_name", "source.geo.city_name"),
		textOf(doc, "client.geo.country_name", "source.geo.country_name"),
		textOf(doc, "okta.security_context.as.organization.name", "client.as.organization.name", "source.as.organization.name", "okta.security_context.isp"))
	return withDetail(textOf(doc, "okta.client.ip", "client.ip", "source.ip"), place)
}

func pairText(rule Rule, terms []any) string {
	fields, _ := rule["new_terms_fields"].([]string)
	parts := make([]string, len(terms))
	for i, term := range terms {
		value := text(term)
		if term == nil {
			value = "(missing)"
		}
		name := "term"
		if i < len(fields) {
			name = fields[i]
		}
		parts[i] = fmt.Sprintf("%s %s", name, value)
	}
	return join(parts...)
}

func historyText(rule Rule) string {
	return strings.TrimPrefix(textOf(rule, "history_window_start"), "now-")
}

func withDetail(main, detail string) string {
	switch {
	case main == "":
		return detail
	case detail == "" || detail == main:
		return main
	default:
		return main + " (" + detail + ")"
	}
}

func join(parts ...string) string {
	var filled []string
	for _, p := range parts {
		if p != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, ", ")
}
