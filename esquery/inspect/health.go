// Package inspect counts the events of a rule for its author: whether they come and are
// dated as the rule expects, why some do not match, which values are like a given one,
// and what exclusions remove.
package inspect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

type dsl = query.DSL

// A Health describes the events of a query.Search in a range.
type Health struct {
	Indices     []string             // those that match, sorted
	Unavailable []access.Unavailable // indices that cannot be seen
	Names       []string             // of all fields in the search, without patterns, sorted
	Fields      kql.Fields           // those of Names that are mapped
	// Misfits holds, by name, a *TypeError for each field whose mapping the search
	// cannot use.
	Misfits map[string]error

	Newest time.Time // event in the range, matching or not; zero if there is none
	Oldest time.Time // matching event in twice the range; zero if none in the range matches
	// Lags are the delays between event and ingestion of the newest events, at most
	// 100, shortest first. They are the primary timestamp less the fallback, so empty
	// without a fallback.
	Lags     []time.Duration
	Arrival  Arrival
	Ahead    Ahead         // more than a few seconds after Now
	Matching int64         // matching events in the range
	Lacking  query.Lacking // those of them without a pair
	Now      time.Time     // by the server's clock
	// WithoutSource lists indices whose newest matching event has no _source, and
	// Unread those where Elasticsearch cannot read it.
	WithoutSource, Unread []string
	// Excluded are the counts of each exclusion, out of Unexcluded events in the range
	// that match without them.
	Excluded     []Excluded
	Unexcluded   int64
	TextNetworks []query.TextNetwork // of the exclusions
}

// maxLags is the most that top_hits returns by default (index.max_inner_result_window).
const maxLags = 100

// maxSkew is the accepted difference between clocks.
const maxSkew = 5 * time.Second

// Events describes the events of the search in a range, in five requests and one for
// each 500 exclusions. A field that the search cannot use is one of the Misfits, and an
// error only if it dates the events. Other errors are those of query.Open and of
// requests. With an error the Health holds what was found before it.
func Events(ctx context.Context, c *elastic.Client, s query.Search, r query.Range) (Health, error) {
	h := Health{Names: s.PlainNames()}
	names := append(arrivalNames(), s.MappedNames()...)
	slices.Sort(names)
	m, err := access.ReadMapping(ctx, c, s.Indices, slices.Compact(names))
	known := arrivalFields(s, m.Fields)
	h.Fields, h.Indices, h.Unavailable = m.Fields, m.Indices, m.Unavailable
	if err != nil {
		return h, err
	}
	unmatched, err := access.UnmatchedRemote(ctx, c, s.Indices, h.Indices)
	if err != nil {
		return h, err
	}
	h.Unavailable = append(h.Unavailable, unmatched...)
	h.Misfits = query.Misfits(s, m)
	for _, name := range []string{s.Timestamp, s.Fallback} { // without a time nothing can be searched
		if err := h.Misfits[name]; err != nil {
			return h, err
		}
	}
	o, err := query.OpenUnchecked(c, s, m)
	if err != nil {
		return h, err
	}
	h.TextNetworks = o.TextNetworks()
	h.addKeys(o)
	return h, h.count(ctx, o, r, known)
}

// addKeys adds the fields that are keys of flattened fields.
func (h *Health) addKeys(o *query.Opened) {
	h.Fields = maps.Clone(h.Fields)
	for _, name := range h.Names {
		if _, mapped := h.Fields[name]; !mapped && o.IsMapped(name) {
			h.Fields[name] = kql.Field{Types: []string{"flattened"}}
		}
	}
}

// count fills in what requests for events find.
func (h *Health) count(ctx context.Context, o *query.Opened, r query.Range, known []string) error {
	answer, err := askHealth(ctx, o, r, known)
	if err != nil {
		return err
	}
	if err := answer.read(h, o.Search, known); err != nil {
		return err
	}
	if h.Ahead, err = ahead(ctx, o, h.Now.Add(maxSkew)); err != nil {
		return err
	}
	if h.Excluded, h.Unexcluded, err = CountExcluded(ctx, o, r); err != nil || h.Matching == 0 {
		return err
	}
	if h.WithoutSource, h.Unread, err = withoutSource(ctx, o, r); err != nil {
		return err
	}
	h.Oldest, err = oldest(ctx, o, query.Range{From: r.From.Add(-r.To.Sub(r.From)), To: r.To})
	return err
}

// askHealth asks with fewer events or with values from their sources if an index allows
// no more.
func askHealth(ctx context.Context, o *query.Opened, r query.Range, known []string) (healthAnswer, error) {
	var answer healthAnswer
	lags, values := maxLags, "docvalue_fields"
	err := elastic.Fewer(&lags, func(lags int) error {
		err := o.Client.Search(ctx, o.Request(healthBody(o, r, lags, values, known)), &answer)
		if elastic.TooManyDocValues(err) && values != "fields" {
			values = "fields"
			err = o.Client.Search(ctx, o.Request(healthBody(o, r, lags, values, known)), &answer)
		}
		return err
	})
	return answer, o.Diagnose(ctx, err)
}

// healthBody describes all events in a range, and those that match the rule.
func healthBody(o *query.Opened, r query.Range, lags int, values string, arrivals []string) dsl {
	times := []string{o.Search.Timestamp}
	if o.Search.Fallback != "" {
		times = append(times, o.Search.Fallback)
	}
	aggs := o.Times("max", o.Search.Fallback != "")
	aggs["newest"] = dsl{"top_hits": dsl{"size": lags, "_source": false, values: query.DocValues(times), "sort": newestFirst(o.Search.Timestamp)}}
	aggs["arrival"] = arrivalBody(o.Search, arrivals, lags)
	aggs["clock"] = elastic.Clock(o.Search.Timestamp)
	aggs["matching"] = dsl{"filter": o.Query, "aggs": dsl{"lacking": o.LackingFields()}}
	return elastic.Aggregate(aggs, o.Within(r))
}

// newestFirst sorts events by a timestamp, which some indices may lack.
func newestFirst(timestamp string) []dsl {
	return []dsl{{timestamp: dsl{"order": "desc", "unmapped_type": "date", "numeric_type": "date"}}}
}

// everything counts the events of a search.
func everything() dsl { return dsl{"filter": dsl{"match_all": dsl{}}} }

// oldest returns the time of the earliest matching event in a range; zero if there is
// none.
func oldest(ctx context.Context, o *query.Opened, r query.Range) (time.Time, error) {
	var answer query.TimesAnswer
	if err := o.Ask(ctx, elastic.Aggregate(o.Times("min", o.Search.Fallback != ""), o.Query, o.Within(r)), &answer); err != nil {
		return time.Time{}, fmt.Errorf("find the oldest event: %w", err)
	}
	at, _ := answer.Earliest()
	return at, nil
}

type healthAnswer struct {
	query.TimesAnswer
	Newest   datedHits           `json:"newest"`
	Arrival  arrivalAnswer       `json:"arrival"`
	Now      elastic.ClockAnswer `json:"clock"`
	Matching struct {
		elastic.DocCount
		Lacking query.LackingAnswer `json:"lacking"`
	} `json:"matching"`
}

func (a healthAnswer) read(h *Health, s query.Search, known []string) error {
	var err error
	if h.Now, err = a.Now.Time(); err != nil {
		return err
	}
	h.Newest, _ = a.Latest()
	h.Matching, h.Lacking = a.Matching.Count, a.Matching.Lacking.Read(s.Fields)
	if h.Arrival, err = a.Arrival.read(s, known); err == nil && s.Fallback != "" {
		h.Lags, err = a.Newest.lags(s.Timestamp, s.Fallback)
	}
	return err
}
