package before

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// An answer is that to question.body.
type answer struct {
	Matching part `json:"matching"`
	Any      part `json:"any"`
	// Undated counts the events without the primary timestamp, if nobody asked for them.
	Undated elastic.DocCount `json:"undated"`
}

// A part is about matching events, or about any.
type part struct {
	Groups   elastic.ByPosition[counted]                     `json:"groups"`
	Rest     elastic.ByPosition[elastic.ByPosition[counted]] `json:"rest"`
	Subjects elastic.ByPosition[subjectAnswer]               `json:"subjects"`
}

// counted are the answers to question.counts.
type counted = elastic.ByPosition[elastic.ByPosition[countAnswer]]

// of returns the count of a value; ok is false if the answer lacks it.
func of(a counted, values []value, v value) (count countAnswer, ok bool) {
	i, f := slices.IndexFunc(values, v.is), slices.Index(fieldsOf(values), v.field)
	if f >= len(a) || i >= len(a[f]) {
		return count, false
	}
	return a[f][i], true
}

// A subjectAnswer is the answer to question.pair, which has only times, or to
// question.user.
type subjectAnswer struct {
	elastic.DocCount
	query.TimesAnswer
	First query.TimesAnswer               `json:"first"`
	Own   elastic.ByPosition[countAnswer] `json:"own"`
}

// A countAnswer is about the events with a value.
type countAnswer struct {
	elastic.DocCount
	query.TimesAnswer
	Others0 distinctAnswer `json:"others0"`
	Others1 distinctAnswer `json:"others1"`
}

type distinctAnswer = elastic.Buckets[struct {
	Key struct {
		Value jsontext.Value `json:"value"`
	} `json:"key"`
}]

// add counts the events with a value in parts of a time, of which each event is in one.
func (v value) add(before time.Time, parts ...countAnswer) Seen {
	var s Seen
	others := make([]map[string]bool, len(v.others))
	isKnown := true
	for _, part := range parts {
		s.Events += part.Count
		last, ok := part.Latest()
		isKnown = isKnown && (!ok || last.Before(before))
		if ok && last.After(s.Last) {
			s.Last = last
		}
		for i, values := range []distinctAnswer{part.Others0, part.Others1}[:len(others)] {
			for _, b := range values.Buckets {
				if others[i] == nil {
					others[i] = map[string]bool{}
				}
				others[i][string(b.Key.Value)] = true
			}
		}
	}
	if !isKnown {
		s.Last = time.Time{}
	}
	for _, values := range others {
		s.Others += len(values)
	}
	return s
}

func latestBefore(before time.Time, a query.TimesAnswer) time.Time {
	last, ok := a.Latest()
	if !ok || !last.Before(before) {
		return time.Time{}
	}
	return last
}

// read returns the contexts of the subjects, in their order.
func (q question) read(a answer) ([]Context, error) {
	contexts := make([]Context, 0, len(q.subjects))
	for i, g := range q.groups {
		for n := g.first; n < g.end; n++ {
			s := q.subjects[n]
			terms, ok := q.seen(a.Matching, i, n, g.matching, q.termsOf(s))
			attributes, ok2 := q.seen(a.Any, i, n, g.any, q.attributesOf(s))
			if !ok || !ok2 || n >= len(a.Matching.Subjects) || n >= len(a.Any.Subjects) || len(a.Any.Subjects[n].Own) != len(attributes) {
				return nil, fmt.Errorf("%w: it lacks values of pair %d of %d", elastic.ErrIncomplete, n+1, len(q.subjects)) // terms may be a typed password
			}
			pair, user := a.Matching.Subjects[n], a.Any.Subjects[n]
			c := Context{PairLast: latestBefore(s.At, pair.TimesAnswer), User: Seen{Events: user.Count, Last: latestBefore(s.At, user.TimesAnswer)}}
			c.User.First, _ = user.First.Earliest()
			for _, seen := range terms {
				seen.Others = min(seen.Others, MaxOthers)
				c.Terms = append(c.Terms, seen)
			}
			for t, seen := range attributes {
				own := user.Own[t]
				if own.Count > 0 && s.Terms[0] != nil {
					seen.Others-- // the user's own
				}
				seen.Others = min(seen.Others, MaxOthers)
				c.Attributes = append(c.Attributes, AttributeSeen{Seen: seen, OfUser: own.Count, UserLast: latestBefore(s.At, own.TimesAnswer)})
			}
			contexts = append(contexts, c)
		}
	}
	return contexts, nil
}

// seen returns what a part of the answer says of the values of a subject: in its group's
// common time and in the rest. ok is false if it lacks some.
func (q question) seen(p part, groupAt, n int, ofGroup, values []value) (all []Seen, ok bool) {
	g := q.groups[groupAt]
	hasRest := q.rest(g, q.own(q.subjects[n])) != nil
	if groupAt >= len(p.Groups) || hasRest && (groupAt >= len(p.Rest) || n >= len(p.Rest[groupAt])) {
		return nil, false
	}
	for _, v := range values {
		common, ok := of(p.Groups[groupAt], ofGroup, v)
		var rest countAnswer
		if ok && hasRest {
			rest, ok = of(p.Rest[groupAt][n], values, v)
		}
		if !ok {
			return nil, false
		}
		all = append(all, v.add(q.subjects[n].At, common, rest))
	}
	return all, true
}
