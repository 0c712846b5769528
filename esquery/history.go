package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// recentHistory is the part of the history that is asked first. Most pairs that
// are known were seen within hours, and those that are seen most often cost most
// to look up in all of the history.
const recentHistory = 6 * time.Hour

// A stage that finds fewer than one in rarelyRecent of the candidates costs more
// than it saves, and one for fewer than severalCandidates no less than a request:
// 87 took 8 ms in one and 14 in two, and 505 took 41 and 26.
const (
	rarelyRecent      = 5
	severalCandidates = 200
)

// recency counts how many candidates were asked for in the recent history, and
// how many of these were seen in it.
type recency struct{ asked, found int }

// pays reports whether it is worth while to ask the recent history first.
func (r recency) pays() bool { return r.found*rarelyRecent >= r.asked }

// LastSeen returns for each candidate when it was last seen in a range, in the
// candidates' order. The zero time stands for never. Of many candidates it asks the
// end of the range first, and the rest only for those that were not seen there.
func (s *Source) LastSeen(ctx context.Context, history Range, candidates []Candidate) ([]time.Time, error) {
	recent := Range{history.To.Add(-recentHistory), history.To}
	if len(candidates) < severalCandidates || !recent.From.After(history.From) || !s.recency.pays() {
		return s.lastSeenIn(ctx, history, candidates)
	}
	seen, err := s.lastSeenIn(ctx, recent, candidates)
	if err != nil {
		return nil, err
	}
	var left []int // positions
	for i, at := range seen {
		if at.IsZero() {
			left = append(left, i)
		}
	}
	s.recency.asked += len(candidates)
	s.recency.found += len(candidates) - len(left)
	if len(left) == 0 {
		return seen, nil
	}
	earlier, err := s.lastSeenIn(ctx, Range{history.From, recent.From}, pick(candidates, left))
	for i, at := range earlier {
		seen[left[i]] = at
	}
	return seen, err
}

func (s *Source) lastSeenIn(ctx context.Context, history Range, candidates []Candidate) ([]time.Time, error) {
	seen, err := elastic.InHalves(candidates, func(candidates []Candidate) ([]time.Time, error) {
		return s.lastSeen(ctx, history, candidates)
	})
	if err != nil {
		return nil, fmt.Errorf("ask history: %w", err)
	}
	return seen, nil
}

func (s *Source) lastSeen(ctx context.Context, history Range, candidates []Candidate) ([]time.Time, error) {
	seen := make([]time.Time, len(candidates))
	body := func(size int, after json.RawMessage) any { return s.history(history, candidates, size, after) }
	err := s.eachOf(ctx, candidates, &s.pageSize, body, func(i int, b bucket) (done bool, err error) {
		var ok bool
		if seen[i], ok = b.latest(); !ok {
			return true, fmt.Errorf("%w: pair %v has no time", elastic.ErrIncomplete, candidates[i].Terms)
		}
		return false, nil
	})
	if err == nil {
		err = s.correctLast(ctx, history, candidates, seen)
	}
	return seen, err
}
