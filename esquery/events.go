package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
)

// MaxEvents is how many candidates' events FirstEvents takes at once. With an
// Okta event of 5 kB, once as _source and once as fields, an answer stays at
// 2 MB; and the times are at most as many clauses, of the 1,024 allowed.
const MaxEvents = 200

// FirstEvents fetches, for each of at most MaxEvents candidates and in their
// order, an event that happened at the candidate's First. If several did, it
// is any of them. An event that is gone since it was listed, or that is more
// than the cluster can answer, is Missing.
func (s *Source) FirstEvents(ctx context.Context, candidates []Candidate) ([]Event, error) {
	events, err := elastic.InHalves(candidates, func(candidates []Candidate) ([]Event, error) {
		events, err := s.firstEvents(ctx, candidates, true)
		if len(candidates) == 1 && elastic.TooMuchToAnswer(err) {
			events, err = s.firstEvents(ctx, candidates, false)
			if err == nil && events[0].Missing == "" {
				events[0].Missing = "it is too large to fetch"
			}
		}
		return events, err
	})
	if err != nil {
		return nil, fmt.Errorf("fetch first events: %w", err)
	}
	return events, nil
}

func (s *Source) firstEvents(ctx context.Context, candidates []Candidate, content bool) ([]Event, error) {
	events := make([]Event, len(candidates))
	found := 0
	body := func(size int, after json.RawMessage) any { return s.events(candidates, content, size, after) }
	err := s.eachOf(ctx, candidates, &s.eventsPageSize, body, func(i int, b bucket) (done bool, err error) {
		event, ok, err := b.eventAt(candidates[i].First.UnixMilli())
		if ok && events[i].ID == "" {
			events[i] = event
			found++
		}
		return found == len(candidates), err
	})
	if err != nil || found == len(candidates) {
		return events, err
	}
	for i, e := range events {
		switch {
		case e.ID != "":
		case len(candidates) == 1:
			events[i].Missing = "it is gone since it was listed"
		default:
			// An event with several times can hide another one, if one of them
			// is another candidate's. By itself it cannot.
			alone, err := s.firstEvents(ctx, candidates[i:i+1], content)
			if err != nil {
				return nil, err
			}
			events[i] = alone[0]
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
	Index   string          `json:"_index"`
	ID      string          `json:"_id"`
	Source  json.RawMessage `json:"_source"`
	Fields  json.RawMessage `json:"fields"`
	Matched []string        `json:"matched_queries"` // the times that it has
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
		if hit := h.First.Hits.Hits[0]; slices.Contains(hit.Matched, strconv.FormatInt(milliseconds, 10)) {
			event, err := hit.event()
			return event, err == nil, err
		}
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
