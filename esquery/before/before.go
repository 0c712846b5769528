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
}

// New returns the Asker of an opened search. Events that are deleted later do not fail
// it.
func New(opened *query.Opened) *Asker { return &Asker{opened: opened.AllowFewerShards()} }

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

// mostAtOnce is how many Subjects a search has. Each takes about 60 aggregations, for
// each of which Elasticsearch reserves 5 kB in each shard.
const mostAtOnce = 50

// maxBuckets is how many buckets an answer may have. Elasticsearch allows 65,536.
const maxBuckets = 50_000

// AtOnce returns how many Subjects Contexts asks about in one search, so that
// its buckets stay below the limit of Elasticsearch.
func AtOnce(attributes, fields int) int {
	lists := attributes + fields*(fields-1)
	return max(1, min(mostAtOnce, maxBuckets/(1+(MaxOthers+1)*lists)))
}

// LongestKeyword is the number of bytes of a keyword that integrations and alerts index: no
// query finds a longer one.
const LongestKeyword = 1_024

// CanAsk reports whether events with a value, as text, can be counted. A value that does
// not fit the field's type would fail the search, and a longer one is not indexed.
func (a *Asker) CanAsk(field, value string) bool {
	if value == "" || len(value) > LongestKeyword || !a.opened.IsGroupable(field) {
		return false
	}
	return !slices.ContainsFunc(a.opened.Mapping.Fields[field].Types, func(kind string) bool {
		var err error
		switch kind {
		case "keyword", "constant_keyword", "wildcard":
		case "ip":
			var ip netip.Addr
			if ip, err = netip.ParseAddr(value); ip.Zone() != "" {
				return true
			}
		case "boolean":
			return value != "true" && value != "false"
		case "long":
			_, err = strconv.ParseInt(value, 10, 64)
		default:
			return true
		}
		return err != nil
	})
}

// Contexts returns the Context of each subject, in their order. history is H.
func (a *Asker) Contexts(ctx context.Context, history time.Duration, subjects []Subject) ([]Context, error) {
	contexts, err := elastic.InHalves(subjects, func(subjects []Subject) ([]Context, error) {
		for {
			q := newQuestion(a.opened.Compiled, a.fallback, history, subjects)
			var found answer
			if err := a.opened.Ask(ctx, q.body(), &found); err != nil {
				return nil, err
			}
			if found.Undated.Count == 0 || a.fallback {
				return q.read(found)
			}
			a.fallback = true // once more
		}
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the context: %w", err)
	}
	return contexts, nil
}

// Body returns the body of the search of Contexts, for people to read.
func (a *Asker) Body(history time.Duration, subjects []Subject) query.DSL {
	return newQuestion(a.opened.Compiled, a.fallback, history, subjects).body()
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
