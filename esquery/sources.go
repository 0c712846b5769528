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
type sources map[string]map[string]fieldAndSource

type fieldAndSource struct {
	had     bool // some _source had it
	without bool // some event had it, but not in its _source: an alias, copy_to and the like
	neither bool // some event that was asked for it did not have it
}

// lacking are the wanted fields that a source may lack, and all dates, which it may
// have in a format of its own: all wanted ones as long as no index is known.
func (s sources) lacking(wanted []wantedField) []dsl {
	fields := []dsl{}
	for _, w := range wanted {
		switch {
		case w.isDate:
			fields = append(fields, dsl{"field": w.name, "format": "strict_date_optional_time"})
		case !s.allHave(w.name):
			fields = append(fields, dsl{"field": w.name})
		}
	}
	return fields
}

func (s sources) allHave(name string) bool {
	for _, known := range s {
		if f := known[name]; !f.had || f.without {
			return false
		}
	}
	return len(s) > 0
}

// tell reports whether nothing was left out of hits that did not ask for the
// fields that all sources have. Where a source lacks such a field after all, the
// event has to be asked for it, once for each index: mostly it just has no value.
func (s sources) tell(hits []foundEvent, wanted []wantedField) bool {
	var unasked []string
	for _, w := range wanted {
		if !w.isDate && s.allHave(w.name) {
			unasked = append(unasked, w.name)
		}
	}
	return !slices.ContainsFunc(hits, func(hit foundEvent) bool {
		known := s[hit.Index]
		return known == nil && len(s) > 0 || slices.ContainsFunc(unasked, func(name string) bool {
			return !known[name].neither && !elastic.HasValueAt(hit.Source, name)
		})
	})
}

// learn takes hits, and the fields that they were asked for.
func (s sources) learn(hits []foundEvent, wanted []wantedField, asked []dsl) {
	isAsked := map[string]bool{}
	for _, field := range asked {
		isAsked[field["field"].(string)] = true
	}
	for _, hit := range hits {
		known := s[hit.Index]
		if known == nil {
			known = map[string]fieldAndSource{}
			s[hit.Index] = known
		}
		for _, w := range wanted {
			f := known[w.name]
			if w.isDate || f.had && f.neither && f.without {
				continue
			}
			switch {
			case elastic.HasValueAt(hit.Source, w.name):
				f.had = true
			case len(hit.Fields[w.name]) > 0:
				f.without = true
			case isAsked[w.name]:
				f.neither = true
			}
			known[w.name] = f
		}
	}
}
