package alerts

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"newterms/esquery/elastic"
)

// A SourceEvent is the event that made a pair occur first.
type SourceEvent struct {
	Index, ID string         // "" if it is not known
	Source    map[string]any // nil if the index keeps no _source; NewEvent changes it
	// Fields are the mapped fields, for what the source lacks, with dates in RFC
	// 3339.
	Fields  map[string][]any
	Missing string // why the event cannot be had; "" if it is here
}

// An Event is what alerts keep of a source event. The alerts of all its pairs
// may share one; nothing changes it.
type Event struct {
	place     string         // _index/_id, "" if it is not known
	document  map[string]any // what of it fits the alerts template, without what alerts say themselves
	original  map[string]any // flat kibana.alert.original_* keys
	ancestors []any
	depth     int64
	leftOut   []string // what does not fit, or why there is nothing

	encode sync.Once
	json   []byte // of document and original, without braces
	err    error
}

// NewEvent takes what alerts can have of an event. There is always something,
// whatever the event holds: if nothing else helps, only where it is.
func NewEvent(from SourceEvent) (event *Event) {
	defer func() {
		if failure := recover(); failure != nil {
			from.Source, from.Fields, from.Missing = nil, nil, fmt.Sprintf("reading it failed with %v", failure)
			event = newEvent(from)
		}
	}()
	return newEvent(from)
}

func newEvent(from SourceEvent) *Event {
	document := from.Source
	if document == nil {
		document = map[string]any{}
	}
	addMissing(document, from.Fields)
	setDates(document, from.Fields)
	e := &Event{document: document}
	if from.ID != "" {
		e.place = from.Index + "/" + from.ID
	}
	e.ancestors, e.depth = ancestorsOf(document, from)
	maps.DeleteFunc(document, func(name string, _ any) bool { return isOurs(name) })
	e.leftOut = alertsTemplate.fit(document)
	if from.Missing != "" {
		e.leftOut = append(e.leftOut, "the event, because "+from.Missing)
	}
	e.original = originalOf(document)
	removePath(document, "event.kind")
	delete(document, "@timestamp")
	return e
}

// encoded is the event as members of a JSON object, "" if there are none.
func (e *Event) encoded() ([]byte, error) {
	e.encode.Do(func() {
		members := maps.Clone(e.document)
		maps.Copy(members, e.original)
		e.json, e.err = membersOf(members)
	})
	return e.json, e.err
}

// EventFields are the fields of events that alerts have mapped, sorted.
func EventFields() []string { return slices.Clone(alertsTemplate.event) }

var isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)

// setDates takes dates from the mapped fields where the source has them in a
// format that only its mapping knows, such as seconds.
func setDates(event map[string]any, fields map[string][]any) {
	for _, path := range alertsTemplate.dates {
		value, ok := elastic.Lookup(event, path)
		if s, isText := value.(string); !ok || isText && isoDate.MatchString(s) {
			continue
		}
		dates := slices.Clone(fields[path])
		if len(dates) == 0 || slices.ContainsFunc(dates, func(d any) bool { return !isoDate.MatchString(text(d)) }) {
			continue
		}
		removePath(event, path)
		if len(dates) == 1 {
			put(event, path, dates[0])
		} else {
			put(event, path, dates)
		}
	}
}

// originalOf copies event.* and data_stream.* of the source event, flat, as far as
// they are mapped, and its @timestamp. The event itself has the rest once.
func originalOf(event map[string]any) map[string]any {
	original := map[string]any{}
	if at, ok := elastic.Lookup(event, "@timestamp"); ok {
		original["kibana.alert.original_time"] = at
	}
	for name, value := range event {
		if top, _, _ := strings.Cut(name, "."); top != "event" && top != "data_stream" {
			continue
		}
		for path, value := range leaves(map[string]any{name: value}) {
			if name := "kibana.alert.original_" + path; alertsTemplate.types[name] != "" {
				original[name] = value
			}
		}
	}
	return original
}

// ancestorsOf names the source event, as far as it is known. If that is itself
// an alert, its own ancestors come first and the new alert is one deeper.
func ancestorsOf(event map[string]any, f SourceEvent) (ancestors []any, depth int64) {
	source := map[string]any{"type": "event", "depth": 0}
	if f.ID != "" {
		source["id"], source["index"] = f.ID, f.Index
	}
	before, isAlert := elastic.Lookup(event, "kibana.alert.ancestors")
	if !isAlert {
		return []any{source}, 1
	}
	depth = min(max(integer(firstOf(event, "kibana.alert.depth")), 0), maxDepth)
	source["type"], source["depth"] = "signal", depth
	if rule, ok := firstOf(event, "kibana.alert.rule.uuid").(string); ok {
		source["rule"] = rule
	}
	list, _ := before.([]any)
	for _, one := range list {
		if ancestor := asAncestor(one); ancestor != nil {
			ancestors = append(ancestors, ancestor)
		}
	}
	return append(ancestors, source), depth + 1
}

// maxDepth is more than any chain of alerts on alerts has.
const maxDepth = 1000

// asAncestor keeps what an ancestor of an alert may have, or returns nil.
func asAncestor(value any) map[string]any {
	found, _ := value.(map[string]any)
	ancestor := map[string]any{}
	for _, name := range []string{"id", "index", "type", "rule"} {
		if s, ok := found[name].(string); ok {
			ancestor[name] = s
		}
	}
	if len(ancestor) == 0 {
		return nil
	}
	ancestor["depth"] = min(max(integer(found["depth"]), 0), maxDepth)
	return ancestor
}

// isOurs reports whether a top-level key of a source event is one that only an
// alert may carry.
func isOurs(name string) bool {
	top, _, _ := strings.Cut(name, ".")
	return top == "kibana" || top == "signal" || top == "newterms" || top == "threshold_result"
}
