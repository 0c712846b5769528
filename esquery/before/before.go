// Package before asks what was known of first occurrences before their time: which of
// their values are new, and to whom.
package before

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// An Asker asks about the events of a search, and about others of its indices. It is safe
// beside other users of the search, but not beside itself.
type Asker struct {
	opened *query.Opened
	// fallback makes it ask for the fallback's times too. It is set when an event without
	// the primary timestamp was seen, and stays set.
	fallback bool
	atOnce   int // Subjects in a search
}

// New returns the Asker of an opened search. Events that are deleted later do not fail
// it. It sends a request at most twice, because alerts wait for the answer.
func New(opened *query.Opened) *Asker {
	opened = opened.AllowFewerShards()
	opened.Client = opened.Client.Impatient()
	return &Asker{opened: opened, atOnce: mostAtOnce}
}

// A Subject is a first occurrence, and what else its event has.
type Subject struct {
	Terms      []any     // one for each new-terms field; nil for an absent value
	At         time.Time // of the first occurrence
	Attributes []Attribute
}

// An Attribute is a value of an event, as text, that CanAsk accepts.
type Attribute struct{ Field, Value string }

// A Context says what was known of a Subject before its time. H is the length of the
// rule's history. A matching event is one of the search. Any event is one of its
// indices, whether or not the search matches or excludes it. The user is the first term.
//
//	PairLast    latest matching event of the pair in [At − 2H, At)
//	Terms       each term alone: matching events with it in [At − H, At); Others counts
//	            the values that the other new-terms fields have in them
//	User        any event of the user in [At − 2H, At); Others is 0
//	Attributes  each value: any event with it in [At − H, At). Others counts the other
//	            users in them, OfUser and UserLast are about the user's own events
//
// The numbers are exact. Others counts up to MaxOthers, which stands for that many or
// more; absent values do not count. A time is zero if there is none. It is also zero if
// the latest event has several times, and one of them is not before At.
type Context struct {
	PairLast   time.Time
	Terms      []Seen
	User       Seen
	Attributes []AttributeSeen // in the Subject's order
}

// Seen counts the events with a value before a time.
type Seen struct {
	Events      int64
	First, Last time.Time // First is set for User only
	Others      int
}

// An AttributeSeen is about an Attribute.
type AttributeSeen struct {
	Seen
	OfUser   int64
	UserLast time.Time
}

// MaxOthers is up to how many other values are counted.
const MaxOthers = 100

// mostAtOnce is how many Subjects a search has at first. It has fewer once an answer had
// more buckets than the cluster allows: their number grows with the square of the Subjects.
const mostAtOnce = 500

// LongestKeyword is the number of bytes of a keyword that integrations and alerts index: no
// query finds a longer one.
const LongestKeyword = 1_024

// CanAsk reports whether events with a value, as text, can be counted. A value that does
// not fit the field's type would fail the search, and a longer one is not indexed.
func (a *Asker) CanAsk(field, value string) bool {
	_, fits := a.canonical(field, value)
	return fits && value != "" && len(value) <= LongestKeyword && a.opened.IsGroupable(field)
}

// canonical returns a value as Elasticsearch prints it. fits is false if it is not of the
// field's type, or the type is none of an Attribute.
func (a *Asker) canonical(field, value string) (text string, fits bool) {
	text, fits = value, true
	for _, kind := range a.opened.Mapping.Fields[field].Types {
		switch kind {
		case "keyword", "constant_keyword", "wildcard":
		case "boolean":
			fits = value == "true" || value == "false"
		case "ip":
			ip, err := netip.ParseAddr(value)
			if fits = err == nil && ip.Zone() == ""; fits {
				text = ip.Unmap().String()
			}
		case "long":
			n, err := strconv.ParseInt(value, 10, 64)
			if fits = err == nil; fits {
				text = strconv.FormatInt(n, 10)
			}
		default:
			return value, false
		}
	}
	return text, fits
}

// Contexts returns the Context of each subject, in their order. history is H. It asks
// about up to 500 in one search, and about fewer where that is too much. If an event
// has several times, it asks about each alone.
func (a *Asker) Contexts(ctx context.Context, history time.Duration, subjects []Subject) ([]Context, error) {
	var all []Context
	for len(all) < len(subjects) {
		rest := subjects[len(all):]
		q := a.question(history, a.together(history, rest))
		var found answer
		request := a.opened.Request(q.body())
		request.Omit = []string{"value_as_string", "from_as_string", "to_as_string", "from", "to", "doc_count_error_upper_bound", "sum_other_doc_count"} // 40 % of the answer
		err := a.opened.Diagnose(ctx, a.opened.Client.Search(ctx, request, &found))
		n := len(q.subjects)
		switch {
		case n > 1 && (elastic.TooMuchToAsk(err) || elastic.TooMuchToAnswer(err)):
			a.atOnce = (n + 1) / 2
			continue
		case err == nil && found.Undated.Count > 0 && !a.fallback:
			a.fallback = true
			continue
		case err == nil && n > 1 && found.hasSeveral():
			a.atOnce = 1
			continue
		}
		var some []Context
		if err == nil {
			some, err = q.read(found)
		}
		if err != nil {
			return nil, fmt.Errorf("ask for the context: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// together returns the first subjects that one search has: they are less than H apart.
func (a *Asker) together(history time.Duration, subjects []Subject) []Subject {
	subjects = subjects[:min(len(subjects), a.atOnce)]
	apart := func(s Subject) bool { return 2*s.At.Sub(subjects[0].At).Abs() >= history }
	if i := slices.IndexFunc(subjects, apart); i > 0 {
		return subjects[:i]
	}
	return subjects
}

// Body returns the body of the search of Contexts, for people to read.
func (a *Asker) Body(history time.Duration, subjects []Subject) query.DSL {
	return a.question(history, subjects).body()
}

// Oldest returns the time of the oldest event in the indices that has the primary
// timestamp, matching or not. With fallback it is about events without it. ok is false
// if there is none.
func (a *Asker) Oldest(ctx context.Context, fallback bool) (oldest time.Time, ok bool, err error) {
	var found query.TimesAnswer
	if err := a.opened.Ask(ctx, oldestBody(a.opened.Search, fallback), &found); err != nil {
		return time.Time{}, false, fmt.Errorf("find the oldest event: %w", err)
	}
	oldest, ok = found.Earliest()
	a.fallback = a.fallback || fallback && ok
	return oldest, ok, nil
}
