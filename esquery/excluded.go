package esquery

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
)

// Excluded says how many events an exclusion takes, of those that would match.
type Excluded struct {
	Name   string // the KQL, or the name of the exception
	Events int64
}

// excludedAtOnce is how many exclusions one search counts.
const excludedAtOnce = 500

// Excluded counts for each exclusion and exception of the search, in order, the
// events of a range that it takes, and how many there are before any is taken. An
// event that several take counts for each. It asks nothing if there are none.
func (s *Source) Excluded(ctx context.Context, r Range) (counts []Excluded, of int64, err error) {
	var queries []dsl
	for _, q := range s.search.Exclude {
		query, err := q.Compile(s.fields)
		if err != nil {
			return nil, 0, excludeError(err)
		}
		counts, queries = append(counts, Excluded{Name: q.String()}), append(queries, query)
	}
	for _, e := range s.search.Exceptions {
		counts, queries = append(counts, Excluded{Name: e.Name}), append(queries, e.compile(s.fields))
	}
	all := s.search
	all.Exclude, all.Exceptions = nil, nil
	matching, err := all.compile(s.fields)
	if err != nil {
		return nil, 0, err
	}
	var numbers []int64
	for chunk := range slices.Chunk(queries, excludedAtOnce) {
		taken, err := elastic.InHalves(chunk, func(chunk []dsl) ([]int64, error) {
			var answer map[string]docCount
			if err := s.client.Search(ctx, s.search.request(s.excludedBody(matching, chunk, r)), &answer); err != nil {
				return nil, s.explain(ctx, err)
			}
			taken := make([]int64, len(chunk))
			for i := range chunk {
				taken[i] = answer[strconv.Itoa(i)].Count
			}
			of = answer["all"].Count
			return taken, nil
		})
		if err != nil {
			return nil, 0, fmt.Errorf("count what is excluded: %w", err)
		}
		numbers = append(numbers, taken...)
	}
	for i, n := range numbers {
		counts[i].Events = n
	}
	return counts, of, nil
}

func excludeError(err error) error { return fmt.Errorf("exclude: %w", err) }
