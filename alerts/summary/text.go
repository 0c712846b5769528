package summary

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Text says in one line what the events have in common, and in what they differ:
//
//	5 events: 5 logins from 203.0.113.78 (Bulwark Hosting), FAILURE
//
// It has no value that a person may have typed.
func (s Summary) Text() string {
	var counts, details []string
	where, network := "", ""
	for _, f := range s.Fields {
		one, isOne := f.only()
		switch p := propertyOf(f.Name); {
		case p.name == "address" && isOne:
			where = one
		case p.name == "address":
			where = f.Count()
		case p.name == "network" && isOne:
			network = one
		case p.isWord && len(f.Values) > 0 && len(f.Values) <= maxWords && f.Others == 0:
			details = append(details, f.words())
		case !isOne && f.Name != actorID:
			counts = append(counts, f.Count())
		}
	}
	text := fmt.Sprintf("%d events", s.Events)
	if len(counts) > 0 {
		text += ": " + strings.Join(counts, ", ")
	}
	switch {
	case where != "" && network != "":
		text += " from " + where + " (" + network + ")"
	case where+network != "":
		text += " from " + where + network
	}
	return strings.Join(append([]string{text}, details...), ", ")
}

// maxWords is how many values of a property a Text lists.
const maxWords = 3

// Several lists in what the events differ, such as "5 logins".
func (s Summary) Several() []string {
	var counts []string
	for _, f := range s.Fields {
		if _, isOne := f.only(); !isOne && f.Name != actorID {
			counts = append(counts, f.Count())
		}
	}
	return counts
}

// Label returns what the field is to people: "login", or the field's own name.
func (f Field) Label() string {
	if p := propertyOf(f.Name); p.name != "" {
		return p.name
	}
	return f.Name
}

// Count returns the number of values, such as "5 logins".
func (f Field) Count() string {
	number := fmt.Sprint(len(f.Values))
	switch {
	case len(f.Values) == 0:
		number = "too many"
	case f.Others > 0:
		number = "more than " + number
	}
	switch p := propertyOf(f.Name); {
	case p.name == "":
		return number + " values of " + f.Name
	case number == "1":
		return "1 " + p.name
	default:
		return number + " " + p.names
	}
}

// only returns the value of a field that has only one.
func (f Field) only() (value string, ok bool) {
	if len(f.Values) != 1 || f.Others > 0 {
		return "", false
	}
	return f.Values[0].Text, true
}

// words lists the values, with their numbers of events if they are several.
func (f Field) words() string {
	var words []string
	for _, v := range f.Values {
		word := v.Text
		if len(f.Values) > 1 {
			word = fmt.Sprintf("%s %d", v.Text, v.Events)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func number(value any) int64 {
	n, _ := value.(json.Number)
	i, _ := n.Int64() // no number: 0
	return i
}
