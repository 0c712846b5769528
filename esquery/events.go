package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"newterms/esquery/elastic"
)

// MaxEvents is how many candidates' events FirstEvents takes at once. With an
// Okta event of 5 kB, once as _source and once as fields, an answer stays at
// 2 MB; and the times are at most as many clauses, of the 1,024 allowed.
const MaxEvents = 200

// FirstEvents fetches, for each of at most MaxEvents candidates and in their
// order, an event that happened at the candidate's First. If several did, it
// is any of them.
func (s *Source) FirstEvents(ctx context.Context, candidates []Candidate) ([]Event, error) {
	events, err := elastic.InHalves(candidates, func(candidates []Candidate) ([]Event, error) { return s.firstEvents(ctx, candidates) })
	if err != nil {
		return nil, fmt.Errorf("fetch first events: %w", err)
	}
	return events, nil
}

func (s *Source) firstEvents(ctx context.Context, candidates []Candidate) ([]Event, error) {
	events := make([]Event, len(candidates))
	missing := len(candidates)
	body := func(size int, after json.RawMessage) any { return s.events(candidates, size, after) }
	err := s.eachOf(ctx, candidates, &s.eventsPageSize, body, func(i int, b bucket) (done bool, err error) {
		event, ok, err := b.eventAt(candidates[i].First.UnixMilli())
		if ok && events[i].ID == "" {
			events[i] = event
			missing--
		}
		return missing == 0, err
	})
	if err != nil || missing == 0 {
		return events, err
	}
	for i, e := range events {
		if e.ID == "" {
			return nil, fmt.Errorf("%w: the event of %v at %s is gone since it was listed",
				elastic.ErrIncomplete, candidates[i].Terms, candidates[i].First.Format("2006-01-02T15:04:05.000Z07:00"))
		}
	}
	return events, nil
}

// hits is what topHit asks for.
type hits struct {
	First *struct {
		Hits struct {
			Hits []hit `json:"hits"`
		} `json:"hits"`
	} `json:"first"`
}

type hit struct {
	Index  string            `json:"_index"`
	ID     string            `json:"_id"`
	Source json.RawMessage   `json:"_source"`
	Fields json.RawMessage   `json:"fields"`
	Sort   []json.RawMessage `json:"sort"`
}

// eventAt returns the bucket's event of that time, by the primary timestamp or
// by the fallback.
func (b bucket) eventAt(milliseconds int64) (Event, bool, error) {
	all := []hits{b.hits}
	if b.Fallback != nil {
		all = append(all, b.Fallback.hits)
	}
	for _, h := range all {
		if h.First == nil || len(h.First.Hits.Hits) == 0 {
			continue
		}
		hit := h.First.Hits.Hits[0]
		var at int64
		if len(hit.Sort) != 1 || json.Unmarshal(hit.Sort[0], &at) != nil || at != milliseconds {
			continue
		}
		event, err := hit.event()
		return event, err == nil, err
	}
	return Event{}, false, nil
}

func (h hit) event() (Event, error) {
	e := Event{Index: h.Index, ID: h.ID}
	if err := decodeKeepingNumbers(h.Source, &e.Source); err != nil {
		return e, fmt.Errorf("_source of %s/%s: %w", h.Index, h.ID, err)
	}
	if err := decodeKeepingNumbers(h.Fields, &e.Fields); err != nil {
		return e, fmt.Errorf("fields of %s/%s: %w", h.Index, h.ID, err)
	}
	return e, nil
}

// decodeKeepingNumbers decodes numbers as json.Number, with all their digits.
func decodeKeepingNumbers(raw json.RawMessage, into any) error {
	if len(raw) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	return decoder.Decode(into)
}
