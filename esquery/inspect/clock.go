package inspect

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

type nowAnswer struct {
	Now struct {
		Buckets []struct{ From float64 } `json:"buckets"`
	} `json:"clock"`
}

func (a nowAnswer) now() (time.Time, error) {
	if len(a.Now.Buckets) != 1 {
		return time.Time{}, fmt.Errorf("%w: it has no time", elastic.ErrIncomplete)
	}
	return time.UnixMilli(int64(a.Now.Buckets[0].From)).UTC(), nil
}

// ServerNow returns the server's time, in UTC and whole milliseconds. It needs no
// privilege but to read the search's indices.
func ServerNow(ctx context.Context, c *elastic.Client, s query.Search) (time.Time, error) {
	var answer nowAnswer
	if err := c.Search(ctx, s.Request(query.Aggregate(dsl{"clock": now(s.Timestamp)}, dsl{"match_none": dsl{}})), &answer); err != nil {
		return time.Time{}, fmt.Errorf("ask for the server's time: %w", err)
	}
	return answer.now()
}

// now requests the server's time, as the edge of a range.
func now(timestamp string) dsl {
	return dsl{"date_range": dsl{"field": timestamp, "ranges": []dsl{{"from": "now"}}}}
}
