// Package wanted decides which fields to fetch beside the source of an event.
package wanted

import (
	"slices"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// A Field is a mapped field of Search.Wanted.
type Field struct {
	name   string
	isDate bool
}

// Fields lists the mapped fields that an event is fetched with, each once. It leaves out
// those that identify events, and lists the dates among the latter. Dates with
// nanoseconds stay as they are.
func Fields(s query.Search, mapped kql.Fields) (fields []Field, foundByDates []string) {
	foundBy := append([]string{s.Timestamp, s.Fallback}, s.Fields...)
	isDate := func(name string) bool {
		types := mapped[name].Types
		return len(types) == 1 && types[0] == "date" && !mapped[name].Object
	}
	for _, name := range s.Wanted {
		field := Field{name, isDate(name)}
		if _, ok := mapped[name]; ok && !slices.Contains(foundBy, name) && !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	}
	for _, name := range foundBy {
		if isDate(name) {
			foundByDates = append(foundByDates, name)
		}
	}
	return fields, foundByDates
}

// Origins records, per index, which wanted fields its events have in _source.
// Those are not fetched again: to fetch all 74 fields of Okta's events made the answer
// twice as large, and took Elasticsearch several times as long.
type Origins struct {
	wanted []Field
	places elastic.Tree[int] // the position of each in wanted, from 1; 0 for parents
	known  map[string][]origin
}

// A Hit is an event of a search.
type Hit struct {
	Index  string           `json:"_index"`
	ID     string           `json:"_id"`
	Source elastic.Document `json:"_source"`
	Fields elastic.Fields   `json:"fields"`
	// Ignored lists the fields with a value that is not indexed.
	Ignored []string `json:"_ignored"`
	// Matched lists the named clauses that it matches: the optional fields that it has, or
	// the times at which it was located.
	Matched []string `json:"matched_queries"`
}

// An origin describes the wanted field at the same position.
type origin struct {
	inSource      bool // in some _source
	outsideSource bool // in some event, but not in its _source: an alias, copy_to and the like
	absent        bool // missing from some event that was fetched with it
}

// Know reports whether the origins in some index are known.
func (s *Origins) Know() bool { return len(s.known) > 0 }

// NewOrigins returns the origins of fields, of which nothing is known yet.
func NewOrigins(wanted []Field) *Origins {
	s := &Origins{wanted: wanted, known: map[string][]origin{}}
	for i, w := range wanted {
		s.places.Make(w.name).Value = i + 1
	}
	return s
}

// All selects all wanted fields.
func All(wanted []Field) []bool { return slices.Repeat([]bool{true}, len(wanted)) }

// ToFetch selects the wanted fields that a source may lack, and all dates, which it may
// have in a format of its own. Before any index is known it selects all.
func (s *Origins) ToFetch() []bool {
	toFetch := All(s.wanted)
	for i, w := range s.wanted {
		toFetch[i] = w.isDate || len(s.known) == 0
		for _, known := range s.known {
			toFetch[i] = toFetch[i] || !known[i].inSource || known[i].outsideSource
		}
	}
	return toFetch
}

// Optional lists the fields that are not fetched but that some sources lack. The search
// reports which of them each event has.
func (s *Origins) Optional(selected []bool) []string {
	var names []string
	for i, w := range s.wanted {
		for _, known := range s.known {
			if !selected[i] && known[i].absent {
				names = append(names, w.name)
				break
			}
		}
	}
	return names
}

// Options requests the selected fields: the fields option of a search.
func Options(wanted []Field, selected []bool) []query.DSL {
	fields := []query.DSL{}
	for i, w := range wanted {
		switch {
		case !selected[i]:
		case w.isDate:
			fields = append(fields, query.DSL{"field": w.name, "format": "strict_date_optional_time"})
		default:
			fields = append(fields, query.DSL{"field": w.name})
		}
	}
	return fields
}

// Learn records the origins of the fields in hits that were fetched with some fields.
// It returns false if the hits must be fetched with all fields. That happens if a
// source lacks a field that others have, usually because the event has no value. It
// happens once for each index; from then on the search reports whether an event has the
// field.
func (s *Origins) Learn(hits []Hit, selected []bool) bool {
	all := !slices.Contains(selected, false)
	for _, hit := range hits {
		known := s.known[hit.Index]
		if known == nil && !all {
			return false
		}
		if known == nil {
			known = make([]origin, len(s.wanted))
			s.known[hit.Index] = known
		}
		has := s.fieldsIn(hit.Source)
		for i, w := range s.wanted {
			switch {
			case w.isDate:
			case has[i]:
				known[i].inSource = true
			case len(hit.Fields[w.name]) > 0:
				known[i].outsideSource = true
			case selected[i]:
				known[i].absent = true
			case !known[i].absent || slices.Contains(hit.Matched, w.name):
				return false
			}
		}
	}
	return true
}

// fieldsIn reports which of the wanted fields a source has.
func (s *Origins) fieldsIn(source elastic.Document) []bool {
	has := make([]bool, len(s.wanted)+1)
	_ = s.places.In(source, func(position int) { has[position] = true }) // the source has been parsed before
	return has[1:]
}
