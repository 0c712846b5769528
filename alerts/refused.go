package alerts

import (
	"net/http"
	"regexp"
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
	a.LeftOut = append([]string{}, a.LeftOut...)
	switch {
	case a.event == nil:
		return a, false
	case o.Status == http.StatusRequestEntityTooLarge:
		return a.withoutEvent("it is too large to write"), true
	case a.rounds <= maxRounds && a.leaveOutNamed(o.Error):
		return a, true
	case !a.mappedOnly:
		a.mappedOnly = true
		a.event = mappedOnly(a.event)
		a.LeftOut = append(a.LeftOut, "what is not mapped of the event")
		return a, true
	default:
		return a.withoutEvent("the alerts target refuses it"), true
	}
}

// withoutEvent leaves only what newterms itself says. The ancestors still tell
// where the event is.
func (a Alert) withoutEvent(why string) Alert {
	ours := map[string]any{}
	for name, value := range a.ours {
		if !strings.HasPrefix(name, "kibana.alert.original_event.") && !strings.HasPrefix(name, "kibana.alert.original_data_stream.") {
			ours[name] = value
		}
	}
	a.ours, a.event = ours, nil
	a.LeftOut = append(a.LeftOut, "the event, because "+why)
	return a
}

// bracketed is how Elasticsearch names fields in its reasons.
var bracketed = regexp.MustCompile(`\[([^\[\]]+)\]`)

// leaveOutNamed removes the first field of the event that the cause names, and
// its copy under original_event. It returns false if it names none.
func (a *Alert) leaveOutNamed(cause elastic.Cause) bool {
	for c := range cause.All() {
		for _, m := range bracketed.FindAllStringSubmatch(c.Reason, -1) {
			path := strings.Replace(m[1], "kibana.alert.original_event.", "event.", 1)
			path = strings.Replace(path, "kibana.alert.original_data_stream.", "data_stream.", 1)
			copied := "kibana.alert.original_" + path
			_, inEvent := lookup(a.event, path)
			_, inOurs := a.ours[copied]
			if !inEvent && !inOurs {
				continue
			}
			event, ours := deepCopy(a.event), map[string]any{}
			removePath(event, path)
			for name, value := range a.ours {
				if name != copied {
					ours[name] = value
				}
			}
			a.event, a.ours = event, ours
			a.LeftOut = append(a.LeftOut, path)
			return true
		}
	}
	return false
}

// mappedOnly builds an event anew from the values of the fields that the
// template maps, without flattened fields, whose keys are the event's.
func mappedOnly(event map[string]any) map[string]any {
	kept := map[string]any{}
	for path, kind := range alertsTemplate.types {
		if kind == "object" || kind == "flattened" || kind == "geo_point" || isOurs(path) || path == "event.kind" || path == "@timestamp" {
			continue
		}
		if value, ok := lookup(event, path); ok {
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
