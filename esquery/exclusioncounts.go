package esquery

import (
	"context"
	"fmt"
)

// An ExclusionCount is the number of events that an exclusion removes.
type ExclusionCount struct {
	Alone int64 // as if it were the only one of those counted
	Only  int64 // those that no other removes
}

// ExclusionCounts counts the events that each of the search's last n exclusions
// removes. of is the number of events that match without them. n must be small: one
// search counts all.
func (s *Source) ExclusionCounts(ctx context.Context, r Range, n int) (counts []ExclusionCount, of int64, err error) {
	base := s.search
	counted := base.Exclude[len(base.Exclude)-n:]
	base.Exclude = base.Exclude[:len(base.Exclude)-n]
	matching, err := base.compile(s.fields)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	queries := make([]dsl, n)
	for i, q := range counted {
		if queries[i], err = q.Compile(s.fields); err != nil {
			return nil, 0, excludeError(err)
		}
	}
	var answer struct {
		All   docCount `json:"all"`
		Alone numbers  `json:"alone"`
		Once  struct {
			Only numbers `json:"only"`
		} `json:"once"`
	}
	once := not(dsl{"bool": dsl{"should": queries, "minimum_should_match": 2}})
	body := dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{matching, s.within(r)}}},
		"aggs": dsl{
			"all":   dsl{"filter": dsl{"match_all": dsl{}}},
			"alone": numbered(queries),
			"once":  dsl{"filter": once, "aggs": dsl{"only": numbered(queries)}},
		},
	}
	if err := s.client.Search(ctx, s.request(body), &answer); err != nil {
		return nil, 0, fmt.Errorf("count what is excluded: %w", s.explain(ctx, err))
	}
	counts = make([]ExclusionCount, n)
	for i := range counts {
		counts[i] = ExclusionCount{answer.Alone.at(i), answer.Once.Only.at(i)}
	}
	return counts, answer.All.Count, nil
}
