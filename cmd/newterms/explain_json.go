package main

import (
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job"
)

// The objects of explain --output json: one for each pair and, where none
// matches in the window, one that says why.

type pairObject struct {
	Rule        string             `json:"rule"`
	Pair        map[string]any     `json:"pair"`
	Asked       *alertObject       `json:"alert,omitempty"` // whose id was given
	WouldWrite  *bool              `json:"would_write,omitempty"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Since       time.Time          `json:"since"`
	Events      int64              `json:"events"`
	First       *time.Time         `json:"first,omitempty"`
	Last        *time.Time         `json:"last,omitempty"`
	Days        map[string]int64   `json:"days,omitempty"`
	Occurrences []occurrenceObject `json:"occurrences"`
	Others      []alertObject      `json:"other_alerts,omitempty"`
	// SameLetters are, by field, values that differ by letter case only.
	SameLetters map[string]map[string]int64 `json:"other_letter_case,omitempty"`
}

type occurrenceObject struct {
	At              time.Time    `json:"at"`
	FirstOccurrence bool         `json:"first_occurrence"`
	LastSeen        *time.Time   `json:"last_seen,omitempty"`
	Event           string       `json:"event"`
	Before          string       `json:"event_before,omitempty"`
	Alert           *alertObject `json:"alert,omitempty"`
	Why             []string     `json:"no_alert_because,omitempty"`
}

type alertObject struct {
	ID        string    `json:"id"`
	FirstSeen time.Time `json:"first_seen"`
	Status    string    `json:"status"`
	Written   time.Time `json:"written"`
	Run       string    `json:"run"`
}

func newAlertObject(a *alerts.Existing) *alertObject {
	if a == nil {
		return nil
	}
	return &alertObject{a.ID, a.FirstSeen, a.Status, a.Written, a.RunID}
}

func (e *explainPrinter) pairObject(x job.Explanation) pairObject {
	o := pairObject{
		Rule: e.rule.Name, Pair: map[string]any{}, From: x.Window.From, To: x.Window.To, Since: x.Since, Events: x.Events,
		First: known(x.First), Last: known(x.Last), Days: map[string]int64{}, Occurrences: []occurrenceObject{}, Asked: newAlertObject(e.alert),
	}
	for i, field := range e.rule.Search.Fields {
		o.Pair[field] = x.Terms[i]
	}
	for _, d := range x.Days {
		o.Days[d.Day.Format(time.DateOnly)] = d.Events
	}
	would := false
	for _, one := range x.Occurrences {
		object := occurrenceObject{At: one.At, FirstOccurrence: one.FirstOccurrence, LastSeen: known(one.LastSeen), Event: place(one.Event), Alert: newAlertObject(one.Alert)}
		if one.Before != nil {
			object.Before = place(one.Before)
		}
		if one.FirstOccurrence && one.Alert == nil {
			object.Why = e.why(one)
		}
		would = would || one.FirstOccurrence && e.alert != nil && one.At.Equal(e.alert.FirstSeen)
		o.Occurrences = append(o.Occurrences, object)
	}
	if e.alert != nil {
		o.WouldWrite = &would
	}
	for _, a := range x.Others {
		o.Others = append(o.Others, *newAlertObject(&a))
	}
	for field, values := range x.SameLetters {
		if o.SameLetters == nil {
			o.SameLetters = map[string]map[string]int64{}
		}
		o.SameLetters[field] = eventsOf(values)
	}
	return o
}

// eventsOf gives the number of events by value.
func eventsOf(values []esquery.SimilarValue) map[string]int64 {
	all := map[string]int64{}
	for _, v := range values {
		all[v.Value] = v.Events
	}
	return all
}

// known is nil for the zero time.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type obstaclesObject struct {
	Rule       string            `json:"rule"`
	Asked      *alertObject      `json:"alert,omitempty"`
	WouldWrite *bool             `json:"would_write,omitempty"`
	From       time.Time         `json:"from"`
	To         time.Time         `json:"to"`
	Values     []valueObject     `json:"values"`
	Of         []string          `json:"of"` // what follows is of events with these fields' values
	InWindow   int64             `json:"in_window"`
	Matching   int64             `json:"matching"`
	Before     int64             `json:"before"`
	After      int64             `json:"after"`
	Undated    int64             `json:"without_time"`
	Conditions []conditionObject `json:"conditions"`
}

type valueObject struct {
	Field   string           `json:"field"`
	Value   any              `json:"value"`
	Events  int64            `json:"events"`
	Ignored int64            `json:"not_indexed"`
	Similar map[string]int64 `json:"similar,omitempty"`
	// NoSimilar says that the cluster does not allow to ask for all of these.
	NoSimilar bool `json:"similar_not_allowed,omitempty"`
}

type conditionObject struct {
	Kind esquery.ConditionKind `json:"kind"`
	Text string                `json:"text"`
	Fail int64                 `json:"fail"`
	Only int64                 `json:"fail_nothing_else"`
}

func (e *explainPrinter) obstaclesObject(o *job.Obstacles) obstaclesObject {
	object := obstaclesObject{
		Rule: e.rule.Name, From: o.Window.From, To: o.Window.To, Of: []string{}, Asked: newAlertObject(e.alert),
		InWindow: o.InRange, Matching: o.Matching, Before: o.Before, After: o.After, Undated: o.Undated,
	}
	if e.alert != nil {
		object.WouldWrite = new(bool)
	}
	for _, v := range o.Values {
		similar := eventsOf(slices.Concat(v.SameLetters, v.Similar))
		object.Values = append(object.Values, valueObject{v.Field, v.Value, v.Events, v.Ignored, similar, v.NoSimilar})
	}
	for _, v := range o.Of {
		object.Of = append(object.Of, v.Field)
	}
	for _, c := range o.Conditions {
		object.Conditions = append(object.Conditions, conditionObject(c))
	}
	return object
}
