package before

import (
	"slices"
	"time"

	"newterms/esquery/query"
)

// A question makes the request of Contexts. Subjects of about the same time share
// most of their H, and many of their values. So a value is counted once for what its
// subjects share, and for each subject besides. Filters make no buckets; a filter for
// each subject over all of its H would read a frequent value once for each.
type question struct {
	all query.Compiled // selects the events
	// match has no fallback, unless some event lacks the primary timestamp: it would
	// triple the aggregations.
	match    query.Compiled
	history  time.Duration
	subjects []Subject
	groups   []group
}

// A group is consecutive subjects of about the same time. common is the time that is in
// the H of each. The values are the different terms, of matching events, and the
// attributes, of any events.
type group struct {
	first, end    int // of the subjects
	common        query.Range
	matching, any []value
}

// A value is the value of a field, and the fields whose other values are counted.
type value struct {
	field  string
	value  any
	others []string
}

func (g group) matchingValues() []value { return g.matching }
func (g group) anyValues() []value      { return g.any }

func (v value) is(other value) bool {
	return v.field == other.field && v.value == other.value
}

// groupsPerHistory is how many groups cover H.
const groupsPerHistory = 8

func newQuestion(match query.Compiled, fallback bool, history time.Duration, subjects []Subject) question {
	q := question{all: match, match: match, history: history, subjects: subjects}
	if !fallback {
		q.match.Search.Fallback = ""
	}
	for first := 0; first < len(subjects); {
		g := group{first: first, end: first + 1}
		span := spanOf(subjects[first:g.end])
		for g.end < len(subjects) {
			wider := spanOf(subjects[first : g.end+1])
			if wider.To.Sub(wider.From) > history/groupsPerHistory {
				break
			}
			span = wider
			g.end++
		}
		g.common = query.Range{From: span.To.Add(-history), To: span.From}
		for _, s := range subjects[first:g.end] {
			for _, v := range q.termsOf(s) {
				g.matching = addValue(g.matching, v)
			}
			for _, v := range q.attributesOf(s) {
				g.any = addValue(g.any, v)
			}
		}
		q.groups, first = append(q.groups, g), g.end
	}
	return q
}

func addValue(all []value, v value) []value {
	if slices.ContainsFunc(all, v.is) {
		return all
	}
	return append(all, v)
}

func (q question) termsOf(s Subject) []value {
	var all []value
	for n, field := range q.match.Search.Fields {
		all = append(all, value{field, s.Terms[n], slices.Delete(slices.Clone(q.match.Search.Fields), n, n+1)})
	}
	return all
}

func (q question) attributesOf(s Subject) []value {
	var all []value
	for _, a := range s.Attributes {
		all = append(all, value{a.Field, a.Value, q.match.Search.Fields[:1]})
	}
	return all
}

// fallback reports whether to ask for the times of events without the primary timestamp.
func (q question) fallback() bool { return q.match.Search.Fallback != "" }

// own is the H before a subject.
func (q question) own(s Subject) query.Range {
	return query.Range{From: s.At.Add(-q.history), To: s.At}
}

// spanOf returns the first and the last time of subjects.
func spanOf(subjects []Subject) query.Range {
	span := query.Range{From: subjects[0].At, To: subjects[0].At}
	for _, s := range subjects {
		if s.At.Before(span.From) {
			span.From = s.At
		}
		if s.At.After(span.To) {
			span.To = s.At
		}
	}
	return span
}
