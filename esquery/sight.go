package esquery

import (
	"context"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
)

// A Sight is the part of a name or pattern that a user sees.
type Sight struct {
	Indices []string // matching open indices, sorted
	Events  int64    // in a range of time
}

// Less reports whether the user sees less than another.
func (s Sight) Less(than Sight) bool {
	return len(s.Indices) < len(than.Indices) || s.Events < than.Events
}

// See returns the indices of a name or pattern that the user sees, and the number of
// their events in a range. The search dates the events. To see nothing is no error. It
// returns a *NameError or the error of a request.
func See(ctx context.Context, c *elastic.Client, pattern string, s Search, r Range) (Sight, error) {
	s.Indices = []string{pattern}
	m, err := access.FieldTypes(ctx, c, s.Indices, []string{s.Timestamp}, true)
	if err != nil {
		return Sight{}, err
	}
	if len(m.Indices) == 0 {
		return Sight{}, nil
	}
	b := bodies{search: s, reaches: mapping{m}.reaches([]string{s.Timestamp})}
	body := dsl{"size": 0, "track_total_hits": false, "query": b.within(r), "aggs": dsl{"events": dsl{"filter": dsl{"match_all": dsl{}}}}}
	var answer struct {
		Events docCount `json:"events"`
	}
	if err := c.Search(ctx, s.request(body), &answer); err != nil {
		return Sight{}, err
	}
	return Sight{m.Indices, answer.Events.Count}, nil
}
