package inspect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// ingested is ECS's field for the time of an event's ingestion. Only a search dated by
// it sees each event, however late the event comes.
const ingested = "event.ingested"

// An Arrival describes events that are not dated by their ingestion, and how late they
// came.
type Arrival struct {
	Events int64 // in the range
	// Lags are those of the newest events, at most 100, shortest first. It is empty if
	// the events do not have the time of their arrival.
	Lags []time.Duration
}

// arrivalFields returns the fields with the time of an event's arrival that all indices
// that map them have as dates.
func arrivalFields(s query.Search, fields kql.Fields) []string {
	var known []string
	for _, name := range arrivalNames() {
		if name != s.Timestamp && fields[name].IsDate() {
			known = append(known, name)
		}
	}
	return known
}

// arrivalNames are ECS's fields for when an event was ingested, and when it was first
// read.
func arrivalNames() []string { return []string{ingested, "event.created"} }

// arrivalBody requests the events that are not dated by their ingestion.
func arrivalBody(s query.Search, known []string, lags int) dsl {
	of, dates := dsl{"match_all": dsl{}}, s.Timestamp
	if s.Timestamp == ingested {
		of, dates = query.Lacks(ingested), s.Fallback
	}
	agg := dsl{"filter": of}
	if dates == "" {
		agg["filter"] = dsl{"match_none": dsl{}}
	} else if len(known) > 0 {
		agg["aggs"] = dsl{"newest": dsl{"top_hits": dsl{
			"size": lags, "_source": false, "docvalue_fields": query.DocValues(append([]string{dates}, known...)),
			"sort": []dsl{{dates: dsl{"order": "desc", "unmapped_type": "date", "numeric_type": "date"}}},
		}}}
	}
	return agg
}

type arrivalAnswer struct {
	elastic.DocCount
	Newest datedHits `json:"newest"`
}

func (a arrivalAnswer) read(s query.Search, known []string) (Arrival, error) {
	dates := s.Timestamp
	if s.Timestamp == ingested {
		dates = s.Fallback
	}
	arrival := Arrival{Events: a.Count}
	for _, name := range known { // the first field that any event has
		lags, err := a.Newest.lags(name, dates)
		if err != nil || len(lags) > 0 {
			arrival.Lags = lags
			return arrival, err
		}
	}
	return arrival, nil
}

// datedHits are events with dates in milliseconds.
type datedHits struct {
	elastic.TopHits[struct {
		Fields map[string][]string `json:"fields"`
	}]
}

// lags returns by how much one date is later than another, for the events that have
// both, shortest first.
func (h datedHits) lags(later, earlier string) ([]time.Duration, error) {
	var lags []time.Duration
	for _, hit := range h.Hits.Hits {
		if len(hit.Fields[later]) == 0 || len(hit.Fields[earlier]) == 0 {
			continue
		}
		var ms [2]float64
		for i, name := range []string{later, earlier} {
			var err error
			if ms[i], err = strconv.ParseFloat(hit.Fields[name][0], 64); err != nil { // date_nanos has a fraction
				return nil, fmt.Errorf("%w: %s is no time: %w", elastic.ErrIncomplete, name, err)
			}
		}
		lags = append(lags, time.Duration(ms[0]-ms[1])*time.Millisecond)
	}
	slices.Sort(lags)
	return lags, nil
}

// An Ahead describes events that are dated after a time.
type Ahead struct {
	Events int64
	To     time.Time // the latest date; zero if there is none
}

// ahead searches for events, matching or not, that are dated after a time.
func ahead(ctx context.Context, o *query.Opened, of time.Time) (Ahead, error) {
	aggs := o.Times("max", o.Search.Fallback != "")
	aggs["all"] = everything()
	var answer struct {
		query.TimesAnswer
		All elastic.DocCount `json:"all"`
	}
	if err := o.Ask(ctx, elastic.Aggregate(aggs, o.Bounded(map[string]int64{"gte": of.UnixMilli() + 1})), &answer); err != nil {
		return Ahead{}, fmt.Errorf("look for events ahead of now: %w", err)
	}
	to, _ := answer.Latest()
	return Ahead{answer.All.Count, to}, nil
}
