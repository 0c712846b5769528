package esquery

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"newterms/esquery/elastic"
)

// How many candidates' events are asked for at once follows the size of the last
// ones: an answer is to be about wantedAnswer. With Okta's 4 kB an event that is
// 500, and one of 200 kB is asked for with 9 others. With answers twice as large
// a run took a third more memory, and hardly less time. The first ones are asked
// for all fields, which takes 0.25 ms each: so they are few, unless they are all,
// where a second request would take as long as fields for fewEvents.
const (
	firstEvents  = 10
	fewEvents    = 25
	maxEvents   = 1_000
	wantedAnswer = 2 << 20
)

// fewOfPair events of a pair may come in place of its first one. A third one costs
// more to fetch than it costs to ask for the exact time.
const fewOfPair = 2

// Events fetches an event that happened at the candidate's First, for each of
// the candidates, and yields them for some of them at a time, in their order. If
// several happened then, it is any of them. Candidates of the same event share
// it. An event that is gone since it was listed, that is more than the cluster can
// answer or that Elasticsearch cannot read is Missing. It ends after the first
// error.
func (s *Source) Events(ctx context.Context, candidates []Candidate) iter.Seq2[[]*Event, error] {
	s = s.forEvents
	return func(yield func([]*Event, error) bool) {
		for len(candidates) > 0 {
			chunk := candidates[:min(len(candidates), s.eventsAtOnce)]
			if len(s.sources.known) == 0 && len(candidates) <= fewEvents {
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

// Places is Events without what the events hold: it only tells where they are.
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

// events fetches the events together. One whose source is no plain JSON may make
// the answer none, and one that cannot be read leaves no answer at all.
func (s *Source) events(ctx context.Context, candidates []Candidate) ([]*Event, error) {
	events, err := s.eventsWith(ctx, candidates, asSent)
	if elastic.NoJSON(err) {
		events, err = s.eventsWith(ctx, candidates, reencoded)
	}
	if elastic.ShardFailed(err) || len(candidates) == 1 && elastic.TooMuchToAnswer(err) {
		return s.eventsApart(ctx, candidates)
	}
	return events, err
}

// eventsWith finds most events in one search, and those that it does not find by
// locating each.
func (s *Source) eventsWith(ctx context.Context, candidates []Candidate, what content) ([]*Event, error) {
	events := make([]*Event, len(candidates))
	full, err := s.findEvents(ctx, candidates, what, events)
	if err == nil && full && !s.exactly { // of events of others, that share values with the candidates
		s.exactly = true
		err = s.forUnfound(candidates, events, func(left []Candidate, found []*Event) error {
			_, err := s.findEvents(ctx, left, what, found)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return events, s.forUnfound(candidates, events, func(left []Candidate, found []*Event) error {
		located, err := s.locateEvents(ctx, left, what)
		copy(found, located)
		return err
	})
}

// forUnfound calls find for those candidates that have no event yet, if there are
// any, and takes what it finds.
func (s *Source) forUnfound(candidates []Candidate, events []*Event, find func(left []Candidate, found []*Event) error) error {
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

// findEvents fills in the events that a search for the candidates' values and
// times finds. It may leave some out: those of which there are many at the same
// time, and some whose times the index keeps in a format of its own. The answer is
// full if there may be more.
func (s *Source) findEvents(ctx context.Context, candidates []Candidate, what content, events []*Event) (full bool, err error) {
	hits, full, err := s.hitsOf(ctx, candidates, what)
	if err != nil {
		if isMisfit(err) { // a format that takes no milliseconds: locating takes ranges
			return false, nil
		}
		return false, s.explain(ctx, err)
	}
	at := map[int64][]int{} // positions of the candidates, by time
	for i, c := range candidates {
		at[c.First.UnixMilli()] = append(at[c.First.UnixMilli()], i)
	}
	for _, hit := range hits {
		var its []int
		for _, ms := range s.timesOf(hit) {
			for _, i := range at[ms] {
				if events[i] == nil && s.hasTerms(hit, candidates[i].Terms) {
					its = append(its, i)
				}
			}
		}
		if len(its) == 0 {
			continue
		}
		event := s.eventOf(hit)
		for _, i := range its {
			events[i] = event
		}
	}
	return full, nil
}

// hitsOf searches for events, at first with what is known of the fields that
// their sources lack. They are full if there may be more of them.
func (s *Source) hitsOf(ctx context.Context, candidates []Candidate, what content) (hits []foundEvent, full bool, err error) {
	for asked := s.sources.lacking(); ; asked = everyOf(s.wanted) {
		bytes, size := 0, min(maxFound(len(candidates)), s.maxHits)
		err = elastic.Fewer(&size, func(size int) error {
			return s.withValues(func() (err error) {
				hits = nil
				body := s.find(candidates, s.exactly, size, what, fieldsOf(s.wanted, asked), s.sources.optional(asked))
				bytes, err = s.client.Hits(ctx, s.request(body), &hits)
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
		if s.sources.learn(hits, asked) {
			return hits, full, nil
		}
	}
}

// withValues asks once more, with values from the sources of events, where an index
// does not give the doc values.
func (s *Source) withValues(ask func() error) error {
	err := ask()
	if elastic.TooManyDocValues(err) && !s.fromSource {
		s.fromSource = true
		err = ask()
	}
	return err
}
