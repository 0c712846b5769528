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
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Search selects the events of a rule, and the fields of its pairs.
type Search struct {
	Indices []string    // names and patterns; those without a match are ignored
	Query   kql.Query   // an event must match it
	Filters []Filter    // an event must match these too
	Exclude []kql.Query // events that match one are ignored
	// Exceptions exclude events too; they come from the rule's exception lists.
	Exceptions []Exception
	Fields     []string // the new-terms fields, one to three
	// Timestamp is the field that dates an event, and Fallback the one that dates
	// events without it; "" if there is none.
	Timestamp, Fallback string
	// MissingTerms makes an absent value a term, nil. Otherwise an event that lacks a
	// new-terms field has no pair.
	MissingTerms bool
	// Wanted lists more fields for Event.Fields.
	Wanted []string
	// PageSize is the number of pairs in a request; 0 means defaultPageSize.
	PageSize int
}

// defaultPageSize bounds the memory of a run: a page takes about 2.5 MB on the wire.
// Kibana uses the same, well below Elasticsearch's limits of 65,536 buckets in an
// answer and 65,536 values in a terms filter.
const defaultPageSize = 10_000

// A Range of time is half-open: From is inside, To is not. Both count in whole
// milliseconds.
type Range struct{ From, To time.Time }

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

// An Event is a source document.
type Event struct {
	Index, ID string // "" if it is gone
	Source    []byte // a JSON object; nil if the index keeps no _source, or if it is Missing
	// Fields holds Search.Wanted, the fields of the pair and the timestamps, as far as
	// the event has them. They come from the mapping, and so include fields that
	// _source lacks, such as alias and constant_keyword fields. Dates are in RFC 3339.
	Fields map[string][]any
	// Missing says why the event could not be fetched, "" if it was. Lacks says which
	// part could not be, and why.
	Missing, Lacks string
}

// A Source is a Search in a cluster, with the types of its fields. It is not safe for
// concurrent use, except for Events beside another method.
type Source struct {
	client *elastic.Client
	bodies
	// pageSize and eventsPageSize are numbers of buckets, eventsAtOnce is how many
	// candidates a search for events has, and maxHits its maximum number of hits. A
	// size shrinks if a request was too much.
	pageSize, eventsPageSize, eventsAtOnce, maxHits int

	opened    mapping         // of the indices when they were opened
	shards    *elastic.Shards // those that answered
	confirmed int             // their number at the last successful Unchanged

	exactly      bool // finds events by exact times, because ranges of time return too many
	splits       int  // how often events were fetched in halves: see maxSplits
	stages       stages
	fieldOrigins *fieldOrigins
	fields       kql.Fields
	textNetworks []TextNetwork
	// forEvents is the Source for Events. What it learns stays separate.
	forEvents *Source
}

func newSource(c *elastic.Client, b bodies) *Source {
	size := cmp.Or(b.search.PageSize, defaultPageSize)
	s := Source{client: c, bodies: b, shards: &elastic.Shards{}, fieldOrigins: newFieldOrigins(b.wanted), pageSize: size, eventsPageSize: min(size, maxLocated), eventsAtOnce: min(size, firstEvents), maxHits: maxFound(maxEvents)}
	forEvents := s
	forEvents.shards = nil // an event that is deleted later changes no conclusion
	s.forEvents = &forEvents
	return &s
}

// Open reads the types of the search's fields in one request, and compiles the query.
// It returns a *NotFoundError if there is nothing to search. If the search does not fit
// the mapping, it returns a *kql.FieldError, *TypeError or *MappingError; otherwise the
// error of a request.
func Open(ctx context.Context, c *elastic.Client, s Search) (*Source, error) {
	return NewMappings(s).Open(ctx, c, s)
}

func open(c *elastic.Client, s Search, m mapping) (*Source, error) {
	query, err := s.compile(m.Fields)
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
	_, mapped := m.Fields[s.Timestamp]
	b := bodies{search: s, query: query, fallback: s.Fallback != "" && !mapped}
	b.wanted, b.foundByDates = m.wanted(s)
	b.reaches = m.reaches(s.needed())
	source := newSource(c, b)
	source.opened, source.fields, source.textNetworks = m, m.Fields, m.textNetworks(s)
	return source, nil
}

// PassedOver lists the search's indices whose events cannot be seen.
func (s *Source) PassedOver() []access.Unavailable { return s.opened.Unavailable }

// TextNetworks returns those of the search's exclusions, one for each field.
func (s *Source) TextNetworks() []TextNetwork { return s.textNetworks }

// Hash identifies the search, in hex: the indices, the query with its filters and
// exclusions, the fields, the timestamps, and MissingTerms. The order of indices and
// exclusions does not matter.
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

// Scope is the Hash without exclusions and exceptions. It identifies scheduled runs
// that continue one another: a window counts as covered for events that were excluded
// at the time.
func (s Search) Scope() (string, error) {
	s.Exclude, s.Exceptions = nil, nil
	return s.Hash()
}

// fieldNames lists the fields that a search needs of its mapping, sorted, each once.
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

// PlainNames lists the fields that a search needs of its mapping, sorted, without
// patterns and paths of nested groups.
func (s Search) PlainNames() []string {
	names := s.fieldNames()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.Contains(name, "*") || slices.Contains(names, name+".*")
	})
}

// known returns the fields that Kibana knows when it compiles the query and the
// filters.
func (s Search) known(fields kql.Fields) kql.Fields {
	return s.Query.Known(fields, keysOf(s.Filters)...)
}

func sortedOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// request returns a search of these indices.
func (s Search) request(body any) elastic.Search {
	return elastic.Search{Indices: s.Indices, IgnoreUnavailable: true, Body: body}
}

// compile returns the query that events must match at any time.
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
		return failIfForbidden(dsl{"bool": dsl{"filter": filter}}), nil
	}
	return failIfForbidden(dsl{"bool": dsl{"filter": filter, "must_not": mustNot}}), nil
}
