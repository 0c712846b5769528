package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/esquery/stages"
)

// An event may have several times. It counts at each of them, as in Elasticsearch's
// range filter. But min and max use all times of an event with one in the range, and so
// may be outside of it. In this rare case another search lists the times themselves.

// correctFirst sets each First to the earliest time inside the window.
func (s *Source) correctFirst(ctx context.Context, window query.Range, page []Candidate) error {
	var wrong []int
	for i, c := range page {
		if c.First.Before(window.From) {
			wrong = append(wrong, i)
		}
	}
	spans, err := s.spans(ctx, window, page, wrong)
	for i, span := range spans {
		page[wrong[i]].First = span.From
	}
	return err
}

// correctLast sets each time to the latest one inside the range.
func (s *Source) correctLast(ctx context.Context, history query.Range, page []Candidate, seen []stages.Sighting) error {
	var wrong []int
	for i, sighting := range seen {
		if !sighting.At.IsZero() && !sighting.At.Before(history.To) {
			wrong = append(wrong, i)
		}
	}
	spans, err := s.spans(ctx, history, page, wrong)
	for i, span := range spans {
		seen[wrong[i]].At = span.To
	}
	return err
}

// pick returns the candidates at some positions.
func pick(page []Candidate, positions []int) []Candidate {
	picked := make([]Candidate, len(positions))
	for i, position := range positions {
		picked[i] = page[position]
	}
	return picked
}

// spans returns the first and last time in a range, both inclusive, of the pairs at
// some positions of the page, in their order.
func (s *Source) spans(ctx context.Context, r query.Range, page []Candidate, positions []int) ([]query.Range, error) {
	if len(positions) == 0 {
		return nil, nil
	}
	return elastic.InHalves(pick(page, positions), func(some []Candidate) ([]query.Range, error) { return s.spansOf(ctx, r, some) })
}

func (s *Source) spansOf(ctx context.Context, r query.Range, page []Candidate) ([]query.Range, error) {
	spans := make([]query.Range, len(page))
	timestamps := []string{s.search.Timestamp}
	if s.fallback {
		timestamps = append(timestamps, s.search.Fallback)
	}
	for _, timestamp := range timestamps {
		body := func(size int, after json.RawMessage) any { return s.exactTimes(r, page, timestamp, size, after) }
		err := s.eachOf(ctx, page, &s.pageSize, body, func(i int, b bucket) (done bool, err error) {
			value, _ := b.Key.of(exactTime)
			ms, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
			if err != nil {
				return true, fmt.Errorf("%w: a time of pair %v: %w", elastic.ErrIncomplete, page[i].Terms, err)
			}
			at := query.AtMillis(ms)
			if at.Before(r.From) || !at.Before(r.To) {
				return false, nil
			}
			if spans[i].From.IsZero() || at.Before(spans[i].From) {
				spans[i].From = at
			}
			if at.After(spans[i].To) {
				spans[i].To = at
			}
			return false, nil
		})
		if err != nil {
			return nil, err
		}
	}
	for i, span := range spans {
		if span.From.IsZero() {
			return nil, fmt.Errorf("%w: pair %v has no time in the range it was found in", elastic.ErrIncomplete, page[i].Terms)
		}
	}
	return spans, nil
}
