package explain

import (
	"encoding/json"
	"time"

	"newterms/alerts"
	"newterms/esquery"
)

// named is what each answer begins with.
type named struct {
	Rule string `json:"rule"`
	// Asked is the alert whose id was given, and WouldWrite whether a run over the
	// same data would write it; nil if none was.
	Asked      *alerts.StoredAlert `json:"alert,omitempty"`
	WouldWrite *bool               `json:"would_write,omitempty"`
}

// A Pair answers why a pair has alerts, or has none, in a window.
type Pair struct {
	named
	Pair  map[string]any `json:"pair"` // by new-terms field
	Terms []any          `json:"-"`    // the same, in the fields' order
	From  time.Time      `json:"from"` // of the window
	To    time.Time      `json:"to"`   // exclusive
	// Since is where the history begins: all that follows is of [Since, To).
	Since  time.Time `json:"since"`
	Events int64     `json:"events"` // matching events of the pair
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Days   Days      `json:"days,omitempty"`
	// Occurrences are in order: the pair's first event in the window, and each
	// later one that is a first occurrence, has an alert, or follows a day without
	// any event.
	Occurrences []Occurrence `json:"occurrences"`
	// Others are alerts first seen in the window, at a time that is no occurrence:
	// a run over the same data would not write them now.
	Others []alerts.StoredAlert `json:"other_alerts,omitempty"`
	// LetterCase are, by field, values that differ from the one that was asked for by
	// letter case alone: they make other pairs. The events are of [Since, To).
	LetterCase map[string]Counts `json:"other_letter_case,omitempty"`
}

// Days counts the events of UTC days, in order; in JSON an object.
type Days []Day

// A Day is a UTC day with events.
type Day struct {
	Day    time.Time
	Events int64
}

// MarshalJSON gives the number of events by day, 2006-01-02.
func (d Days) MarshalJSON() ([]byte, error) {
	all := map[string]int64{}
	for _, one := range d {
		all[one.Day.Format(time.DateOnly)] = one.Events
	}
	return json.Marshal(all)
}

// An Occurrence is an event of a pair, and the verdict about it.
type Occurrence struct {
	At              time.Time `json:"at"`
	FirstOccurrence bool      `json:"first_occurrence"`
	// LastSeen is when the pair was seen before, zero if it was not in the history.
	LastSeen time.Time `json:"last_seen,omitzero"`
	Event    string    `json:"event"`                  // index/id, or why it is not known
	Before   string    `json:"event_before,omitempty"` // the event of LastSeen
	// Alert is the one because of which a run counts a first occurrence as already
	// alerted, or which was first seen at the time of what is none; else nil.
	Alert *alerts.StoredAlert `json:"alert,omitempty"`
	// NoAlert says what became of a first occurrence without an alert, and how to get
	// one.
	NoAlert []string `json:"no_alert_because,omitempty"`
}

// Nothing answers why no event of a window that has some values matches.
type Nothing struct {
	named
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Values []Value   `json:"values"` // in the order of the rule's new-terms fields
	// Of are the values of the events that the rest is about: all or, where each has
	// events and no event has all of them, the one that the fewest have. It is empty
	// if there is a value that no event has.
	Of []Value `json:"-"`
	// OfFields are the fields of Of.
	OfFields []string `json:"of"`
	esquery.Obstacles
}

// A Value is one that was asked for.
type Value struct {
	esquery.ValueCount
	// Similar are values like it: those that differ by letter case alone and, if no
	// event has it, others.
	Similar Counts `json:"similar,omitempty"`
	// NoSimilar tells that the cluster does not allow to ask for the latter.
	NoSimilar bool `json:"similar_not_allowed,omitempty"`
	// OtherCase is how many of Similar differ by letter case alone.
	OtherCase int `json:"-"`
}

// Counts are values with their events; in JSON an object.
type Counts []esquery.SimilarValue

// MarshalJSON gives the number of events by value.
func (c Counts) MarshalJSON() ([]byte, error) {
	all := map[string]int64{}
	for _, v := range c {
		all[v.Value] = v.Events
	}
	return json.Marshal(all)
}
