package esquery

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Health describes what a Search would find in a range.
type Health struct {
	Indices []string   // that match, sorted
	Names   []string   // of all fields that the search names, sorted
	Fields  kql.Fields // of these, those that are mapped
	// Misfits holds, by name, a *MappingError for each field whose mapping the
	// search cannot use.
	Misfits map[string]error

	Newest time.Time // event of the range, matching or not; zero if there is none
	// Lags tell for the newest events, at most 100, how much later than the
	// fallback their primary timestamp is, shortest first: the time from the
	// event to its ingestion. It is empty without a fallback.
	Lags     []time.Duration
	Matching int64     // events of the range that match
	Lacking  Lacking   // of these, those that have no pair
	Now      time.Time // by the server's clock
}

// maxLags is the most that top_hits gives by default
// (index.max_inner_result_window).
const maxLags = 100

// Inspect describes a range for the search, in two requests. A field that the
// search cannot use is one of the Misfits and no error; otherwise the errors are
// those of Open and of a request. With an error the Health holds what was
// learned before it.
func Inspect(ctx context.Context, c *elastic.Client, s Search, r Range) (Health, error) {
	h := Health{Names: s.fieldNames(), Misfits: map[string]error{}}
	var err error
	h.Fields, h.Indices, err = fieldTypes(ctx, c, s.Indices, h.Names)
	if err != nil {
		return h, err
	}
	slices.Sort(h.Indices)
	for _, name := range h.Names {
		if err := s.fitsMapping(name, h.Fields); err != nil {
			h.Misfits[name] = err
		}
	}
	query, err := s.compile(h.Fields)
	if err != nil {
		return h, err
	}
	source := newSource(c, bodies{search: s, query: query, fallback: s.Fallback != ""})
	var answer healthAnswer
	if err := c.Search(ctx, s.request(source.health(r)), &answer); err != nil {
		return h, source.explain(ctx, err)
	}
	return h, answer.read(&h, s)
}

type healthAnswer struct {
	times
	Newest struct {
		Hits struct {
			Hits []struct {
				Fields map[string][]string `json:"fields"`
			} `json:"hits"`
		} `json:"hits"`
	} `json:"newest"`
	Now struct {
		Buckets []struct{ From float64 } `json:"buckets"`
	} `json:"now"`
	Matching struct {
		docCount
		Lacking lackingAnswer `json:"lacking"`
	} `json:"matching"`
}

func (a healthAnswer) read(h *Health, s Search) error {
	if len(a.Now.Buckets) != 1 {
		return fmt.Errorf("%w: it does not tell the time", elastic.ErrIncomplete)
	}
	h.Now = time.UnixMilli(int64(a.Now.Buckets[0].From)).UTC()
	h.Newest, _ = a.latest()
	h.Matching, h.Lacking = a.Matching.Count, a.Matching.Lacking.read(s.Fields)
	for _, hit := range a.Newest.Hits.Hits {
		ingested, happened := hit.Fields[s.Timestamp], hit.Fields[s.Fallback]
		if len(ingested) == 0 || len(happened) == 0 {
			continue
		}
		late, err := strconv.ParseFloat(ingested[0], 64) // date_nanos has a fraction
		if err != nil {
			return fmt.Errorf("%w: %s is no time: %w", elastic.ErrIncomplete, s.Timestamp, err)
		}
		early, err := strconv.ParseFloat(happened[0], 64)
		if err != nil {
			return fmt.Errorf("%w: %s is no time: %w", elastic.ErrIncomplete, s.Fallback, err)
		}
		h.Lags = append(h.Lags, time.Duration(late-early)*time.Millisecond)
	}
	slices.Sort(h.Lags)
	return nil
}
