package explain

import (
	"encoding/json"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/inspect"
	"newterms/job/limits"
)

// header is what all answers begin with.
type header struct {
	Rule string `json:"rule"`
	// GivenAlert is the alert whose id was given; nil if values were. WouldWrite is
	// whether a run over the same data would write it.
	GivenAlert *alerts.StoredAlert `json:"alert,omitempty"`
	WouldWrite *bool               `json:"would_write,omitempty"`
	// Details are of the given alert; nil if values were given.
	Details *alerts.Details `json:"details,omitempty"`
	// Later is what the pair of the given alert did afterwards; nil if values were given.
	Later *Later `json:"later,omitempty"`
	// ContextRequest is the question that the context of the given alert comes from; nil
	// if it has no context.
	ContextRequest *esquery.Request `json:"context_request,omitempty"`
}

// Later is about the matching events of a pair after the first one of its alert.
type Later struct {
	Events int64     `json:"events"`
	Last   time.Time `json:"last,omitzero"`
	Until  time.Time `json:"until"` // exclusive
}

// A Pair says why a pair has alerts, or has none, in a window.
type Pair struct {
	header
	Pair  map[string]any `json:"pair"` // by new-terms field
	Terms []any          `json:"-"`    // the same, in the fields' order
	From  time.Time      `json:"from"` // of the window
	To    time.Time      `json:"to"`   // exclusive
	// Since is the beginning of the history. The fields below are about [Since, To).
	Since  time.Time `json:"since"`
	Events int64     `json:"events"` // matching events of the pair
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Days   Days      `json:"days,omitempty"`
	// Occurrences are ordered by time. They are the pair's first event in the window,
	// and each later one that is a first occurrence, has an alert, or follows a day
	// without events.
	Occurrences []Occurrence `json:"occurrences"`
	// Others are alerts whose first-seen time lies in the window but is not the time of
	// an occurrence. A run over the same data would not write them now.
	Others []alerts.StoredAlert `json:"other_alerts,omitempty"`
	// LetterCase lists, by field, the values in [Since, To) that differ from the given
	// one by letter case alone. They form other pairs.
	LetterCase map[string]Counts `json:"other_letter_case,omitempty"`
}

// Days are the numbers of events by UTC day, in order; in JSON an object.
type Days []Day

// A Day is a UTC day with events.
type Day struct {
	Day    time.Time
	Events int64
}

// MarshalJSON returns an object with the number of events by day, 2006-01-02.
func (d Days) MarshalJSON() ([]byte, error) {
	all := map[string]int64{}
	for _, one := range d {
		all[one.Day.Format(time.DateOnly)] = one.Events
	}
	return json.Marshal(all)
}

// An Occurrence is an event of a pair with its verdict.
type Occurrence struct {
	At              time.Time `json:"at"`
	FirstOccurrence bool      `json:"first_occurrence"`
	// LastSeen is the time of the pair's event before, zero if it is not in the
	// history.
	LastSeen time.Time `json:"last_seen,omitzero"`
	Event    string    `json:"event"`                  // index/id, or why it is unknown
	Before   string    `json:"event_before,omitempty"` // the event of LastSeen
	// Alert is the alert that makes a first occurrence already alerted, or the alert
	// first seen at the time of an event that is no first occurrence; else nil.
	Alert *alerts.StoredAlert `json:"alert,omitempty"`
	// NoAlert says why a first occurrence has no alert, and how to get one.
	NoAlert []string `json:"no_alert_because,omitempty"`
}

// Nothing says why no event of a window that has the given values matches.
type Nothing struct {
	header
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Values []Value   `json:"values"` // in the order of the rule's new-terms fields, then others by name
	// Of are the values that Mismatches is about: all of them, if some event has them
	// all. Otherwise it is the value that the fewest events have, or none if a value
	// has no event.
	Of []Value `json:"-"`
	// OfFields are the names of the fields of Of.
	OfFields []string `json:"of"`
	// Unmapped lists the fields of the rule, its exclusions and the given values that no
	// index maps.
	Unmapped []limits.MistypedField `json:"unmapped,omitempty"`
	inspect.Mismatches
}

// A Value is one of the given values.
type Value struct {
	inspect.ValueCount
	// Similar lists values that differ by letter case alone and, if no event has the
	// given value, other similar ones.
	Similar Counts `json:"similar,omitempty"`
	// NoSimilar reports that the cluster forbids the search for other similar values.
	NoSimilar bool `json:"similar_not_allowed,omitempty"`
	// OtherCase is the number of values in Similar that differ by letter case alone.
	OtherCase int `json:"-"`
}

// Counts are values with their numbers of events; in JSON an object.
type Counts []inspect.SimilarValue

// MarshalJSON returns an object with the number of events by value.
func (c Counts) MarshalJSON() ([]byte, error) {
	all := map[string]int64{}
	for _, v := range c {
		all[v.Value] = v.Events
	}
	return json.Marshal(all)
}
