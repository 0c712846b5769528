package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A Moment is a time with matching events of a pair.
type Moment struct {
	At     time.Time // UTC
	Events int64
}

// Moments lists, for each candidate, all times of its events in a range, in order.
// There are at most as many as events.
func (s *Source) Moments(ctx context.Context, r query.Range, candidates []Candidate) ([][]Moment, error) {
	moments, err := elastic.InHalves(candidates, func(candidates []Candidate) ([][]Moment, error) {
		return s.moments(ctx, r, candidates)
	})
	if err != nil {
		return nil, fmt.Errorf("list the times of events: %w", err)
	}
	return moments, nil
}

func (s *Source) moments(ctx context.Context, r query.Range, candidates []Candidate) ([][]Moment, error) {
	moments := make([][]Moment, len(candidates))
	collect := func(timestamp string) error {
		body := func(size int, after json.RawMessage) any { return s.exactTimes(r, candidates, timestamp, size, after) }
		return s.eachOf(ctx, candidates, &s.pageSize, body, func(i int, b bucket) (done bool, err error) {
			value, _ := b.Key.of(exactTime)
			ms, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
			if err != nil {
				return true, fmt.Errorf("%w: a time of pair %v: %w", elastic.ErrIncomplete, candidates[i].Terms, err)
			}
			if at := query.AtMillis(ms); !at.Before(r.From) && at.Before(r.To) {
				moments[i] = append(moments[i], Moment{at, b.Count})
			}
			return false, nil
		})
	}
	if err := collect(s.search.Timestamp); err != nil {
		return nil, err
	}
	if s.fallback { // known only now
		if err := collect(s.search.Fallback); err != nil {
			return nil, err
		}
	}
	for i := range moments {
		moments[i] = inOrder(moments[i])
	}
	return moments, nil
}

// inOrder sorts moments and adds up those of the same time.
func inOrder(moments []Moment) []Moment {
	slices.SortStableFunc(moments, func(a, b Moment) int { return a.At.Compare(b.At) })
	var joined []Moment
	for _, m := range moments {
		if last := len(joined) - 1; last >= 0 && joined[last].At.Equal(m.At) {
			joined[last].Events += m.Events
		} else {
			joined = append(joined, m)
		}
	}
	return joined
}
