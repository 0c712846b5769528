package alert

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"newterms/alerts/fields"
	"newterms/esquery/elastic"
)

// maxRounds is how often a field that the target names is dropped, before all unmapped
// fields are.
const maxRounds = 8

// Shrink returns the alert with less of its event, for another attempt: without the
// field that the cause names, then with mapped values only, at last without the event.
// status and cause say why the target refused it. ok is false if nothing is left to
// drop.
func (a Alert) Shrink(status int, cause elastic.Cause) (smaller Alert, ok bool) {
	a.rounds++
	switch {
	case len(a.event.document)+len(a.event.copies) == 0:
		return a, false
	case status == http.StatusRequestEntityTooLarge:
		return a.with(nil, nil, "the event, because it is too large to write")
	}
	if a.rounds <= maxRounds {
		if smaller, ok := a.withoutNamed(cause); ok {
			return smaller, true
		}
	}
	if !a.mappedOnly {
		a.mappedOnly = true
		document, copies := a.event.parts()
		return a.with(mappedOnly(document), copies, "what is not mapped of the event")
	}
	return a.with(nil, nil, "the event, because the alerts target refuses it")
}

// with returns the alert with other parts of its event; lacks says what is missing. The
// ancestors still name the event, and the alert has its time. ok is false if the
// parts cannot be encoded.
func (a Alert) with(document, copies map[string]any, lacks string) (smaller Alert, ok bool) {
	if _, all := a.event.parts(); all["kibana.alert.original_time"] != nil && len(copies) == 0 {
		a.own = maps.Clone(a.own)
		a.own["kibana.alert.original_time"] = all["kibana.alert.original_time"]
	}
	event, err := eventOf(document, copies)
	event.reference = a.event.reference
	described := a.maker.describe(event, a.terms)
	a.event, a.described = event, &described
	a.LeftOut = append(slices.Clone(a.LeftOut), lacks)
	return a, err == nil
}

// bracketed matches the names of fields in Elasticsearch's reasons.
var bracketed = regexp.MustCompile(`\[([^\[\]]+)\]`)

// withoutNamed drops the first field of the event that the cause names, and its copy
// under original_event. ok is false if it names none.
func (a Alert) withoutNamed(cause elastic.Cause) (smaller Alert, ok bool) {
	document, copies := a.event.parts()
	for c := range cause.All() {
		for _, m := range bracketed.FindAllStringSubmatch(c.Reason, -1) {
			path := strings.Replace(m[1], "kibana.alert.original_event.", "event.", 1)
			path = strings.Replace(path, "kibana.alert.original_data_stream.", "data_stream.", 1)
			copied := "kibana.alert.original_" + path
			_, inEvent := elastic.Lookup(document, path)
			_, isCopied := copies[copied]
			if !inEvent && !isCopied {
				continue
			}
			removePath(document, path)
			delete(copies, copied)
			return a.with(document, copies, path)
		}
	}
	return a, false
}

// mappedOnly returns an event with only the fields that the template maps, without
// flattened fields, whose keys come from the event.
func mappedOnly(event map[string]any) map[string]any {
	kept := map[string]any{}
	for path, kind := range fields.OfEvents() {
		if kind == "object" || kind == "flattened" || kind == "geo_point" || path == "event.kind" || path == "@timestamp" {
			continue
		}
		if value, ok := elastic.Lookup(event, path); ok {
			elastic.Put(kept, path, value)
		}
	}
	return kept
}
