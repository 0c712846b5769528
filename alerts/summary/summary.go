// Package summary describes all events of a pair in the window of its alert: an alert
// has only the first event, and must not hide the others.
package summary

import (
	"slices"
	"time"
	"unicode/utf8"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// A Summary is about the events of a pair in a window. Only pairs with several events
// have one.
type Summary struct {
	Events      int64
	First, Last time.Time // of the earliest and the latest event; zero if not known
	Fields      []Field   // in the order of FieldsOf
	Missing     string    // why there is nothing else; "" if there is
}

// A Field counts the values of a field.
type Field struct {
	Name string
	// Values are the most frequent ones, by falling number of events. There are none if
	// they are too many to be counted.
	Values []Value
	Others int64 // events with each other value, added up
}

// A Value is a value, as text, and the number of events that have it.
type Value struct {
	Text   string
	Events int64
}

const actorID = "okta.actor.id"

// ForPeople returns the summary with shorter values. byUnknown reports that the pair, or
// its first event, is of an unknown actor. What such a person may have typed is
// shortened so that it cannot be used as a password, also if only some events are of
// one.
func (s Summary) ForPeople(byUnknown bool) Summary {
	for _, f := range s.Fields {
		byUnknown = byUnknown || f.Name == actorID && (f.Others > 0 || slices.ContainsFunc(f.Values, func(v Value) bool { return fields.IsUnknownActor(v.Text) }))
	}
	s.Fields = slices.Clone(s.Fields)
	for i, f := range s.Fields {
		values := slices.Clone(f.Values)
		for n, v := range values {
			if byUnknown && fields.IsTyped(f.Name) {
				values[n].Text = ends(v.Text)
			} else {
				values[n].Text = cut(v.Text)
			}
		}
		s.Fields[i].Values = values
	}
	return s
}

// ends returns the first and last characters of a text: one of each, two of a long text,
// and none of a short one.
func ends(text string) string {
	r := []rune(text)
	switch n := len(r); {
	case n < 6:
		return "…"
	case n < 12:
		return string(r[:1]) + "…" + string(r[n-1:])
	default:
		return string(r[:2]) + "…" + string(r[n-2:])
	}
}

// longestValue is the number of bytes of a value that the template indexes.
const longestValue = 1_024

func cut(text string) string {
	if len(text) <= longestValue {
		return text
	}
	end := longestValue - len("…")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// Members returns the keys of an alert about a summary of ForPeople, flat.
func (s Summary) Members() map[string]any {
	if s.Missing != "" {
		return map[string]any{"newterms.summary.missing": s.Missing}
	}
	members := map[string]any{"newterms.summary.events": s.Events, "newterms.summary.text": s.Text()}
	for name, at := range map[string]time.Time{"first": s.First, "last": s.Last} {
		if !at.IsZero() {
			members["newterms.summary."+name] = words.Stamp(at)
		}
	}
	values, others := []any{}, []any{}
	for _, f := range s.Fields {
		for _, v := range f.Values {
			values = append(values, map[string]any{"field": f.Name, "value": v.Text, "events": v.Events})
		}
		if f.Others > 0 {
			others = append(others, map[string]any{"field": f.Name, "events": f.Others})
		}
	}
	members["newterms.summary.values"] = values
	if len(others) > 0 {
		members["newterms.summary.others"] = others
	}
	return members
}

// Of reads the summary of a stored alert; nil if it has none.
func Of(document map[string]any) *Summary {
	get := func(name string) any {
		value, _ := elastic.Lookup(document, "newterms.summary."+name)
		return value
	}
	at := func(name string) time.Time {
		t, _ := time.Parse(time.RFC3339, fields.Text(get(name))) // the zero time if there is none
		return t.UTC()
	}
	s := Summary{Events: number(get("events")), First: at("first"), Last: at("last"), Missing: fields.Text(get("missing"))}
	if s.Events == 0 && s.Missing == "" {
		return nil
	}
	of := func(field string) *Field {
		i := slices.IndexFunc(s.Fields, func(f Field) bool { return f.Name == field })
		if i < 0 {
			i, s.Fields = len(s.Fields), append(s.Fields, Field{Name: field})
		}
		return &s.Fields[i]
	}
	for _, one := range fields.Objects(get("values")) {
		f := of(fields.Text(one["field"]))
		f.Values = append(f.Values, Value{fields.Text(one["value"]), number(one["events"])})
	}
	for _, one := range fields.Objects(get("others")) {
		of(fields.Text(one["field"])).Others = number(one["events"])
	}
	return &s
}
