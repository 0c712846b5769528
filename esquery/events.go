package esquery

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"newterms/esquery/elastic"
	"newterms/esquery/wanted"
)

// The number of candidates whose events are fetched together depends on the size of the
// last events: an answer should be about wantedAnswer. With Okta's 4 kB an event that
// is 500; events of 200 kB are fetched 10 at a time. With answers twice as large a run
// took a third more memory, and hardly less time. The first events are fetched with all
// fields, which takes 0.25 ms each. So they are few, unless they are all: a second
// request would take as long as fields for fewEvents.
const (
	firstEvents  = 10
	fewEvents    = 25
	maxEvents    = 1_000
	wantedAnswer = 2 << 20
)

// fewOfPair is how many events of a pair may be fetched to find its first one. To fetch
// a third costs more than to search for the exact time.
const fewOfPair = 2

// Events fetches an event at the time First of each candidate. It yields the events of
// some candidates at a time, in the candidates' order. If there are several at that
// time, it returns any of them. Candidates of the same event share it. An event is
// Missing if it was deleted since, is too large to answer, or cannot be read by
// Elasticsearch. Events ends after the first error.
func (s *Source) Events(ctx context.Context, candidates []Candidate) iter.Seq2[[]*Event, error] {
	s = s.forEvents
	return func(yield func([]*Event, error) bool) {
		for len(candidates) > 0 {
			chunk := candidates[:min(len(candidates), s.eventsAtOnce)]
			if !s.fieldOrigins.Know() && len(candidates) <= fewEvents {
				chunk = candidates
			}
			events, err := elastic.InHalves(chunk, func(chunk []Candidate) ([]*Event, error) { return s.events(ctx, chunk) })
			if err != nil {
				yield(nil, fmt.Errorf("fetch first events: %w", err))
				return
			}
			if !yield(events, nil) {
				return
			}
			candidates = candidates[len(chunk):]
		}
	}
}

// Places is Events without the contents: it returns only places.
func (s *Source) Places(ctx context.Context, candidates []Candidate) ([]*Event, error) {
	s = s.forEvents
	var all []*Event
	for chunk := range slices.Chunk(candidates, maxEvents) {
		events, err := elastic.InHalves(chunk, func(chunk []Candidate) ([]*Event, error) { return s.eventsWith(ctx, chunk, place) })
		if err != nil {
			return nil, fmt.Errorf("find first events: %w", err)
		}
		all = append(all, events...)
	}
	return all, nil
}

// events fetches the events together. An event whose source is no plain JSON can make
// the answer invalid, and an unreadable one leaves no answer at all.
func (s *Source) events(ctx context.Context, candidates []Candidate) ([]*Event, error) {
	events, err := s.eventsWith(ctx, candidates, asSent)
	if elastic.NoJSON(err) {
		events, err = s.eventsWith(ctx, candidates, reencoded)
	}
	if elastic.ShardFailed(err) || len(candidates) == 1 && elastic.TooMuchToAnswer(err) {
		return s.eventsByPlace(ctx, candidates)
	}
	return events, err
}

// eventsWith finds most events in one search, and locates each of the others.
func (s *Source) eventsWith(ctx context.Context, candidates []Candidate, what content) ([]*Event, error) {
	events := make([]*Event, len(candidates))
	full, err := s.findEvents(ctx, candidates, what, events)
	if err == nil && full && !s.exactly { // of other pairs' events, which share values with the candidates
		s.exactly = true
		err = s.fillMissing(candidates, events, func(left []Candidate, found []*Event) error {
			_, err := s.findEvents(ctx, left, what, found)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return events, s.fillMissing(candidates, events, func(left []Candidate, found []*Event) error {
		located, err := s.locateEvents(ctx, left, what)
		copy(found, located)
		return err
	})
}

// fillMissing calls find for the candidates without an event, if there are any, and
// adds the events that it finds.
func (s *Source) fillMissing(candidates []Candidate, events []*Event, find func(left []Candidate, found []*Event) error) error {
	var left []int // positions
	for i, e := range events {
		if e == nil {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return nil
	}
	found := make([]*Event, len(left))
	err := find(pick(candidates, left), found)
	for i, position := range left {
		events[position] = found[i]
	}
	return err
}

// findEvents fills in the events that a search for the candidates' values and times
// finds. It may miss some: those of which many have the same time, and some in indices
// with their own format of times. full reports that there may be more.
func (s *Source) findEvents(ctx context.Context, candidates []Candidate, what content, events []*Event) (full bool, err error) {
	hits, full, err := s.hitsOf(ctx, candidates, what)
	if err != nil {
		if elastic.IsUncompilable(err) { // a format that accepts no milliseconds: locating uses ranges
			return false, nil
		}
		return false, s.Diagnose(ctx, err)
	}
	at := map[int64][]int{} // positions of candidates, by time
	for i, c := range candidates {
		at[c.First.UnixMilli()] = append(at[c.First.UnixMilli()], i)
	}
	for _, hit := range hits {
		var positions []int
		for _, ms := range s.timesOf(hit) {
			for _, i := range at[ms] {
				if events[i] == nil && s.hasTerms(hit, candidates[i].Terms) {
					positions = append(positions, i)
				}
			}
		}
		if len(positions) == 0 {
			continue
		}
		event := s.eventOf(hit)
		for _, i := range positions {
			events[i] = event
		}
	}
	return full, nil
}

// hitsOf searches for events, first with only the fields that their sources may lack.
// full reports that there may be more.
func (s *Source) hitsOf(ctx context.Context, candidates []Candidate, what content) (hits []wanted.Hit, full bool, err error) {
	for selected := s.fieldOrigins.ToFetch(); ; selected = wanted.All(s.wanted) {
		bytes, size := 0, min(maxFound(len(candidates)), s.maxHits)
		err = elastic.Fewer(&size, func(size int) error {
			return s.withValues(func() (err error) {
				hits = nil
				body := s.find(candidates, s.exactly, size, what, wanted.Options(s.wanted, selected), s.fieldOrigins.Optional(selected))
				bytes, err = s.Client.Hits(ctx, s.Request(body), &hits)
				return err
			})
		})
		if size < maxFound(len(candidates)) {
			s.maxHits = size
		}
		full = len(hits) == size
		if err != nil || what == place {
			return hits, full, err
		}
		if len(hits) > 0 {
			s.eventsAtOnce = max(1, min(maxEvents, wantedAnswer*len(hits)/max(bytes, 1)))
		}
		if s.fieldOrigins.Learn(hits, selected) {
			return hits, full, nil
		}
	}
}

// withValues calls ask again, with values from the events' sources, if an index refuses
// so many doc values.
func (s *Source) withValues(ask func() error) error {
	err := ask()
	if elastic.TooManyDocValues(err) && !s.fromSource {
		s.fromSource = true
		err = ask()
	}
	return err
}
