// Package fields says which fields of an event an alert may have: those that the alerts
// template maps, with values that fit, and without names that alerts keep for
// themselves.
package fields

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"newterms/alerts/templates"
)

// alertTypes has the type of each mapped field by its path, "object" for parents.
var alertTypes = types(templates.AlertTypes())

type types map[string]string

// Type returns the type of a field of alerts; "object" for parents, "" if it is not
// mapped.
func Type(path string) string { return alertTypes[path] }

// OfEvents returns the type of each mapped field that comes from events, by its path;
// "object" for parents.
func OfEvents() map[string]string {
	events := maps.Clone(alertTypes)
	maps.DeleteFunc(events, func(path, _ string) bool { return IsOwn(path) })
	return events
}

// EventFields lists the fields of events that alerts have mapped, sorted.
func EventFields() []string { return eventFields(func(kind string) bool { return kind != "object" }) }

// EventDates lists those of EventFields that are dates.
func EventDates() []string { return eventFields(func(kind string) bool { return kind == "date" }) }

func eventFields(isWanted func(kind string) bool) []string {
	var paths []string
	for path, kind := range OfEvents() {
		if isWanted(kind) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// IsCopied reports whether alerts have a copy of a field, or of fields below it.
func IsCopied(path string) bool {
	top, _, _ := strings.Cut(path, ".")
	return path == "@timestamp" || top == "event" || top == "data_stream"
}

// Copied returns the field in which an alert has a copy of an event's field: of
// @timestamp, and of what is mapped of event.* and data_stream.*. It is "" for others.
func Copied(path string) string {
	copied := "kibana.alert.original_" + path
	switch {
	case path == "@timestamp":
		return "kibana.alert.original_time"
	case !IsCopied(path) || alertTypes[copied] == "":
		return ""
	}
	return copied
}

var isoDate = regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)

// IsISODate reports whether a text begins like a date in ISO 8601 with a time.
func IsISODate(text string) bool { return isoDate.MatchString(text) }

// Objects returns the objects of a decoded list, without its other values.
func Objects(value any) []map[string]any {
	list, _ := value.([]any)
	var all []map[string]any
	for _, one := range list {
		if object, ok := one.(map[string]any); ok {
			all = append(all, object)
		}
	}
	return all
}

// Text formats a value for people. Okta writes an unknown string as "null".
func Text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		if v == "null" {
			return ""
		}
		return v
	case []any:
		parts := make([]string, len(v))
		for i, element := range v {
			parts[i] = Text(element)
		}
		return strings.Join(parts, ", ")
	case []string:
		return strings.Join(v, ", ")
	case map[string]any:
		return ""
	default:
		return fmt.Sprint(v)
	}
}
