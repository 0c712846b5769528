package alerts

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"newterms/esquery/elastic"
)

// maxRounds is how often the target may name a field to be left out, before all
// that is not mapped is.
const maxRounds = 8

// smaller returns an alert that the target may take where it refused this one:
// without the field that the cause names, then with nothing of the event but
// mapped values, at last without the event. ok is false if there is no smaller
// one.
func (a Alert) smaller(o outcome) (smaller Alert, ok bool) {
	a.rounds++
	switch {
	case len(a.event.document)+len(a.event.original) == 0:
		return a, false
	case o.Status == http.StatusRequestEntityTooLarge:
		return a.with(map[string]any{}, map[string]any{}, "the event, because it is too large to write"), true
	}
	if a.rounds <= maxRounds {
		if smaller, ok := a.withoutNamed(o.Error); ok {
			return smaller, true
		}
	}
	if !a.mappedOnly {
		a.mappedOnly = true
		return a.with(mappedOnly(a.event.document), a.event.original, "what is not mapped of the event"), true
	}
	return a.with(map[string]any{}, map[string]any{}, "the event, because the alerts target refuses it"), true
}

// with is the alert with other parts of its event, and with what it lacks. The
// ancestors still tell where the event is, and when it was.
func (a Alert) with(document, original map[string]any, lacks string) Alert {
	if at, ok := a.event.original["kibana.alert.original_time"]; ok && len(original) == 0 {
		a.own = maps.Clone(a.own)
		a.own["kibana.alert.original_time"] = at
	}
	a.event = &Event{place: a.event.place, document: document, original: original}
	a.LeftOut = append(slices.Clone(a.LeftOut), lacks)
	return a
}

// bracketed is how Elasticsearch names fields in its reasons.
var bracketed = regexp.MustCompile(`\[([^\[\]]+)\]`)

// withoutNamed leaves out the first field of the event that the cause names, and
// its copy under original_event. ok is false if it names none.
func (a Alert) withoutNamed(cause elastic.Cause) (smaller Alert, ok bool) {
	for c := range cause.All() {
		for _, m := range bracketed.FindAllStringSubmatch(c.Reason, -1) {
			path := strings.Replace(m[1], "kibana.alert.original_event.", "event.", 1)
			path = strings.Replace(path, "kibana.alert.original_data_stream.", "data_stream.", 1)
			copied := "kibana.alert.original_" + path
			_, inEvent := elastic.Lookup(a.event.document, path)
			_, isCopied := a.event.original[copied]
			if !inEvent && !isCopied {
				continue
			}
			document, original := deepCopy(a.event.document), maps.Clone(a.event.original)
			removePath(document, path)
			delete(original, copied)
			return a.with(document, original, path), true
		}
	}
	return a, false
}

// mappedOnly builds an event anew from the values of the fields that the
// template maps, without flattened fields, whose keys are the event's.
func mappedOnly(event map[string]any) map[string]any {
	kept := map[string]any{}
	for path, kind := range alertsTemplate.types {
		if kind == "object" || kind == "flattened" || kind == "geo_point" || isOurs(path) || path == "event.kind" || path == "@timestamp" {
			continue
		}
		if value, ok := elastic.Lookup(event, path); ok {
			put(kept, path, value)
		}
	}
	return kept
}

// deepCopy copies objects, in lists too.
func deepCopy(object map[string]any) map[string]any {
	clone := make(map[string]any, len(object))
	for name, value := range object {
		clone[name] = copyOf(value)
	}
	return clone
}

func copyOf(value any) any {
	switch v := value.(type) {
	case map[string]any:
		return deepCopy(v)
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = copyOf(element)
		}
		return list
	}
	return value
}
