package esquery

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A contextAnswer is the answer to contextBody.body.
type contextAnswer struct {
	Matching contextPart `json:"matching"`
	Any      contextPart `json:"any"`
}

type contextPart struct {
	Groups   byPosition[byPosition[countAnswer]] `json:"groups"`
	Subjects byPosition[subjectAnswer]           `json:"subjects"`
}

type subjectAnswer struct {
	Pair query.TimesAnswer `json:"pair"`
	User struct {
		countAnswer
		First query.TimesAnswer       `json:"first"`
		Own   byPosition[countAnswer] `json:"own"`
	} `json:"user"`
	Rest byPosition[countAnswer] `json:"rest"`
}

// A countAnswer is about the events with a value.
type countAnswer struct {
	elastic.DocCount
	query.TimesAnswer
	Others0 distinctAnswer `json:"others0"`
	Others1 distinctAnswer `json:"others1"`
}

type distinctAnswer struct {
	Buckets []struct {
		Key struct {
			Value jsontext.Value `json:"value"`
		} `json:"key"`
	} `json:"buckets"`
}

// add counts the events with a value in parts of a time, of which each event is in one.
func (v contextValue) add(before time.Time, parts ...countAnswer) Seen {
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
func (c contextBody) read(a contextAnswer) ([]Context, error) {
	contexts := make([]Context, 0, len(c.subjects))
	for _, part := range []contextPart{a.Matching, a.Any} {
		if len(part.Groups) != len(c.groups) || len(part.Subjects) != len(c.subjects) {
			return nil, fmt.Errorf("%w: it is about %d of %d alerts", elastic.ErrIncomplete, len(part.Subjects), len(c.subjects))
		}
	}
	for i, g := range c.groups {
		for n := g.first; n < g.end; n++ {
			s, matching, any := c.subjects[n], a.Matching.Subjects[n], a.Any.Subjects[n]
			one := Context{PairLast: latestBefore(s.At, matching.Pair), User: Seen{Events: any.User.Count, Last: latestBefore(s.At, any.User.TimesAnswer)}}
			one.User.First, _ = any.User.First.Earliest()
			terms, attributes := c.termsOf(s), c.attributesOf(s)
			common, rest := a.Matching.Groups[i], matching.Rest
			if len(common) != len(g.matching) || len(a.Any.Groups[i]) != len(g.any) || len(rest) != len(terms) ||
				len(any.Rest) != len(attributes) || len(any.User.Own) != len(attributes) {
				return nil, fmt.Errorf("%w: it lacks values of pair %v", elastic.ErrIncomplete, s.Terms)
			}
			for t, v := range terms {
				seen := v.add(s.At, common[slices.IndexFunc(g.matching, v.is)], rest[t])
				seen.Others = min(seen.Others, MaxOthers)
				one.Terms = append(one.Terms, seen)
			}
			for t, v := range attributes {
				own := any.User.Own[t]
				seen := v.add(s.At, a.Any.Groups[i][slices.IndexFunc(g.any, v.is)], any.Rest[t])
				if own.Count > 0 && s.Terms[0] != nil {
					seen.Others-- // the user's own
				}
				seen.Others = min(seen.Others, MaxOthers)
				one.Attributes = append(one.Attributes, AttributeSeen{Seen: seen, OfUser: own.Count, UserLast: latestBefore(s.At, own.TimesAnswer)})
			}
			contexts = append(contexts, one)
		}
	}
	return contexts, nil
}
