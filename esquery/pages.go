package esquery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// A Page of candidates.
type Page struct {
	Candidates []Candidate
	// Lacking counts, on the first page, the matching events of the window
	// that lack a new-terms field and so have no pair: by field, and under ""
	// those that lack any. It is nil on other pages and with MissingTerms.
	Lacking map[string]int64
}

// Candidates lists the pairs of a window, each once, by pages. It ends after
// the first error.
func (s *Source) Candidates(ctx context.Context, window Range) iter.Seq2[Page, error] {
	body := func(after json.RawMessage) dsl { return s.candidatesBody(window, after) }
	return func(yield func(Page, error) bool) {
		for answer, err := range s.pages(ctx, s.search.PageSize, body) {
			page := Page{Lacking: answer.lackingByField()}
			for _, b := range answer.Pairs.Buckets {
				var c Candidate
				if err == nil {
					c, err = s.candidate(b)
				}
				page.Candidates = append(page.Candidates, c)
			}
			if err != nil {
				yield(Page{}, fmt.Errorf("list candidates: %w", err))
				return
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}

// LastSeen returns for each candidate when it was last seen in a range, in the
// candidates' order. The zero time stands for never.
func (s *Source) LastSeen(ctx context.Context, history Range, candidates []Candidate) ([]time.Time, error) {
	seen := make([]time.Time, len(candidates))
	positions, err := positionsOf(candidates)
	if err != nil {
		return nil, err
	}
	body := func(after json.RawMessage) dsl { return s.historyBody(history, candidates, after) }
	for answer, err := range s.pages(ctx, s.search.PageSize, body) {
		if err != nil {
			return nil, fmt.Errorf("ask history: %w", err)
		}
		for _, b := range answer.Pairs.Buckets {
			terms, err := s.terms(b)
			if err != nil {
				return nil, fmt.Errorf("ask history: %w", err)
			}
			k, err := key(terms)
			if err != nil {
				return nil, err
			}
			if i, ok := positions[k]; ok {
				if seen[i], ok = b.times.latest(); !ok {
					return nil, fmt.Errorf("ask history: %w: pair %s has no time", ErrIncomplete, k)
				}
			}
		}
	}
	return seen, nil
}

// Oldest returns the time of the earliest matching event in a range, whether
// or not it has a pair. ok is false if there is none.
func (s *Source) Oldest(ctx context.Context, r Range) (oldest time.Time, ok bool, err error) {
	for range 2 { // the second time if events without the timestamp turn up
		var answer struct {
			times
			undated
		}
		if err := s.client.search(ctx, s.search.Indices, s.oldestBody(r), &answer); err != nil {
			return time.Time{}, false, fmt.Errorf("find the oldest event: %w", err)
		}
		if !s.found(answer.undated) {
			oldest, ok = answer.earliest()
			break
		}
	}
	return oldest, ok, nil
}

// positionsOf maps each candidate's key to its position.
func positionsOf(candidates []Candidate) (map[string]int, error) {
	positions := make(map[string]int, len(candidates))
	for i, c := range candidates {
		k, err := key(c.Terms)
		if err != nil {
			return nil, err
		}
		positions[k] = i
	}
	return positions, nil
}

// pairsAnswer is the aggregations of a page of pairs.
type pairsAnswer struct {
	Pairs *struct {
		AfterKey json.RawMessage `json:"after_key"`
		Buckets  []bucket        `json:"buckets"`
	} `json:"pairs"`
	Lacking *struct {
		Buckets map[string]struct {
			Count int64 `json:"doc_count"`
		} `json:"buckets"`
	} `json:"lacking"`
	undated
}

// undated counts the events without the primary timestamp, where it is not
// known yet whether there are any.
type undated struct {
	WithoutTimestamp *struct {
		Count int64 `json:"doc_count"`
	} `json:"without_timestamp"`
}

type bucket struct {
	Key   map[string]json.RawMessage `json:"key"`
	Count int64                      `json:"doc_count"`
	times
	hits
}

// times is what Source.times asks for; milliseconds.
type times struct {
	Time     *struct{ Value *float64 } `json:"time"`
	Fallback *struct {
		Time *struct{ Value *float64 } `json:"time"`
		hits
	} `json:"fallback"`
}

func (t times) values() []time.Time {
	var values []time.Time
	add := func(v *struct{ Value *float64 }) {
		if v != nil && v.Value != nil {
			values = append(values, time.UnixMilli(int64(*v.Value)).UTC())
		}
	}
	add(t.Time)
	if t.Fallback != nil {
		add(t.Fallback.Time)
	}
	return values
}

func (t times) earliest() (earliest time.Time, ok bool) {
	for _, v := range t.values() {
		if !ok || v.Before(earliest) {
			earliest, ok = v, true
		}
	}
	return earliest, ok
}

func (t times) latest() (latest time.Time, ok bool) {
	for _, v := range t.values() {
		if !ok || v.After(latest) {
			latest, ok = v, true
		}
	}
	return latest, ok
}

// found reports whether events without the primary timestamp turned up, so
// that the request must be sent again and ask for the fallback's times.
func (s *Source) found(u undated) bool {
	if u.WithoutTimestamp == nil || u.WithoutTimestamp.Count == 0 {
		return false
	}
	s.fallback = true
	return true
}

// pages follows a composite aggregation to its end. A page that is not full is
// the last: each shard returns up to a page of the smallest keys after `after`,
// so a merge with fewer keys than a page has all of them. This saves a request
// for an empty page each time.
func (s *Source) pages(ctx context.Context, size int, body func(after json.RawMessage) dsl) iter.Seq2[pairsAnswer, error] {
	return func(yield func(pairsAnswer, error) bool) {
		var after json.RawMessage
		for page := 1; ; {
			var answer pairsAnswer
			err := s.client.search(ctx, s.search.Indices, body(after), &answer)
			switch {
			case err != nil:
			case answer.Pairs == nil:
				err = fmt.Errorf("%w: it holds no pairs", ErrIncomplete)
			case s.found(answer.undated):
				continue
			case len(answer.Pairs.AfterKey) > 0 && bytes.Equal(answer.Pairs.AfterKey, after):
				err = fmt.Errorf("%w: the page after %s ends where it began", ErrIncomplete, after)
			}
			if err != nil {
				yield(pairsAnswer{}, fmt.Errorf("page %d: %w", page, err))
				return
			}
			if !yield(answer, nil) || len(answer.Pairs.AfterKey) == 0 || len(answer.Pairs.Buckets) < size {
				return
			}
			after = answer.Pairs.AfterKey
			page++
		}
	}
}

func (a pairsAnswer) lackingByField() map[string]int64 {
	if a.Lacking == nil {
		return nil
	}
	counts := map[string]int64{}
	for field, b := range a.Lacking.Buckets {
		if field == anyField {
			field = ""
		}
		counts[field] = b.Count
	}
	return counts
}

func (s *Source) candidate(b bucket) (Candidate, error) {
	terms, err := s.terms(b)
	if err != nil {
		return Candidate{}, err
	}
	first, ok := b.earliest()
	if !ok {
		return Candidate{}, fmt.Errorf("%w: pair %v has no time", ErrIncomplete, terms)
	}
	return Candidate{Terms: terms, First: first, Events: b.Count}, nil
}

// terms decodes a bucket's key. Numbers keep all their digits.
func (s *Source) terms(b bucket) ([]any, error) {
	terms := make([]any, len(s.search.Fields))
	for i, field := range s.search.Fields {
		raw, ok := b.Key[field]
		if !ok {
			return nil, fmt.Errorf("%w: a pair without %s", ErrIncomplete, field)
		}
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&terms[i]); err != nil {
			return nil, errors.Join(ErrIncomplete, err)
		}
	}
	return terms, nil
}
