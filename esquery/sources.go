package esquery

import "newterms/esquery/elastic"

// A wantedField is one that is mapped and that Event.Fields shall have.
type wantedField struct {
	name   string
	isDate bool
}

// sources knows, for each index, the wanted fields that the _source of one of its
// events had. For these the mapping is not asked again: what an alias, a
// constant_keyword or a runtime field says, a _source never has. To ask for all
// 74 fields that Okta's events have made the answer twice as large, and took
// Elasticsearch several times as long.
type sources map[string]map[string]bool

// lacking are the wanted fields that the source of some known index may lack, and
// all dates, which a source may have in a format of its own: all wanted ones as
// long as no index is known.
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
	for _, had := range s {
		if !had[name] {
			return false
		}
	}
	return len(s) > 0
}

// tell reports whether the indices of all hits are known.
func (s sources) tell(hits []foundEvent) bool {
	for _, hit := range hits {
		if s[hit.Index] == nil {
			return len(s) == 0 // in which case all was asked for
		}
	}
	return true
}

func (s sources) learn(hits []foundEvent, wanted []wantedField) {
	for _, hit := range hits {
		had := s[hit.Index]
		if had == nil {
			had = map[string]bool{}
			s[hit.Index] = had
		}
		for _, w := range wanted {
			if !w.isDate && !had[w.name] && elastic.HasValueAt(hit.Source, w.name) {
				had[w.name] = true
			}
		}
	}
}
