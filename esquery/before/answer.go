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
	Pairs      part   `json:"pairs"`
	Terms      part   `json:"terms"`
	Users      part   `json:"users"`
	Attributes part   `json:"attributes"`
	Dated      timing `json:"dated"`
	Undated    timing `json:"undated"`
}

// A timing counts events and their times.
type timing struct {
	elastic.DocCount
	Times struct {
		Value int64 `json:"value"`
	} `json:"times"`
}

// hasSeveral reports whether some event has several times, which may be in several slices.
func (a answer) hasSeveral() bool {
	return a.Dated.Times.Value > a.Dated.Count || a.Undated.Times.Value > a.Undated.Count
}

// A part is the answer to question.sliced.
type part struct {
	Dated   elastic.ByPosition[sectionAnswer] `json:"dated"`
	Undated elastic.ByPosition[sectionAnswer] `json:"undated"`
}

// A sectionAnswer has the answers of each slice, in their order, and the others of all of
// them, by the position of the field.
type sectionAnswer struct {
	Slices elastic.Buckets[elastic.ByPosition[eachAnswer]] `json:"slices"`
	Others elastic.ByPosition[eachAnswer]                  `json:"others"`
}

// An eachAnswer is the answer to each.
type eachAnswer struct {
	Values elastic.Buckets[countAnswer] `json:"values"`
	Absent countAnswer                  `json:"absent"`
}

// A countAnswer is about the events with a value.
type countAnswer struct {
	elastic.DocCount
	Key     jsontext.Value `json:"key"`
	Text    string         `json:"key_as_string"`
	Last    timeAnswer     `json:"last"`
	First   timeAnswer     `json:"first"`
	Others0 distinctAnswer `json:"others0"`
	Others1 distinctAnswer `json:"others1"`
	By      *eachAnswer    `json:"by"`
}

type timeAnswer struct {
	Value *float64 `json:"value"`
}

type distinctAnswer = elastic.Buckets[struct {
	Key jsontext.Value `json:"key"`
	At  timeAnswer     `json:"at"`
}]

// key is that of question.key.
func (c countAnswer) key() any {
	if c.Text == "true" || c.Text == "false" {
		return c.Text
	}
	if text, err := jsontext.AppendUnquote(nil, c.Key); err == nil {
		return string(text)
	}
	return string(c.Key)
}

// A path leads to a count: the position of a column, the key of a value, and the keys of
// values below it.
type path [4]any

// counts are those of a part, with their slices or their sections.
type counts map[path][]placed

type placed struct {
	place int
	*countAnswer
}

// counts returns those of a part by slice, and its others by section. ok is false if it
// lacks some.
func (p part) counts(slices, columns int, undated bool) (all, others counts, ok bool) {
	all, others = counts{}, counts{}
	both := [][]sectionAnswer{p.Dated}
	if undated {
		both = append(both, p.Undated)
	}
	for _, of := range both {
		n := 0
		for section, answer := range of {
			for _, slice := range answer.Slices.Buckets {
				if len(slice) != columns {
					return nil, nil, false
				}
				for i := range slice {
					all.add(n, path{i}, 1, &slice[i])
				}
				n++
			}
			for i := range answer.Others {
				others.add(section, path{i}, 1, &answer.Others[i])
			}
		}
		if n != slices {
			return nil, nil, false
		}
	}
	return all, others, true
}

// add adds the counts of values, whose key is at a depth of their path.
func (c counts) add(place int, at path, depth int, a *eachAnswer) {
	put := func(key any, of *countAnswer) {
		at[depth] = key
		c[at] = append(c[at], placed{place, of})
		if of.By != nil {
			c.add(place, at, depth+1, of.By)
		}
	}
	for i := range a.Values.Buckets {
		put(a.Values.Buckets[i].key(), &a.Values.Buckets[i])
	}
	if a.Absent.Count > 0 {
		put(absent{}, &a.Absent)
	}
}

// seen adds up the slices of a time.
func (c counts) seen(at path, cuts []int64, within query.Range) Seen {
	from, _ := slices.BinarySearch(cuts, within.From.UnixMilli())
	to, _ := slices.BinarySearch(cuts, within.To.UnixMilli())
	var s Seen
	isKnown := true
	for _, of := range c[at] {
		if of.place < from || of.place >= to {
			continue
		}
		s.Events += of.Count
		last, first := of.Last.time(), of.First.time()
		isKnown = isKnown && last.Before(within.To)
		if last.After(s.Last) {
			s.Last = last
		}
		if s.First.IsZero() || first.Before(s.First) {
			s.First = first
		}
	}
	if !isKnown {
		s.Last = time.Time{}
	}
	return s
}

// others counts the other values that come with a value within a time, up to MaxOthers
// + 1 of a field.
func (c counts) others(at path, within query.Range) (n int) {
	var all [2]map[string]bool
	for i := range all {
		all[i] = map[string]bool{}
		for _, of := range c[at] {
			for _, b := range [...]distinctAnswer{of.Others0, of.Others1}[i].Buckets {
				is := of.place == common || of.place == early && !b.At.time().Before(within.From) || of.place == late && b.At.time().Before(within.To)
				if is && len(all[i]) <= MaxOthers {
					all[i][string(b.Key)] = true
				}
			}
		}
		n += len(all[i])
	}
	return n
}

// time is the zero time if there is none.
func (a timeAnswer) time() time.Time {
	if a.Value == nil {
		return time.Time{}
	}
	return query.AtMillis(int64(*a.Value))
}

// read returns the contexts of the subjects, in their order.
func (q question) read(a answer) ([]Context, error) {
	once, twice := q.cuts(1), q.cuts(2)
	pairs, _, ok := a.Pairs.counts(len(twice)-1, 1, q.asksFallback())
	users, _, ok2 := a.Users.counts(len(twice)-1, 1, q.asksFallback())
	terms, otherTerms, ok3 := a.Terms.counts(len(once)-1, len(q.terms), q.asksFallback())
	attributes, otherUsers, ok4 := a.Attributes.counts(len(once)-1, len(q.attributes), q.asksFallback())
	if !ok || !ok2 || !ok3 || !ok4 && len(q.attributes) > 0 {
		return nil, fmt.Errorf("%w: it lacks values of some of %d pairs", elastic.ErrIncomplete, len(q.subjects)) // terms may be a typed password
	}
	contexts := make([]Context, len(q.subjects))
	for i, s := range q.subjects {
		c, pair, own, longer := &contexts[i], path{0}, q.before(s, 1), q.before(s, 2)
		for n, t := range q.terms {
			pair[n+1] = q.key(t.field, s.Terms[n])
			at := path{n, pair[n+1]}
			seen := terms.seen(at, once, own)
			seen.Others = min(otherTerms.others(at, own), MaxOthers)
			c.Terms = append(c.Terms, seen)
		}
		c.PairLast = pairs.seen(pair, twice, longer).Last
		c.User = users.seen(path{0, pair[1]}, twice, longer)
		for _, a := range s.Attributes {
			at := path{q.position(a), q.key(a.Field, a.Value)}
			seen, others := attributes.seen(at, once, own), otherUsers.others(at, own)
			at[2] = pair[1]
			user := attributes.seen(at, once, own)
			if user.Events > 0 && s.Terms[0] != nil {
				others-- // the user's own
			}
			seen.Others = min(others, MaxOthers)
			c.Attributes = append(c.Attributes, AttributeSeen{Seen: seen, OfUser: user.Events, UserLast: user.Last})
		}
	}
	return contexts, nil
}
