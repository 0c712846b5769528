package esquery

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
)

// A Health describes the events of a Search in a range.
type Health struct {
	Indices    []string             // those that match, sorted
	PassedOver []access.Unavailable // indices that cannot be seen
	Names      []string             // of all fields in the search, without patterns, sorted
	Fields     kql.Fields           // those of Names that are mapped
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
	Ahead    Ahead     // more than a few seconds after Now
	Matching int64     // matching events in the range
	Lacking  Lacking   // those of them without a pair
	Now      time.Time // by the server's clock
	// WithoutSource lists indices whose newest matching event has no _source, and
	// Unread those where Elasticsearch cannot read it.
	WithoutSource, Unread []string
	// Excluded are the counts of each exclusion, out of Unexcluded events in the range
	// that match without them.
	Excluded     []Excluded
	Unexcluded   int64
	TextNetworks []TextNetwork // of the exclusions
}

// maxLags is the most that top_hits returns by default (index.max_inner_result_window).
const maxLags = 100

// maxSkew is the accepted difference between clocks.
const maxSkew = 5 * time.Second

// Inspect describes the events of the search in a range, in five requests and one for
// each 500 exclusions. A field that the search cannot use is one of the Misfits, and an
// error only if it dates the events. Other errors are those of Open and of requests.
// With an error the Health holds what was found before it.
func Inspect(ctx context.Context, c *elastic.Client, s Search, r Range) (Health, error) {
	h := Health{Names: s.PlainNames(), Misfits: map[string]error{}}
	read, err := access.ReadMapping(ctx, c, s.Indices, sortedOnce(append(arrivalNames(), s.mappedNames()...)))
	m := mapping{read}
	known := arrivalFields(s, m.Fields)
	h.Fields, h.Indices, h.PassedOver = m.Fields, m.Indices, m.Unavailable
	if err != nil {
		return h, err
	}
	unmatched, err := access.UnmatchedRemote(ctx, c, s.Indices, h.Indices)
	if err != nil {
		return h, err
	}
	h.PassedOver = append(h.PassedOver, unmatched...)
	for _, name := range h.Names {
		if err := m.check(s, name); err != nil {
			h.Misfits[name] = err
		}
	}
	for _, name := range []string{s.Timestamp, s.Fallback} { // without a time nothing can be searched
		if err := h.Misfits[name]; err != nil {
			return h, err
		}
	}
	if err := m.checkLists(s); err != nil {
		return h, err
	}
	h.TextNetworks = m.textNetworks(s)
	query, err := s.compile(h.Fields)
	if err != nil {
		return h, err
	}
	source := newSource(c, bodies{search: s, query: query, fallback: s.Fallback != "", reaches: m.reaches(s.needed())})
	source.fields = h.Fields
	var answer healthAnswer
	lags := maxLags
	err = elastic.Fewer(&lags, func(lags int) error {
		return source.withValues(func() error { return c.Search(ctx, s.request(source.health(r, lags, known)), &answer) })
	})
	if err != nil {
		return h, source.explain(ctx, err)
	}
	if err := answer.read(&h, s, known); err != nil {
		return h, err
	}
	if h.Ahead, err = source.ahead(ctx, h.Now.Add(maxSkew)); err != nil {
		return h, err
	}
	if h.Excluded, h.Unexcluded, err = source.Excluded(ctx, r); err != nil || h.Matching == 0 {
		return h, err
	}
	if h.WithoutSource, h.Unread, err = source.withoutSource(ctx, r); err != nil {
		return h, err
	}
	h.Oldest, _, err = source.Oldest(ctx, Range{r.From.Add(-r.To.Sub(r.From)), r.To})
	return h, err
}

type healthAnswer struct {
	times
	Newest  datedHits     `json:"newest"`
	Arrival arrivalAnswer `json:"arrival"`
	nowAnswer
	Matching struct {
		docCount
		Lacking lackingAnswer `json:"lacking"`
	} `json:"matching"`
}

func (a healthAnswer) read(h *Health, s Search, known []string) error {
	var err error
	if h.Now, err = a.now(); err != nil {
		return err
	}
	h.Newest, _ = a.latest()
	h.Matching, h.Lacking = a.Matching.Count, a.Matching.Lacking.read(s.Fields)
	if h.Arrival, err = a.Arrival.read(s, known); err == nil && s.Fallback != "" {
		h.Lags, err = a.Newest.lags(s.Timestamp, s.Fallback)
	}
	return err
}

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
func ServerNow(ctx context.Context, c *elastic.Client, s Search) (time.Time, error) {
	var answer nowAnswer
	if err := c.Search(ctx, s.request(nowBody(s.Timestamp)), &answer); err != nil {
		return time.Time{}, fmt.Errorf("ask for the server's time: %w", err)
	}
	return answer.now()
}
