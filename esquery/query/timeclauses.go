package query

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A TimeClause limits by time which events a search matches, in the window and in the
// history.
type TimeClause struct {
	Text string // such as "@timestamp >= now-2d"
	// Relative reports that the limit moves with the time of the request.
	Relative bool
}

// TimeClauses lists the conditions on the fields that date events: of the query, the
// filters, the exclusions and the exceptions, in this order.
func (s Search) TimeClauses() []TimeClause {
	isTime := func(name string) bool {
		for _, dates := range []string{s.Timestamp, s.Fallback, "@timestamp", "event.ingested", "event.created"} {
			if dates != "" && elastic.Matches(name, dates) {
				return true
			}
		}
		return false
	}
	var found []TimeClause
	for _, q := range append([]kql.Query{s.Query}, s.Exclude...) {
		for _, c := range q.Clauses() {
			if c.Kind != "exists" && isTime(c.Field) {
				found = append(found, timeClause(c.Field, c.Kind, c.Values))
			}
		}
	}
	for _, f := range s.Filters {
		found = append(found, f.timeClauses(isTime)...)
	}
	for _, exception := range s.Exceptions {
		for _, e := range exception.Entries {
			if e.Kind != "exists" && isTime(e.Field) {
				found = append(found, timeClause(e.Field, "eq", e.Values))
			}
		}
	}
	return found
}

func timeClause(field, kind string, values []string) TimeClause {
	text := strings.Join(values, ", ")
	if kind != "range" {
		text = ": " + text
	} else {
		text = " " + text
	}
	return TimeClause{field + text, slices.ContainsFunc(values, isRelative)}
}

// isRelative reports whether a bound is date math from now.
func isRelative(value string) bool {
	return strings.HasPrefix(strings.TrimLeft(value, "<>= "), "now")
}

// timeClauses finds them at any depth of the filter's query.
func (f Filter) timeClauses(isTime func(string) bool) []TimeClause {
	var found []TimeClause
	var walk func(value any, inside string)
	walk = func(value any, inside string) {
		switch v := value.(type) {
		case []any:
			for _, element := range v {
				walk(element, inside)
			}
		case []map[string]any:
			for _, element := range v {
				walk(element, inside)
			}
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if isTime(name) && inside != "exists" {
					text, err := json.Marshal(v[name])
					if err == nil {
						found = append(found, TimeClause{fmt.Sprintf("%s %s %s", inside, name, text), strings.Contains(string(text), `"now`)})
					}
					continue
				}
				walk(v[name], name)
			}
		}
	}
	walk(f.Query, "")
	for _, of := range f.Of {
		found = append(found, of.timeClauses(isTime)...)
	}
	return found
}
