package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/esquery/stages"
)

// LastSeen returns for each candidate when it was last seen in a range, in the
// candidates' order. The zero time stands for never. window is how long the window is
// whose events the candidates count. It asks the end of the range first, and what lies
// before only for those that were not seen there, in as many stages as pay.
func (s *Source) LastSeen(ctx context.Context, history query.Range, window time.Duration, candidates []Candidate) ([]time.Time, error) {
	seen := make([]time.Time, len(candidates))
	left := make([]int, len(candidates)) // positions of those not seen yet
	for i := range left {
		left[i] = i
	}
	whole := history.To.Sub(history.From)
	for asked := time.Duration(0); len(left) > 0 && asked < whole; {
		remaining := pick(candidates, left)
		events := eventsOf(remaining)
		until := s.stages.Next(events, window, asked, whole)
		stage := query.Range{From: history.To.Add(-until), To: history.To.Add(-asked)}
		found, err := s.lastSeenIn(ctx, stage, remaining, asked > 0 || until == whole)
		if err != nil {
			return nil, err
		}
		s.stages.Learn(events, window, asked, until, history.To, found)
		var still []int
		for i, sighting := range found {
			if seen[left[i]] = sighting.At; sighting.At.IsZero() {
				still = append(still, left[i])
			}
		}
		asked, left = until, still
	}
	return seen, nil
}

func eventsOf(candidates []Candidate) []int64 {
	events := make([]int64, len(candidates))
	for i, c := range candidates {
		events[i] = c.Events
	}
	return events
}

func (s *Source) lastSeenIn(ctx context.Context, history query.Range, candidates []Candidate, byPair bool) ([]stages.Sighting, error) {
	seen, err := elastic.InHalves(candidates, func(candidates []Candidate) ([]stages.Sighting, error) {
		return s.lastSeen(ctx, history, candidates, byPair)
	})
	if err != nil {
		return nil, fmt.Errorf("ask history: %w", err)
	}
	return seen, nil
}

func (s *Source) lastSeen(ctx context.Context, history query.Range, candidates []Candidate, byPair bool) ([]stages.Sighting, error) {
	seen := make([]stages.Sighting, len(candidates))
	body := func(size int, after json.RawMessage) any { return s.history(history, candidates, byPair, size, after) }
	err := s.eachOf(ctx, candidates, &s.pageSize, body, func(i int, b bucket) (done bool, err error) {
		at, ok := b.Latest()
		if seen[i] = (stages.Sighting{At: at, Events: b.Count}); !ok {
			return true, fmt.Errorf("%w: pair %v has no time", elastic.ErrIncomplete, candidates[i].Terms)
		}
		return false, nil
	})
	if err == nil {
		err = s.correctLast(ctx, history, candidates, seen)
	}
	return seen, err
}
