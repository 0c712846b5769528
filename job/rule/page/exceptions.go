package page

import (
	"fmt"
	"strings"
	"time"

	"newterms/esquery/query"
	"newterms/job/rule"
)

// An Exception is an exclusion of the settings, or an item of an exception list.
type Exception struct {
	// Name is the KQL of an exclusion, or the name of an item with that of its list.
	Name string `json:"name"`
	// Entries are the conditions of an item in Kibana's words. An event that matches
	// all of them is excluded. An exclusion has none.
	Entries []string   `json:"entries,omitempty"`
	Expires *time.Time `json:"expires,omitempty"` // from then on it excludes nothing; nil is never
	Expired bool       `json:"expired,omitempty"`
}

// exceptionsAt describes the exclusions of the settings and the items of the lists.
// Those that have expired come last.
func exceptionsAt(r rule.Rule, now time.Time) []Exception {
	var hold, expired []Exception
	for _, q := range r.Search.Exclude {
		hold = append(hold, Exception{Name: q.String()})
	}
	for _, e := range r.Exceptions {
		p := Exception{Name: e.Name}
		for _, entry := range e.Entries {
			p.Entries = append(p.Entries, entryText(entry))
		}
		if len(e.OSTypes) > 0 {
			p.Entries = append(p.Entries, "the operating system of the host is "+oneOf(e.OSTypes))
		}
		if !e.Expires.IsZero() {
			at := e.Expires.UTC()
			p.Expires, p.Expired = &at, !at.After(now)
		}
		if p.Expired {
			expired = append(expired, p)
		} else {
			hold = append(hold, p)
		}
	}
	return append(hold, expired...)
}

// entryText describes an entry as Kibana does.
func entryText(e query.Entry) string {
	is, matches, exists := "is", "matches", "exists"
	if e.Excluded {
		is, matches, exists = "is not", "does not match", "does not exist"
	}
	switch {
	case e.Kind == "nested":
		var of []string
		for _, one := range e.Of {
			of = append(of, entryText(one))
		}
		return fmt.Sprintf("one object of %s has: %s", e.Field, strings.Join(of, " and "))
	case e.Kind == "exists":
		return e.Field + " " + exists
	case e.Kind == "wildcard":
		return e.Field + " " + matches + " " + e.Values[0]
	case e.List != "":
		return fmt.Sprintf("%s %s in the list %s of %d", e.Field, is, e.List, len(e.Values)+len(e.Ranges))
	}
	return e.Field + " " + is + " " + oneOf(e.Values)
}

// maxEntryValues is how many values of an entry are named.
const maxEntryValues = 10

// oneOf names the first of some values.
func oneOf(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	text := strings.Join(values[:min(len(values), maxEntryValues)], ", ")
	if more := len(values) - maxEntryValues; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return "one of " + text
}
