package elastic

import (
	"context"
	"iter"
)

// Sorted is what a hit of InOrder embeds: its place in the order of the search.
type Sorted struct {
	Sort []any `json:"sort"`
}

func (s Sorted) place() []any { return s.Sort }

// InOrder yields all hits of a sorted search, page by page, and ends after the first error.
// body makes the request for a page of at most size hits, to which InOrder adds where the
// page begins. A page with fewer hits than size is the last. A page that is too large is
// requested again at half the size. s needs no Body.
func InOrder[Hit interface{ place() []any }](ctx context.Context, c *Client, s Search, size int, body func(size int) map[string]any) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		var after []any
		for {
			var hits []Hit
			err := Fewer(&size, func(size int) error {
				page := body(size)
				if after != nil {
					page["search_after"] = after
				}
				s.Body = page
				_, err := c.Hits(ctx, s, &hits)
				return err
			})
			if err != nil {
				yield(*new(Hit), err)
				return
			}
			for _, hit := range hits {
				if after = hit.place(); !yield(hit, nil) {
					return
				}
			}
			if len(hits) < size {
				return
			}
		}
	}
}
