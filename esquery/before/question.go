package before

import (
	"fmt"
	"slices"
	"time"

	"newterms/esquery/query"
)

// A question makes the request of Contexts, for subjects less than H apart. It cuts the
// time before them where the H of one begins or ends. In each slice between two cuts it
// counts all wanted values at once. So each event is read once, however many subjects
// share its values. What a subject wants to know is the sum of its slices.
//
// The slices are in three sections. The common one is a single slice, before each
// subject. A subject needs the end of the early one, and the beginning of the late one.
// So one list of other values a section is enough, with their last or first times.
type question struct {
	*Asker
	// match has no fallback, unless some event lacks the primary timestamp: it would
	// double the aggregations.
	match    query.Compiled
	history  time.Duration
	subjects []Subject
	// For each new-terms field, and for each field of the attributes.
	terms, attributes []column
}

// A column is the wanted values of a field, each once.
type column struct {
	field  string
	values []any
	others []string // fields whose values are listed
	below  *column  // counted of each value too; may be nil
	first  bool     // finds the first event too
}

func (a *Asker) question(history time.Duration, subjects []Subject) question {
	q := question{Asker: a, match: a.opened.Compiled, history: history, subjects: subjects}
	if !a.fallback {
		q.match.Search.Fallback = ""
	}
	fields := q.match.Search.Fields
	for n, field := range fields {
		q.terms = append(q.terms, column{field: field, others: slices.Delete(slices.Clone(fields), n, n+1)})
	}
	for _, s := range subjects {
		for n, term := range s.Terms {
			q.terms[n].add(term)
		}
		for _, at := range s.Attributes {
			n := q.position(at)
			if n < 0 {
				n, q.attributes = len(q.attributes), append(q.attributes, column{field: at.Field, others: fields[:1]})
			}
			q.attributes[n].add(at.Value)
		}
	}
	for n := range q.attributes {
		q.attributes[n].below = &column{field: fields[0], values: q.terms[0].values}
	}
	return q
}

func (c *column) add(value any) {
	if !slices.Contains(c.values, value) {
		c.values = append(c.values, value)
	}
}

// position returns that of an attribute's field; -1 if there is none yet.
func (q question) position(a Attribute) int {
	return slices.IndexFunc(q.attributes, func(c column) bool { return c.field == a.Field })
}

// asksFallback reports whether to ask for the times of events without the primary timestamp.
func (q question) asksFallback() bool { return q.match.Search.Fallback != "" }

// before is the time before a subject, some H long.
func (q question) before(s Subject, histories int) query.Range {
	return query.Range{From: s.At.Add(-time.Duration(histories) * q.history), To: s.At}
}

// The sections of the time before the subjects.
const (
	early = iota
	common
	late
	sections
)

// sections lists when the time before a subject, some H long, begins or ends: in
// milliseconds, ascending, each once. The early and the late section have no slice if all
// subjects are of the same time.
func (q question) sections(histories int) (all [sections][]int64) {
	for _, s := range q.subjects {
		of := q.before(s, histories)
		all[early], all[late] = append(all[early], of.From.UnixMilli()), append(all[late], of.To.UnixMilli())
	}
	for _, section := range []int{early, late} {
		slices.Sort(all[section])
		all[section] = slices.Compact(all[section])
	}
	all[common] = []int64{all[early][len(all[early])-1], all[late][0]}
	return all
}

// cuts lists those of all sections.
func (q question) cuts(histories int) []int64 {
	all := q.sections(histories)
	return append(all[early], all[late]...)
}

// absent is the key of the events without a field.
type absent struct{}

// key returns the key that an answer has for a value of a field.
func (q question) key(field string, value any) any {
	if value == nil {
		return absent{}
	}
	text, _ := q.canonical(field, fmt.Sprint(value))
	return text
}
