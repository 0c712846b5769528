package runs

import (
	"context"
	"time"

	"newterms/esquery/elastic"
)

// clock requests only the server's time.
func (r *Reader) clock(ctx context.Context) (time.Time, error) {
	var answer struct {
		Clock elastic.ClockAnswer `json:"clock"`
	}
	body := dsl{"size": 0, "track_total_hits": false, "query": dsl{"match_none": dsl{}}, "aggs": dsl{"clock": elastic.Clock("@timestamp")}}
	if err := r.client.Search(ctx, elastic.Search{Indices: []string{r.target}, Body: body}, &answer); err != nil {
		return time.Time{}, err
	}
	return answer.Clock.Time()
}
