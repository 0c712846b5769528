// Package esquery reads the events of a rule's indices, which belong to others.
//
// A Source answers the questions of the new-terms algorithm: which pairs have events in
// a window (Candidates), when they were last seen before it (LastSeen), and which event
// was the first (Events). Every answer is complete or an error: a failed shard, a
// timeout or a skipped cluster never counts as "nothing found".
package esquery

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/esquery/stages"
	"newterms/esquery/wanted"
)

// defaultPageSize bounds the memory of a run: a page takes about 2.5 MB on the wire.
// Kibana uses the same, well below Elasticsearch's limits of 65,536 buckets in an
// answer and 65,536 values in a terms filter.
const defaultPageSize = 10_000

// A Pair is a value for each new-terms field, in order: a string, a json.Number, a
// bool, or nil for an absent value.
type Pair []any

// Key returns JSON that is equal for equal pairs only. JSON keeps "1" and 1 apart.
func (p Pair) Key() string {
	text := make([]byte, 0, 64)
	for _, term := range p {
		switch v := term.(type) {
		case string:
			text, _ = jsontext.AppendQuote(text, v) // even if it is not UTF-8
		case nil:
			text = append(text, "null"...)
		default:
			text = fmt.Append(text, v)
		}
		text = append(text, ',')
	}
	return string(text)
}

// A Candidate is a pair with matching events in a window.
type Candidate struct {
	Terms  Pair
	First  time.Time // of its earliest event in the window, UTC
	Events int64     // number of its events in the window
}

// An Event is a source document, with Search.Wanted, the fields of the pair and the
// timestamps.
type Event = elastic.Event

// A Source is an opened search, and what was learned of its events. It is not safe for
// concurrent use, except for Events and Summaries beside
// another method.
type Source struct {
	*query.Opened
	bodies
	// pageSize, eventsPageSize and summaryPageSize (0 at first) are numbers of buckets,
	// eventsAtOnce is how many candidates a search for events has, and maxHits its maximum
	// number of hits. A size shrinks if a request was too much.
	pageSize, eventsPageSize, summaryPageSize, eventsAtOnce, maxHits int

	exactly      bool // finds events by exact times, because ranges of time return too many
	splits       int  // how often events were fetched in halves: see maxSplits
	stages       stages.Stages
	fieldOrigins *wanted.Origins
	// forEvents and forSummaries are the Sources for Events and Summaries. What they learn
	// stays separate.
	forEvents, forSummaries *Source
}

// Open is query.Open and New.
func Open(ctx context.Context, c *elastic.Client, s query.Search) (*Source, error) {
	opened, err := query.Open(ctx, c, s)
	if err != nil {
		return nil, err
	}
	return New(opened), nil
}

// Opener returns Open with a client.
func Opener(c *elastic.Client) func(context.Context, query.Search) (*Source, error) {
	return func(ctx context.Context, s query.Search) (*Source, error) { return Open(ctx, c, s) }
}

// New returns the Source of an opened search.
func New(opened *query.Opened) *Source {
	search, fields := opened.Search, opened.Mapping.Fields
	_, mapped := fields[search.Timestamp]
	b := bodies{search: search, match: opened.Compiled, fallback: search.Fallback != "" && !mapped}
	b.wanted, b.foundByDates = wanted.Fields(search, fields)
	size := cmp.Or(search.PageSize, defaultPageSize)
	s := Source{
		Opened: opened, bodies: b, fieldOrigins: wanted.NewOrigins(b.wanted),
		pageSize: size, eventsPageSize: min(size, maxLocated), eventsAtOnce: min(size, firstEvents), maxHits: maxFound(maxEvents),
	}
	forEvents := s
	forEvents.Opened = opened.AllowFewerShards() // an event that is deleted later changes no conclusion
	forSummaries := forEvents
	s.forEvents, s.forSummaries = &forEvents, &forSummaries
	return &s
}

// Narrow returns a Source for only those events of s that have, in each of the fields,
// one of its values.
func (s *Source) Narrow(values query.Values) *Source {
	narrow := *s
	narrow.Opened = s.Opened.Narrow(values)
	narrow.match = narrow.Opened.Compiled
	return &narrow
}
