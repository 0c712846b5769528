package inspect

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// ServerNow returns the server's time, in UTC and whole milliseconds. It needs no
// privilege but to read the search's indices.
func ServerNow(ctx context.Context, c *elastic.Client, s query.Search) (time.Time, error) {
	var answer struct {
		Now elastic.ClockAnswer `json:"clock"`
	}
	if err := c.Search(ctx, s.Request(elastic.Aggregate(dsl{"clock": elastic.Clock(s.Timestamp)}, dsl{"match_none": dsl{}})), &answer); err != nil {
		return time.Time{}, fmt.Errorf("ask for the server's time: %w", err)
	}
	return answer.Now.Time()
}
