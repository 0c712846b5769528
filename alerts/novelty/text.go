package novelty

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic/words"
)

// Text says in one line what is new, and to whom:
//
//	actor: 118 events since 2026-11-14, none that match; account known; network and user agent new to everyone
//
// It has no value of the event.
func (c Context) Text() string {
	var parts []string
	for i, t := range c.Terms {
		name := t.name()
		switch {
		case t.Events > 0:
			parts = append(parts, fmt.Sprintf("%s known: %s", name, c.known(t)))
		case i > 0:
			parts = append(parts, name+" new to everyone")
		case c.User.Events == 0:
			parts = append(parts, name+": no event before")
		default:
			parts = append(parts, fmt.Sprintf("%s: %s since %s, none that match%s", name, words.Plural(c.User.Events, "event", "events"), c.User.First.Format(time.DateOnly), c.inHistory()))
		}
	}
	parts = append(parts, c.ofAttributes()...)
	if c.Young {
		age := fmt.Sprintf("only %.1f days", c.History.Hours()/24)
		switch {
		case c.History < time.Hour:
			age = "less than an hour"
		case c.History < day:
			age = fmt.Sprintf("only %.1f hours", c.History.Hours())
		}
		parts = append(parts, "the source is "+age+" old")
	}
	return strings.Join(parts, "; ")
}

// inHistory says over which time no event matches: the user's events are of twice as
// long a time. Those of a young source are all in the history.
func (c Context) inHistory() string {
	if c.Young || c.History <= 0 {
		return ""
	}
	return " in the " + words.Span(c.History) + " before"
}

// known says how well a term is known.
func (c Context) known(t Term) string {
	text := words.Plural(t.Events, "event", "events")
	if len(c.Terms) == 1 {
		return text
	}
	names := []string{}
	for _, other := range c.Terms {
		if other.Field != t.Field {
			names = append(names, nameOf(other.Field))
		}
	}
	of := "value"
	if len(names) == 1 && !strings.Contains(names[0], ".") {
		of = names[0]
	}
	if t.Others >= maxOthers {
		return fmt.Sprintf("%s with %d other %ss or more", text, maxOthers, of)
	}
	return fmt.Sprintf("%s with %s", text, words.Plural(t.Others, "other "+of, "other "+of+"s"))
}

// maxOthers stands for that many or more.
const maxOthers = 100

func (c Context) ofAttributes() []string {
	var parts []string
	everyone, user := c.NewToEveryone(), c.NewToUser()
	if len(everyone) > 0 {
		parts = append(parts, listed(everyone)+" new to everyone")
	}
	if len(user) > 0 {
		parts = append(parts, listed(user)+" new to this "+c.who())
	}
	known := c.named(func(a Attribute) bool { return !slices.Contains(everyone, a.Name) && !slices.Contains(user, a.Name) })
	if len(known) > 0 {
		parts = append(parts, listed(known)+" known")
	}
	return parts
}

func (c Context) who() string { return c.Terms[0].name() }

func (t Term) name() string {
	if t.Absent {
		return "missing " + nameOf(t.Field)
	}
	return nameOf(t.Field)
}

// Clause is the part of Text that a reason has: what is new to everyone, and what to the
// first term alone. A nil Context has none.
func (c *Context) Clause() string {
	if c == nil || len(c.Terms) == 0 {
		return ""
	}
	everyone, user := c.newToEveryone(), c.NewToUser()
	var parts []string
	if len(everyone) > 0 {
		parts = append(parts, listed(everyone)+" new to everyone")
	}
	switch {
	case c.User.Events == 0: // then all is new to it
		parts = append(parts, "no event of this "+c.who()+" before")
	case len(user) > 0:
		parts = append(parts, listed(user)+" new to this "+c.who())
	}
	if len(parts) == 0 && len(c.Attributes) > 0 {
		return "all else known"
	}
	return strings.Join(parts, "; ")
}

// newToEveryone names the terms after the first one, and the attributes, that nobody had
// before.
func (c *Context) newToEveryone() []string {
	var names []string
	for _, t := range c.Terms[min(1, len(c.Terms)):] {
		if t.Events == 0 {
			names = append(names, t.name())
		}
	}
	return append(names, c.NewToEveryone()...)
}

// New says in up to two lines for a table what is new to everyone, and what to the first
// term alone. A first term without any event is itself new.
func (c *Context) New() []string {
	var lines []string
	names := c.newToEveryone()
	if len(c.Terms) > 0 && c.User.Events == 0 {
		names = append(names, c.who())
	}
	if len(names) > 0 {
		lines = append(lines, "new: "+strings.Join(names, ", "))
	}
	if user := c.NewToUser(); len(user) > 0 && c.User.Events > 0 {
		lines = append(lines, "new to "+c.who()+": "+strings.Join(user, ", "))
	}
	return lines
}

// listed returns "a, b and c".
func listed(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
