package esquery

import (
	"context"
	"fmt"

	"newterms/esquery/elastic"
)

// A Sight is what a user sees of a name or pattern.
type Sight struct {
	Indices []string // that match and are open, sorted
	Events  int64    // of a range of time
}

// Less reports whether it is less than what another user sees.
func (s Sight) Less(than Sight) bool {
	return len(s.Indices) < len(than.Indices) || s.Events < than.Events
}

// See tells what the user sees of one name or pattern: its indices, and their events
// of a range, dated as the search dates them. Nothing is no error. Its errors are a
// *NameError or what a request returns.
func See(ctx context.Context, c *elastic.Client, pattern string, s Search, r Range) (Sight, error) {
	s.Indices = []string{pattern}
	m, err := askMapping(ctx, c, s.Indices, []string{s.Timestamp}, true)
	if err != nil {
		return Sight{}, fmt.Errorf("field_caps %s: %w", pattern, ofNames(err))
	}
	if len(m.indices) == 0 {
		return Sight{}, nil
	}
	b := bodies{search: s, reaches: m.reaches([]string{s.Timestamp})}
	body := dsl{"size": 0, "track_total_hits": false, "query": b.within(r), "aggs": dsl{"events": dsl{"filter": dsl{"match_all": dsl{}}}}}
	var answer struct {
		Events docCount `json:"events"`
	}
	if err := c.Search(ctx, s.request(body), &answer); err != nil {
		return Sight{}, err
	}
	return Sight{m.indices, answer.Events.Count}, nil
}
