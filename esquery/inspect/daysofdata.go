package inspect

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A DayOfData is a UTC day that has events of the search's indices, matching or not.
type DayOfData struct {
	Day   time.Time // its midnight
	First time.Time // its earliest event in the range, in whole milliseconds
}

// DaysOfData lists the days of a range that have events, in order. It looks at all
// events that this user sees, whatever the rule: a day on which nothing matched is a day
// of data too.
func DaysOfData(ctx context.Context, o *query.Opened, r query.Range) ([]DayOfData, error) {
	type days = elastic.Buckets[query.TimesAnswer]
	byDay := func(timestamp string) dsl {
		histogram := dsl{"field": timestamp, "fixed_interval": "1d", "min_doc_count": 1}
		return dsl{"date_histogram": histogram, "aggs": dsl{"time": dsl{"min": dsl{"field": timestamp}}}}
	}
	var answer struct {
		Days     days `json:"days"`
		Fallback struct {
			Days days `json:"days"`
		} `json:"by_fallback"`
	}
	aggs := dsl{"days": byDay(o.Search.Timestamp)}
	if o.Search.Fallback != "" {
		aggs["by_fallback"] = o.AmongFallback(dsl{"days": byDay(o.Search.Fallback)})
	}
	if err := o.Ask(ctx, elastic.Aggregate(aggs, o.Within(r)), &answer); err != nil {
		return nil, fmt.Errorf("list the days with events: %w", err)
	}
	first := map[time.Time]time.Time{}
	for _, b := range slices.Concat(answer.Days.Buckets, answer.Fallback.Days.Buckets) {
		at, ok := b.Earliest()
		day := at.Truncate(24 * time.Hour)
		if !ok || at.Before(r.From) || !at.Before(r.To) { // of an event with several times
			continue
		}
		if earliest, known := first[day]; !known || at.Before(earliest) {
			first[day] = at
		}
	}
	var found []DayOfData
	for day, at := range first {
		found = append(found, DayOfData{day, at})
	}
	slices.SortFunc(found, func(a, b DayOfData) int { return a.Day.Compare(b.Day) })
	return found, nil
}
