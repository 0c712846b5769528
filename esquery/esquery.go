// Package esquery reads what others own: the events of a rule's indices.
//
// A Source answers the questions of the new-terms algorithm: which pairs have
// events in a window (Candidates), when they were last seen before it
// (LastSeen), and which event was the first (Events). Every answer is
// complete or an error: a failed shard, a timeout or a skipped cluster is
// never read as "nothing found".
package esquery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Search says which events a rule matches, and what makes a pair of them.
type Search struct {
	Indices []string    // names and patterns; those that match nothing are ignored
	Query   kql.Query   // what an event must match
	Filters []Filter    // besides Query
	Exclude []kql.Query // events that match one are as if they were not there
	// Exceptions leave out events as well, as the exception lists of the rule say.
	Exceptions []Exception
	Fields     []string // the new-terms fields, one to three
	// Timestamp is the field that dates an event, and Fallback the one that
	// dates those that lack it; "" if there is none.
	Timestamp, Fallback string
	// MissingTerms makes an absent value a term of its own, nil. Otherwise an
	// event that lacks a new-terms field has no pair.
	MissingTerms bool
	// Wanted are fields that Event.Fields shall have, as their mapping has them.
	Wanted []string
	// PageSize is the number of pairs asked for at once; 0 is defaultPageSize.
	PageSize int
}

// defaultPageSize bounds the memory of a run: a page takes about 2.5 MB on the
// wire. It is also Kibana's, well below Elasticsearch's limits of 65,536
// buckets in an answer and 65,536 values in a terms filter.
const defaultPageSize = 10_000

// A Range of time is half-open: From is inside, To is not. Both are read in
// whole milliseconds.
type Range struct{ From, To time.Time }

// A Pair is a value for each new-terms field, in order: a string, a json.Number, a
// bool, or nil for an absent value.
type Pair []any

// Key is equal for equal pairs alone. It is JSON, which keeps "1" and 1 apart.
func (p Pair) Key() string {
	text := make([]byte, 0, 64)
	for _, term := range p {
		switch v := term.(type) {
		case string:
			text, _ = jsontext.AppendQuote(text, v) // also what is no UTF-8
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

// An Event is a source document.
type Event struct {
	Index, ID string // "" if it is gone
	Source    []byte // a JSON object; nil if the index keeps no _source, or if it is Missing
	// Fields holds Search.Wanted and the fields of the pair and the timestamps, as
	// far as the event has them, as the mapping has them: also what _source lacks,
	// such as alias and constant_keyword fields. Dates are in RFC 3339.
	Fields map[string][]any
	// Missing says why the event cannot be had, "" if it is here, and Lacks what of
	// it cannot, and why.
	Missing, Lacks string
}

// A Source is a Search against a cluster whose field types are known. It is not
// safe for concurrent use, except that Events may be asked for beside the rest.
type Source struct {
	client *elastic.Client
	bodies
	// The sizes of a page of pairs and of located events, which shrink where one
	// was too much, how many events are asked for at once, and how many hits there
	// may be.
	pageSize, eventsPageSize, eventsAtOnce, mostHits int

	opened    mapping         // as the indices were
	shards    *elastic.Shards // that answered
	confirmed int             // how many of these there were when they were found unchanged

	exactly      bool // asks for events by their exact times, because by ranges of time it finds too many
	splits       int  // how often events were fetched in halves: see maxSplits
	stages       stages
	sources      *sources
	fields       kql.Fields
	textNetworks []TextNetwork
	// forEvents is what asks for events. What it learns it learns by itself.
	forEvents *Source
}

func newSource(c *elastic.Client, b bodies) *Source {
	size := cmp.Or(b.search.PageSize, defaultPageSize)
	s := Source{client: c, bodies: b, shards: &elastic.Shards{}, sources: newSources(b.wanted), pageSize: size, eventsPageSize: min(size, mostLocated), eventsAtOnce: min(size, firstEvents), mostHits: mostFound(mostEvents)}
	forEvents := s
	forEvents.shards = nil // an event that is gone since then takes nothing from what was concluded
	s.forEvents = &forEvents
	return &s
}

// Open asks for the types of the fields that the search names, in one request,
// and compiles the query with them. Its errors are a *NotFoundError if there
// is nothing to search, a *kql.FieldError, *TypeError or *MappingError if the
// search does not fit the mapping, or what a request returns.
func Open(ctx context.Context, c *elastic.Client, s Search) (*Source, error) {
	return NewMappings(s).Open(ctx, c, s)
}

func open(c *elastic.Client, s Search, m mapping) (*Source, error) {
	query, err := s.compile(m.fields)
	if err != nil {
		return nil, err
	}
	for _, name := range s.fieldNames() {
		if err := m.check(s, name); err != nil {
			return nil, err
		}
	}
	if err := m.checkLists(s); err != nil {
		return nil, err
	}
	_, mapped := m.fields[s.Timestamp]
	b := bodies{search: s, query: query, fallback: s.Fallback != "" && !mapped}
	b.wanted, b.foundByDates = m.wanted(s)
	b.reaches = m.reaches(s.needed())
	source := newSource(c, b)
	source.opened, source.fields, source.textNetworks = m, m.fields, m.textNetworks(s)
	return source, nil
}

// PassedOver names what of the search's indices cannot be seen.
func (s *Source) PassedOver() []Unavailable { return s.opened.passedOver }

// TextNetworks are those of the search's exclusions, one for each field.
func (s *Source) TextNetworks() []TextNetwork { return s.textNetworks }

// Hash identifies what the search reads, in hex: the indices, the query with its
// filters and exclusions, the fields and the timestamps, and whether an absent
// value is a term. The order of indices and exclusions does not count.
func (s Search) Hash() (string, error) {
	exclude := make([]string, len(s.Exclude))
	for i, q := range s.Exclude {
		exclude[i] = q.String()
	}
	read := []any{
		sortedOnce(slices.Clone(s.Indices)), s.Query.String(), s.Filters, sortedOnce(exclude), s.Fields, s.Timestamp, s.Fallback, s.MissingTerms,
	}
	if len(s.Exceptions) > 0 {
		read = append(read, s.Exceptions)
	}
	text, err := json.Marshal(read)
	if err != nil {
		return "", fmt.Errorf("identify the search: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Scope is the Hash without exclusions and exceptions. Scheduled runs follow each
// other by it: what was excluded at the time was looked at.
func (s Search) Scope() (string, error) {
	s.Exclude, s.Exceptions = nil, nil
	return s.Hash()
}

// fieldNames are the fields that decide which events match and what they are,
// sorted, each once.
func (s Search) fieldNames() []string {
	names := append(s.Query.Names(), s.Fields...)
	for _, q := range s.Exclude {
		names = append(names, q.Names()...)
	}
	for _, f := range s.Filters {
		names = append(names, f.names()...)
	}
	for _, e := range s.Exceptions {
		names = append(names, e.names()...)
	}
	names = append(names, s.Timestamp)
	if s.Fallback != "" {
		names = append(names, s.Fallback)
	}
	return sortedOnce(names)
}

// PlainNames are the fields that decide which events match and what they are, sorted,
// but for patterns and paths of nested groups.
func (s Search) PlainNames() []string {
	names := s.fieldNames()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.Contains(name, "*") || slices.Contains(names, name+".*")
	})
}

// known are the fields that Kibana knows when it compiles the query and the filters.
func (s Search) known(fields kql.Fields) kql.Fields {
	return s.Query.Known(fields, keysOf(s.Filters)...)
}

func sortedOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// request is a search of these indices.
func (s Search) request(body any) elastic.Search {
	return elastic.Search{Indices: s.Indices, IgnoreUnavailable: true, Body: body}
}

// compile gives the query that events must match at any time.
func (s Search) compile(fields kql.Fields) (dsl, error) {
	query, err := s.Query.Compile(fields, keysOf(s.Filters)...)
	if err != nil {
		return nil, err
	}
	filter, mustNot := []dsl{query}, []dsl{}
	known := s.known(fields)
	for _, f := range s.Filters {
		if f.Negate {
			mustNot = append(mustNot, f.compile(known))
		} else {
			filter = append(filter, f.compile(known))
		}
	}
	excluding, err := s.excluding(fields)
	if err != nil {
		return nil, err
	}
	mustNot = append(mustNot, excluding...)
	if len(mustNot) == 0 {
		return loudly(dsl{"bool": dsl{"filter": filter}}), nil
	}
	return loudly(dsl{"bool": dsl{"filter": filter, "must_not": mustNot}}), nil
}
