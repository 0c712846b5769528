package inspect

import (
	"context"
	"fmt"
	"slices"

	"newterms/esquery/query"
)

// An ExclusionEffect is the number of events that an exclusion removes.
type ExclusionEffect struct {
	Alone int64 // as if it were the only one of those counted
	Only  int64 // those that no other removes
}

// ExclusionEffects counts the events that each of the search's last n exclusions
// removes, of those that match without them. n must be small: one search counts all.
func ExclusionEffects(ctx context.Context, o *query.Opened, r query.Range, n int) ([]ExclusionEffect, error) {
	base := o.Search
	counted := base.Exclude[len(base.Exclude)-n:]
	base.Exclude = base.Exclude[:len(base.Exclude)-n]
	matching, err := base.Compile(o.Mapping.Fields)
	if err != nil || n == 0 {
		return nil, err
	}
	queries := make([]dsl, n)
	for i, q := range counted {
		if queries[i], err = query.CompileExclusion(q, o.Mapping.Fields); err != nil {
			return nil, err
		}
	}
	var answer struct {
		Alone numbers `json:"alone"`
		Once  struct {
			Only numbers `json:"only"`
		} `json:"once"`
	}
	once := query.Not(dsl{"bool": dsl{"should": queries, "minimum_should_match": 2}})
	body := query.Aggregate(dsl{
		"alone": numbered(queries),
		"once":  dsl{"filter": once, "aggs": dsl{"only": numbered(queries)}},
	}, matching, o.Within(r), query.AnyOf(slices.Clone(queries)))
	if err := o.Ask(ctx, body, &answer); err != nil {
		return nil, fmt.Errorf("count what is excluded: %w", err)
	}
	counts := make([]ExclusionEffect, n)
	for i := range counts {
		counts[i] = ExclusionEffect{answer.Alone.at(i), answer.Once.Only.at(i)}
	}
	return counts, nil
}
