package runs

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

type clockAnswer struct {
	Buckets []struct{ From float64 } `json:"buckets"`
}

func (c clockAnswer) time() (time.Time, error) {
	if len(c.Buckets) != 1 {
		return time.Time{}, fmt.Errorf("%w: it has no time", elastic.ErrIncomplete)
	}
	return time.UnixMilli(int64(c.Buckets[0].From)).UTC(), nil
}

// clock requests only the server's time.
func (r *Reader) clock(ctx context.Context) (time.Time, error) {
	var answer struct {
		Clock clockAnswer `json:"clock"`
	}
	body := dsl{"size": 0, "track_total_hits": false, "query": dsl{"match_none": dsl{}}, "aggs": dsl{"clock": clockBody()}}
	if err := r.client.Search(ctx, elastic.Search{Indices: []string{r.target}, Body: body}, &answer); err != nil {
		return time.Time{}, err
	}
	return answer.Clock.time()
}

// clockBody requests the server's time, as the edge of a range.
func clockBody() dsl {
	return dsl{"date_range": dsl{"field": "@timestamp", "ranges": []dsl{{"from": "now"}}}}
}
