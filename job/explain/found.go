package explain

import (
	"cmp"
	"slices"
	"time"

	"newterms/esquery"
)

// maxFound is how many pairs are listed and explained that only have events with given
// values.
const maxFound = 20

// Found lists pairs that have matching events with given values of fields that are no
// new-terms fields of the rule.
type Found struct {
	header
	Given map[string]any `json:"given"` // by field; a new-terms field too
	From  time.Time      `json:"from"`
	To    time.Time      `json:"to"` // exclusive
	// Pairs are those with the most such events, these first. More is the number of others.
	Pairs []FoundPair `json:"pairs"`
	More  int         `json:"more_pairs"`
	// LetterCase lists, by field, values that differ from the given one by letter case
	// alone.
	LetterCase map[string]Counts `json:"other_letter_case,omitempty"`

	candidates []esquery.Candidate
}

// A FoundPair is a pair with its number of matching events that have the given values.
type FoundPair struct {
	Pair   map[string]any `json:"pair"`
	Terms  []any          `json:"-"` // the same, in the fields' order
	Events int64          `json:"events"`
}

// add keeps the candidates with the most events.
func (f *Found) add(candidates []esquery.Candidate) {
	all := append(f.candidates, candidates...)
	slices.SortStableFunc(all, func(a, b esquery.Candidate) int { return cmp.Compare(b.Events, a.Events) })
	if n := len(all) - maxFound; n > 0 {
		f.More, all = f.More+n, all[:maxFound]
	}
	f.candidates = all
}

// complete adds what was asked, and the pairs in words of the fields.
func (f *Found) complete(fields []string, q question) {
	f.Given = map[string]any{}
	for field, value := range q.values {
		f.Given[field] = value[0]
	}
	for _, c := range f.candidates {
		f.Pairs = append(f.Pairs, FoundPair{asPair(fields, c.Terms), c.Terms, c.Events})
	}
	for _, field := range q.others {
		if others := q.otherCase[field]; len(others) > 0 {
			if f.LetterCase == nil {
				f.LetterCase = map[string]Counts{}
			}
			f.LetterCase[field] = others
		}
	}
}

// asPair returns terms by field.
func asPair(fields []string, terms []any) map[string]any {
	pair := map[string]any{}
	for i, field := range fields {
		pair[field] = terms[i]
	}
	return pair
}
