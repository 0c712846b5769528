package elastic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// JSON returns a value as the body of a request. The request fails if JSON cannot hold the
// value.
func JSON(v any) io.Reader {
	text, err := json.Marshal(v)
	if err != nil {
		body, end := io.Pipe()
		end.CloseWithError(err)
		return body
	}
	return bytes.NewReader(text)
}

// Aggregate returns the body of a search without hits, which aggregates the documents that
// match all the filters.
func Aggregate(aggs map[string]any, filters ...map[string]any) map[string]any {
	return map[string]any{"size": 0, "track_total_hits": false, "query": map[string]any{"bool": map[string]any{"filter": filters}}, "aggs": aggs}
}

// Buckets are those of an aggregation.
type Buckets[B any] struct {
	Buckets []B `json:"buckets"`
}

// TopHits are the documents of a top_hits aggregation.
type TopHits[H any] struct {
	Hits struct {
		Hits []H `json:"hits"`
	} `json:"hits"`
}

// Clock requests the server's time, as the edge of a range of a field's dates.
func Clock(field string) map[string]any {
	return map[string]any{"date_range": map[string]any{"field": field, "ranges": []map[string]any{{"from": "now"}}}}
}

// A ClockAnswer is the answer to Clock.
type ClockAnswer struct {
	Buckets[struct{ From float64 }]
}

// Time returns the server's time, in UTC and whole milliseconds.
func (c ClockAnswer) Time() (time.Time, error) {
	if len(c.Buckets.Buckets) != 1 {
		return time.Time{}, fmt.Errorf("%w: it has no time", ErrIncomplete)
	}
	return time.UnixMilli(int64(c.Buckets.Buckets[0].From)).UTC(), nil
}
