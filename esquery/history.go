package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
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
		until := s.stages.next(candidates, left, window, asked, whole)
		stage := query.Range{From: history.To.Add(-until), To: history.To.Add(-asked)}
		found, err := s.lastSeenIn(ctx, stage, pick(candidates, left))
		if err != nil {
			return nil, err
		}
		var still []int
		for i, at := range found {
			if seen[left[i]] = at; at.IsZero() {
				still = append(still, left[i])
			}
		}
		s.stages.learn(candidates, left, window, asked, until, len(left)-len(still))
		asked, left = until, still
	}
	return seen, nil
}

func (s *Source) lastSeenIn(ctx context.Context, history query.Range, candidates []Candidate) ([]time.Time, error) {
	seen, err := elastic.InHalves(candidates, func(candidates []Candidate) ([]time.Time, error) {
		return s.lastSeen(ctx, history, candidates)
	})
	if err != nil {
		return nil, fmt.Errorf("ask history: %w", err)
	}
	return seen, nil
}

func (s *Source) lastSeen(ctx context.Context, history query.Range, candidates []Candidate) ([]time.Time, error) {
	seen := make([]time.Time, len(candidates))
	body := func(size int, after json.RawMessage) any { return s.history(history, candidates, size, after) }
	err := s.eachOf(ctx, candidates, &s.pageSize, body, func(i int, b bucket) (done bool, err error) {
		var ok bool
		if seen[i], ok = b.Latest(); !ok {
			return true, fmt.Errorf("%w: pair %v has no time", elastic.ErrIncomplete, candidates[i].Terms)
		}
		return false, nil
	})
	if err == nil {
		err = s.correctLast(ctx, history, candidates, seen)
	}
	return seen, err
}
