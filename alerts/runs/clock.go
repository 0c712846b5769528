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
	body := elastic.Aggregate(dsl{"clock": elastic.Clock("@timestamp")}, dsl{"match_none": dsl{}})
	if err := r.client.Search(ctx, elastic.Search{Indices: []string{r.target}, Body: body}, &answer); err != nil {
		return time.Time{}, err
	}
	return answer.Clock.Time()
}
