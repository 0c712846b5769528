package alert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"newterms/esquery/elastic/words"
)

// reason says in one line who, from where, and what is new:
//
//	Ada Lovelace (ada@example.com) from 203.0.113.7 (Oslo, Norway, Example Hosting): new okta.actor.id 00u1,
//	cloud.account.id 123456789012, not seen in the 7 days before; network new to everyone. user.session.start, SUCCESS. Medium alert: First
//	Occurrence of …
func (d Description) reason(rule Rule, lastSeen string) string {
	var b strings.Builder
	if subject := d.subject(); subject != "" {
		b.WriteString(subject + ": ")
	}
	var pair []string
	for _, term := range d.NewTerms {
		pair = append(pair, term.Field+" "+term.Value)
	}
	fmt.Fprintf(&b, "new %s, %s. ", strings.Join(pair, ", "), lastSeen)
	if what := joinFilled(", ", d.Action, d.Outcome); what != "" {
		b.WriteString(what + ". ")
	}
	severity := textOf(rule, "severity")
	if severity != "" {
		severity = strings.ToUpper(severity[:1]) + severity[1:] + " "
	}
	b.WriteString(severity + "alert: " + textOf(rule, "name"))
	return b.String()
}

// subject says who, on which host, from where, and by which process.
func (d Description) subject() string {
	who := WithDetail(d.Actor, d.Login)
	switch {
	case who == "":
		who = d.Host
	case d.Host != "":
		who += " on " + d.Host
	}
	if where := WithDetail(d.IP, joinFilled(", ", d.Place, d.Network)); where != "" && who != "" {
		who += " from " + where
	} else if where != "" {
		who = where
	}
	return joinFilled(", ", append([]string{who}, d.named()...)...)
}

// lastSeen returns the text about a pair's last event: "last seen 8 days before" or
// "not seen in the 7 days before".
func (m *Maker) lastSeen(f Finding) string {
	last := f.LastSeen
	if last.IsZero() && f.Context != nil { // which looks back further
		last = f.Context.PairLast
	}
	if !last.IsZero() {
		return "last seen " + words.Span(f.FirstSeen.Sub(last)) + " before"
	}
	return m.unseen
}

// unseen returns the text about a pair that was not seen in the history, or in the time
// to which the rule limits it.
func unseen(rule Rule, timeLimited bool) string {
	if timeLimited {
		return "not seen before in the time to which the rule's query is limited"
	}
	history := strings.TrimPrefix(textOf(rule, "history_window_start"), "now-")
	if n, err := strconv.Atoi(strings.TrimSuffix(history, "d")); err == nil && strings.HasSuffix(history, "d") {
		history = words.Span(time.Duration(n) * 24 * time.Hour)
	}
	return "not seen in the " + history + " before"
}

// WithDetail returns "main (detail)", or one of them if the other is empty.
func WithDetail(main, detail string) string {
	switch {
	case main == "":
		return detail
	case detail == "" || detail == main:
		return main
	default:
		return main + " (" + detail + ")"
	}
}

// joinFilled joins the parts that are not empty.
func joinFilled(separator string, parts ...string) string {
	filled := slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.Join(filled, separator)
}
