package esquery

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/wanted"
)

// maxLocated is how many candidates are located at once: their times are as many
// clauses, of the 1,024 allowed.
const maxLocated = 200

// locateEvents finds the event of each candidate by its bucket in a composite
// aggregation. That is exact whatever the fields hold, and slow.
func (s *Source) locateEvents(ctx context.Context, candidates []Candidate, what content) ([]*Event, error) {
	var all []*Event
	for chunk := range slices.Chunk(candidates, maxLocated) {
		events, err := elastic.InHalves(chunk, func(chunk []Candidate) ([]*Event, error) {
			events, err := s.locate(ctx, chunk, what)
			if what != place && len(chunk) == 1 && elastic.TooMuchToAnswer(err) {
				return s.eventsByPlace(ctx, chunk)
			}
			return events, err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	return all, nil
}

func (s *Source) locate(ctx context.Context, candidates []Candidate, what content) ([]*Event, error) {
	events := make([]*Event, len(candidates))
	found := 0
	body := func(size int, after json.RawMessage) any { return s.bodies.locate(candidates, what, size, after) }
	err := s.eachOf(ctx, candidates, &s.eventsPageSize, body, func(i int, b bucket) (done bool, err error) {
		if hit := b.hitAt(candidates[i].First.UnixMilli()); hit != nil && events[i] == nil {
			events[i] = s.eventOf(*hit)
			found++
		}
		return found == len(candidates), nil
	})
	if err != nil {
		return nil, err
	}
	for i, e := range events {
		switch {
		case e != nil:
		case len(candidates) == 1:
			events[i] = &Event{Missing: Gone}
		default:
			// An event with several times can hide another one, if one of them
			// is another candidate's. By itself it cannot.
			alone, err := s.locateEvents(ctx, candidates[i:i+1], what)
			if err != nil {
				return nil, err
			}
			events[i] = alone[0]
		}
	}
	return events, nil
}

// located is the answer to bodies.locate.
type located struct {
	ByTimestamp hits `json:"first"`
	ByFallback  struct {
		First hits `json:"first"`
	} `json:"by_fallback"`
}

// hits is the answer to topHit.
type hits = elastic.TopHits[wanted.Hit]

// hitAt returns the bucket's event at a time, by the primary timestamp or the fallback;
// nil if there is none.
func (b bucket) hitAt(milliseconds int64) *wanted.Hit {
	for _, h := range []hits{b.ByTimestamp, b.ByFallback.First} {
		if len(h.Hits.Hits) == 0 {
			continue
		}
		if hit := h.Hits.Hits[0]; slices.Contains(hit.Matched, strconv.FormatInt(milliseconds, 10)) {
			return &hit
		}
	}
	return nil
}
