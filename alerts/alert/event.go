package alert

import (
	"fmt"
	"maps"
	"slices"

	"newterms/alerts/fields"
	"newterms/alerts/verbatim"
	"newterms/esquery/elastic"
)

// A SourceEvent is the event of a first occurrence.
type SourceEvent = elastic.Event

// An Event is the part of a source event that alerts keep. The alerts of all its pairs
// may share it; nothing changes it.
type Event struct {
	reference string // _index/_id, "" if it is not known
	// document holds the fields that fit the alerts template, without those of the
	// alert itself. copies holds flat kibana.alert.original_* keys. Both are members of
	// a JSON object, without its braces.
	document, copies []byte
	described        map[string]any // the document, or at least the fields that descriptions read
	ancestors        []any
	depth            int64
	leftOut          []string // fields that do not fit, or why there are none
	overrides        map[string]any
	extra            map[string]any // values of Maker.extra, by field
}

// valuesOf returns the values of some fields that an event has.
func valuesOf(from SourceEvent, names []string) map[string]any {
	values := map[string]any{}
	source, _ := elastic.Parse(from.Source) // no object: nil
	document, _ := source.(map[string]any)
	for _, name := range names {
		if value, ok := elastic.Lookup(document, name); ok {
			values[name] = value
		} else if mapped := from.Fields[name]; len(mapped) > 0 {
			values[name] = mapped
		}
	}
	return values
}

// Event returns the part of an event for the rule's alerts, and its overrides of the
// rule. Whatever the event holds, at least its index and id are kept.
func (m *Maker) Event(from SourceEvent) *Event {
	event := NewEvent(from)
	if len(m.extra) > 0 {
		event.extra = valuesOf(from, m.extra)
	}
	if len(m.overrides.Fields()) == 0 {
		return event
	}
	event.overrides = m.overrides.values(m.overrides.sourceFields(from.Source), from.Fields)
	return event
}

// NewEvent is Maker.Event for a rule without overrides.
func NewEvent(from SourceEvent) *Event {
	event, err := recovering(from, func(from SourceEvent) (*Event, error) {
		if event, ok := copyEvent(from); ok {
			return event, nil
		}
		return decodeEvent(from)
	})
	if err != nil {
		event, _ = decodeEvent(SourceEvent{Index: from.Index, ID: from.ID, Missing: "reading it failed with " + err.Error()})
	}
	return event
}

// recovering calls read, and turns its panic into an error.
func recovering(from SourceEvent, read func(SourceEvent) (*Event, error)) (event *Event, err error) {
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("%v", failure)
		}
	}()
	return read(from)
}

// copier copies the events that need no change.
var copier = verbatim.NewCopier(describedFields())

// copyEvent copies the text of the source. ok is false if decodeEvent is needed.
func copyEvent(from SourceEvent) (event *Event, ok bool) {
	if from.Missing+from.Lacks != "" {
		return nil, false
	}
	copied, ok := copier.Copy(from.Source, from.Fields)
	if !ok {
		return nil, false
	}
	e := &Event{reference: from.Place(), document: copied.Document, copies: copied.Copies, described: copied.Described}
	e.ancestors, e.depth = ancestorsOf(nil, from)
	return e, true
}

// decodeEvent decodes the source, adds the fields that it lacks, and removes those that
// do not fit.
func decodeEvent(from SourceEvent) (*Event, error) {
	document := map[string]any{}
	if len(from.Source) > 0 {
		value, err := elastic.Parse(from.Source)
		if err != nil {
			return nil, err
		}
		if object, ok := value.(map[string]any); ok {
			document = object
		}
	}
	addMissing(document, from.Fields)
	setDates(document, from.Fields)
	ancestors, depth := ancestorsOf(document, from)
	maps.DeleteFunc(document, func(name string, _ any) bool { return fields.IsOwn(name) })
	leftOut := append(removeMetadata(document), fields.Fit(document)...)
	if from.Missing != "" {
		leftOut = append(leftOut, "the event, because "+from.Missing)
	}
	if from.Lacks != "" {
		leftOut = append(leftOut, from.Lacks)
	}
	copies := copiesOf(document)
	removePath(document, "event.kind")
	delete(document, "@timestamp")
	e, err := eventOf(document, copies)
	e.reference, e.ancestors, e.depth, e.leftOut = from.Place(), ancestors, depth, leftOut
	return e, err
}

// eventOf returns an event of decoded parts.
func eventOf(document, copies map[string]any) (*Event, error) {
	e := &Event{described: document}
	var err error
	if e.document, err = membersOf(document); err == nil {
		e.copies, err = membersOf(copies)
	}
	return e, err
}

// parts returns the decoded parts of the event.
func (e *Event) parts() (document, copies map[string]any) {
	return objectOf(e.document), objectOf(e.copies)
}

func objectOf(members []byte) map[string]any {
	value, _ := elastic.Parse(slices.Concat([]byte("{"), members, []byte("}"))) // encoded by eventOf or copied
	object, _ := value.(map[string]any)
	return object
}

// eventDates are the dates that setDates may set.
var eventDates = fields.EventDates()

// setDates sets dates from the mapped fields if the source has them in a format that
// only its mapping knows, such as seconds.
func setDates(event map[string]any, mapped map[string][]any) {
	for _, path := range eventDates {
		value, ok := elastic.Lookup(event, path)
		if s, isText := value.(string); !ok || isText && fields.IsISODate(s) {
			continue
		}
		dates := slices.Clone(mapped[path])
		if len(dates) == 0 || slices.ContainsFunc(dates, func(d any) bool { return !fields.IsISODate(fields.Text(d)) }) {
			continue
		}
		removePath(event, path)
		if len(dates) == 1 {
			elastic.Put(event, path, dates[0])
		} else {
			elastic.Put(event, path, dates)
		}
	}
}

// copiesOf returns the copies of the event's fields, flat. The event itself has the
// other fields.
func copiesOf(event map[string]any) map[string]any {
	copies := map[string]any{}
	for top, value := range event {
		if !fields.IsCopied(top) {
			continue
		}
		for path, value := range leaves(map[string]any{top: value}) {
			if name := fields.Copied(path); name != "" {
				copies[name] = value
			}
		}
	}
	return copies
}
