package esquery

import (
	"slices"

	"newterms/esquery/elastic"
)

// A wantedField is one that is mapped and that Event.Fields shall have.
type wantedField struct {
	name   string
	isDate bool
}

// sources knows of each index how the wanted fields of its events are to the
// _source. Those that a _source has are not asked for again: to ask for all 74
// fields that Okta's events have made the answer twice as large, and took
// Elasticsearch several times as long.
type sources struct {
	wanted []wantedField
	places elastic.Tree[int] // the position of each in wanted, from 1; 0 for parents
	known  map[string][]fieldAndSource
}

// fieldAndSource is of the field that has the same position in wanted.
type fieldAndSource struct {
	had     bool // some _source had it
	without bool // some event had it, but not in its _source: an alias, copy_to and the like
	neither bool // some event that was asked for it did not have it
}

func newSources(wanted []wantedField) *sources {
	s := &sources{wanted: wanted, known: map[string][]fieldAndSource{}}
	for i, w := range wanted {
		s.places.Make(w.name).Value = i + 1
	}
	return s
}

// everyOf tells to ask for all wanted fields.
func everyOf(wanted []wantedField) []bool { return slices.Repeat([]bool{true}, len(wanted)) }

// lacking tells which of the wanted fields a source may lack, and all dates, which
// it may have in a format of its own: all wanted ones as long as no index is known.
func (s *sources) lacking() []bool {
	lacking := everyOf(s.wanted)
	for i, w := range s.wanted {
		lacking[i] = w.isDate || len(s.known) == 0
		for _, known := range s.known {
			lacking[i] = lacking[i] || !known[i].had || known[i].without
		}
	}
	return lacking
}

// optional names the fields, of those that are not asked for, that some sources
// lack: they tell of each event whether it has the field all the same.
func (s *sources) optional(asked []bool) []string {
	var names []string
	for i, w := range s.wanted {
		for _, known := range s.known {
			if !asked[i] && known[i].neither {
				names = append(names, w.name)
				break
			}
		}
	}
	return names
}

// fieldsOf asks for those of the wanted fields.
func fieldsOf(wanted []wantedField, asked []bool) []dsl {
	fields := []dsl{}
	for i, w := range wanted {
		switch {
		case !asked[i]:
		case w.isDate:
			fields = append(fields, dsl{"field": w.name, "format": "strict_date_optional_time"})
		default:
			fields = append(fields, dsl{"field": w.name})
		}
	}
	return fields
}

// learn takes hits, and which fields they were asked for. It returns false if they
// have to be asked for all: where a source lacks a field after all that others
// have, the event is asked for it, once for each index, and from then on whether
// it has the field. Mostly it just has no value.
func (s *sources) learn(hits []foundEvent, asked []bool) bool {
	all := !slices.Contains(asked, false)
	for _, hit := range hits {
		known := s.known[hit.Index]
		if known == nil && !all {
			return false
		}
		if known == nil {
			known = make([]fieldAndSource, len(s.wanted))
			s.known[hit.Index] = known
		}
		has := s.fieldsIn(hit.Source)
		for i, w := range s.wanted {
			switch {
			case w.isDate:
			case has[i]:
				known[i].had = true
			case len(hit.Fields[w.name]) > 0:
				known[i].without = true
			case asked[i]:
				known[i].neither = true
			case !known[i].neither || slices.Contains(hit.Matched, w.name):
				return false
			}
		}
	}
	return true
}

// fieldsIn tells which of the wanted fields a source has.
func (s *sources) fieldsIn(source elastic.Document) []bool {
	has := make([]bool, len(s.wanted)+1)
	_ = s.places.In(source, func(position int) { has[position] = true }) // it was read before
	return has[1:]
}
