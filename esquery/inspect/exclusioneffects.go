package inspect

import (
	"context"
	"fmt"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// An ExclusionEffect is the number of events that an exclusion removes.
type ExclusionEffect struct {
	Alone int64 // as if it were the only one of those counted
	Only  int64 // those that no other removes
}

// ExclusionEffects counts the events that each of the search's last n exclusions
// removes. of is the number of events that match without them. n must be small: one
// search counts all.
func ExclusionEffects(ctx context.Context, o *query.Opened, r query.Range, n int) (counts []ExclusionEffect, of int64, err error) {
	base := o.Search
	counted := base.Exclude[len(base.Exclude)-n:]
	base.Exclude = base.Exclude[:len(base.Exclude)-n]
	matching, err := base.Compile(o.Mapping.Fields)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	queries := make([]dsl, n)
	for i, q := range counted {
		if queries[i], err = query.CompileExclusion(q, o.Mapping.Fields); err != nil {
			return nil, 0, err
		}
	}
	var answer struct {
		All   elastic.DocCount `json:"all"`
		Alone numbers          `json:"alone"`
		Once  struct {
			Only numbers `json:"only"`
		} `json:"once"`
	}
	once := query.Not(dsl{"bool": dsl{"should": queries, "minimum_should_match": 2}})
	body := elastic.Aggregate(dsl{
		"all":   everything(),
		"alone": numbered(queries),
		"once":  dsl{"filter": once, "aggs": dsl{"only": numbered(queries)}},
	}, matching, o.Within(r))
	if err := o.Ask(ctx, body, &answer); err != nil {
		return nil, 0, fmt.Errorf("count what is excluded: %w", err)
	}
	counts = make([]ExclusionEffect, n)
	for i := range counts {
		counts[i] = ExclusionEffect{answer.Alone.at(i), answer.Once.Only.at(i)}
	}
	return counts, answer.All.Count, nil
}
