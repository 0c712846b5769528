// Package novelty describes what was known of an alert before its time: which of its
// values are new, and to whom.
package novelty

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// A Context holds exact counts as of the alert's first-seen time t, over the rule's
// history H. See before.Context of esquery for the events that each is about.
type Context struct {
	// History is the time from the oldest event of the rule's indices to t, at most H.
	// Young reports that it is shorter: values may look new because their source is.
	History  time.Duration
	Young    bool
	PairLast time.Time // when the pair was seen before, up to 2H before t; zero if it was not
	Terms    []Term    // one for each new-terms field
	// User counts all events of the first term, up to 2H before t.
	User       Seen
	Attributes []Attribute
	Missing    string // why there is nothing else; "" if there is
}

// Seen counts events before t. The zero time means that there is none, or that it is
// not known.
type Seen struct {
	Events      int64
	First, Last time.Time
}

// A Term is the value of a new-terms field alone.
type Term struct {
	Field string
	Seen
	Others int  // values that the other new-terms fields had with it; 100 is that many or more
	Absent bool // the value is the absence of the field
}

// An Attribute is another value of the alert's event.
type Attribute struct {
	Name   string // of its Property
	Field  string
	Value  string
	Seen       // of all events with it
	Users  int // other first terms that had it; 100 is that many or more
	OfUser Seen
}

// NewFields lists the new-terms fields whose value was not seen alone.
func (c Context) NewFields() []string {
	names := []string{}
	for _, t := range c.Terms {
		if t.Events == 0 {
			names = append(names, t.Field)
		}
	}
	return names
}

// Novelty counts the facts of "never, by anyone": the NewFields, the attributes without
// any event before and, if it had no event at all, the first term once more.
func (c Context) Novelty() int {
	n := len(c.NewFields())
	for _, a := range c.Attributes {
		if a.Events == 0 {
			n++
		}
	}
	if len(c.Terms) > 0 && c.User.Events == 0 {
		n++
	}
	return n
}

// NewToUser names the attributes that others had before, but not the first term.
func (c Context) NewToUser() []string {
	return c.named(func(a Attribute) bool { return a.Events > 0 && a.OfUser.Events == 0 })
}

// NewToEveryone names the attributes that nobody had before.
func (c Context) NewToEveryone() []string {
	return c.named(func(a Attribute) bool { return a.Events == 0 })
}

// named names attributes, each name once.
func (c Context) named(which func(Attribute) bool) []string {
	names := []string{}
	for _, a := range c.Attributes {
		if which(a) {
			names = appendOnce(names, a.Name)
		}
	}
	return names
}

const day = 24 * time.Hour

// Members returns the keys of an alert about its context, flat.
func (c Context) Members() map[string]any {
	if c.Missing != "" {
		return map[string]any{"newterms.context.missing": c.Missing}
	}
	terms, attributes := []any{}, []any{}
	for _, t := range c.Terms {
		one := t.members("")
		one["field"], one["others"] = t.Field, t.Others
		if t.Absent {
			one["absent"] = true
		}
		terms = append(terms, one)
	}
	for _, a := range c.Attributes {
		one := a.members("")
		maps.Copy(one, a.OfUser.members("user_"))
		one["name"], one["field"], one["value"], one["other_users"] = a.Name, a.Field, a.Value, a.Users
		attributes = append(attributes, one)
	}
	members := map[string]any{
		"newterms.context.young": c.Young, "newterms.new_fields": c.NewFields(), "newterms.novelty": c.Novelty(),
		"newterms.context.text": c.Text(), "newterms.context.history": days(c.History), "newterms.context.terms": terms, "newterms.context.user": c.User.members(""),
		"newterms.context.attributes": attributes, "newterms.context.new_to_everyone": c.NewToEveryone(), "newterms.context.new_to_user": c.NewToUser(),
	}
	if !c.PairLast.IsZero() {
		members["newterms.context.pair_last_seen"] = words.Stamp(c.PairLast)
	}
	return members
}

func (s Seen) members(prefix string) map[string]any {
	members := map[string]any{prefix + "events": s.Events}
	for name, at := range map[string]time.Time{"first_seen": s.First, "last_seen": s.Last} {
		if !at.IsZero() {
			members[prefix+name] = words.Stamp(at)
		}
	}
	return members
}

// days returns a duration in days, with at most three decimals.
func days(d time.Duration) float64 { return float64(d.Milliseconds()*1000/day.Milliseconds()) / 1000 }

// Of reads the context of a stored alert; nil if it has none.
func Of(document map[string]any) *Context {
	value, _ := elastic.Lookup(document, "newterms.context.terms")
	missing, _ := elastic.Lookup(document, "newterms.context.missing")
	c := Context{Missing: fields.Text(missing)}
	for _, t := range fields.Objects(value) {
		c.Terms = append(c.Terms, Term{fields.Text(t["field"]), seenOf(t, ""), int(number(t["others"])), t["absent"] == true})
	}
	if len(c.Terms) == 0 && c.Missing == "" {
		return nil
	}
	if value, ok := elastic.Lookup(document, "newterms.context.history"); ok {
		c.History = time.Duration(float(value) * float64(day)).Round(time.Second)
	}
	young, _ := elastic.Lookup(document, "newterms.context.young")
	c.Young = young == true
	if value, ok := elastic.Lookup(document, "newterms.context.pair_last_seen"); ok {
		c.PairLast = timeOf(value)
	}
	value, _ = elastic.Lookup(document, "newterms.context.user")
	for _, user := range fields.Objects([]any{value}) {
		c.User = seenOf(user, "")
	}
	value, _ = elastic.Lookup(document, "newterms.context.attributes")
	for _, a := range fields.Objects(value) {
		c.Attributes = append(c.Attributes, Attribute{
			fields.Text(a["name"]), fields.Text(a["field"]), fields.Text(a["value"]), seenOf(a, ""), int(number(a["other_users"])), seenOf(a, "user_"),
		})
	}
	return &c
}

func seenOf(object map[string]any, prefix string) Seen {
	return Seen{number(object[prefix+"events"]), timeOf(object[prefix+"first_seen"]), timeOf(object[prefix+"last_seen"])}
}

func timeOf(value any) time.Time {
	t, _ := time.Parse(time.RFC3339, fields.Text(value)) // the zero time if there is none
	return t.UTC()
}

func number(value any) int64 { return int64(float(value)) }

func float(value any) float64 {
	f, _ := strconv.ParseFloat(fields.Text(value), 64) // no number: 0
	return f
}

func appendOnce(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}
