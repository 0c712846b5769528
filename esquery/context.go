package esquery

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A Subject is a first occurrence, and what else its event has.
type Subject struct {
	Terms      Pair
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

// contextsAtOnce is how many Subjects a search has. Each takes about 60 aggregations, for
// each of which Elasticsearch reserves 5 kB in each shard.
const contextsAtOnce = 50

// ContextsAtOnce returns how many Subjects Contexts asks about in one search, so that
// its buckets stay below the limit of Elasticsearch.
func ContextsAtOnce(attributes, fields int) int {
	lists := attributes + fields*(fields-1)
	return max(1, min(contextsAtOnce, summaryBuckets/(1+(MaxOthers+1)*lists)))
}

// longestAsked is the number of bytes of a keyword that integrations index.
const longestAsked = 1_024

// CanAsk reports whether events with a value, as text, can be counted. A value that does
// not fit the field's type would fail the search, and a longer one is not indexed.
func (s *Source) CanAsk(field, value string) bool {
	if value == "" || len(value) > longestAsked || !s.IsGroupable(field) {
		return false
	}
	return !slices.ContainsFunc(s.Mapping.Fields[field].Types, func(kind string) bool {
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
// It is safe beside other methods, but not beside itself.
func (s *Source) Contexts(ctx context.Context, history time.Duration, subjects []Subject) ([]Context, error) {
	s = s.forContexts
	contexts, err := elastic.InHalves(subjects, func(subjects []Subject) ([]Context, error) {
		body := newContextBody(s.bodies, history, subjects)
		var answer contextAnswer
		if err := s.Ask(ctx, body.body(), &answer); err != nil {
			return nil, err
		}
		return body.read(answer)
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the context: %w", err)
	}
	return contexts, nil
}

// ContextRequest returns the request of Contexts, for people to read.
func (s *Source) ContextRequest(history time.Duration, subjects []Subject) Request {
	return Request{"context", "POST /" + strings.Join(s.search.Indices, ",") + "/_search", newContextBody(s.forContexts.bodies, history, subjects).body()}
}

// OldestOfAll returns the time of the oldest event in the indices that has the primary
// timestamp, matching or not. With fallback it is about events without it. ok is false
// if there is none.
func (s *Source) OldestOfAll(ctx context.Context, fallback bool) (oldest time.Time, ok bool, err error) {
	var answer query.TimesAnswer
	if err := s.forContexts.Ask(ctx, s.bodies.oldestOfAll(fallback), &answer); err != nil {
		return time.Time{}, false, fmt.Errorf("find the oldest event: %w", err)
	}
	oldest, ok = answer.Earliest()
	return oldest, ok, nil
}
