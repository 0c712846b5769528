package esquery

import (
	"bytes"
	"context"
	"encoding/json"
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
		for answer, err := range s.pages(ctx, &s.pageSize, body) {
			var page Page
			if err == nil {
				page, err = s.page(answer)
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

func (s *Source) page(answer pairsAnswer) (Page, error) {
	page := Page{Lacking: answer.lackingByField(), Candidates: make([]Candidate, len(answer.Pairs.Buckets))}
	for i, b := range answer.Pairs.Buckets {
		var err error
		if page.Candidates[i], err = s.candidate(b); err != nil {
			return Page{}, err
		}
	}
	return page, nil
}

// LastSeen returns for each candidate when it was last seen in a range, in the
// candidates' order. The zero time stands for never.
func (s *Source) LastSeen(ctx context.Context, history Range, candidates []Candidate) ([]time.Time, error) {
	seen, err := inHalves(candidates, func(candidates []Candidate) ([]time.Time, error) {
		return s.lastSeen(ctx, history, candidates)
	})
	if err != nil {
		return nil, fmt.Errorf("ask history: %w", err)
	}
	return seen, nil
}

// inHalves asks about all candidates at once, and where that is too much to ask
// about each half, down to one candidate.
func inHalves[T any](candidates []Candidate, ask func([]Candidate) ([]T, error)) ([]T, error) {
	answer, err := ask(candidates)
	if !tooMuchToAsk(err) || len(candidates) < 2 {
		return answer, err
	}
	half := len(candidates) / 2
	first, err := inHalves(candidates[:half], ask)
	if err != nil {
		return nil, err
	}
	second, err := inHalves(candidates[half:], ask)
	return append(first, second...), err
}

func (s *Source) lastSeen(ctx context.Context, history Range, candidates []Candidate) ([]time.Time, error) {
	seen := make([]time.Time, len(candidates))
	body := func(after json.RawMessage) dsl { return s.historyBody(history, candidates, after) }
	err := s.eachOf(ctx, candidates, &s.pageSize, body, func(i int, b bucket) (done bool, err error) {
		var ok bool
		if seen[i], ok = b.latest(); !ok {
			return true, fmt.Errorf("%w: pair %v has no time", ErrIncomplete, candidates[i].Terms)
		}
		return false, nil
	})
	return seen, err
}

// eachOf follows pages of pairs and hands on the buckets of the candidates,
// until it is told that it is done. Other pairs only share values with them.
func (s *Source) eachOf(ctx context.Context, candidates []Candidate, size *int, body func(after json.RawMessage) dsl,
	do func(i int, b bucket) (done bool, err error),
) error {
	positions := make(map[string]int, len(candidates))
	for i, c := range candidates {
		k, err := key(c.Terms)
		if err != nil {
			return err
		}
		positions[k] = i
	}
	for answer, err := range s.pages(ctx, size, body) {
		if err != nil {
			return err
		}
		for _, b := range answer.Pairs.Buckets {
			terms, err := s.terms(b)
			if err != nil {
				return err
			}
			k, err := key(terms)
			if err != nil {
				return err
			}
			if i, ok := positions[k]; ok {
				if done, err := do(i, b); done || err != nil {
					return err
				}
			}
		}
	}
	return nil
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
//
// A page that is too much is asked for again at half its size, down to one
// pair; the size stays as small for what follows.
func (s *Source) pages(ctx context.Context, size *int, body func(after json.RawMessage) dsl) iter.Seq2[pairsAnswer, error] {
	return func(yield func(pairsAnswer, error) bool) {
		var after json.RawMessage
		for page := 1; ; {
			var answer pairsAnswer
			asked := *size
			err := s.client.search(ctx, s.search.Indices, body(after), &answer)
			switch {
			case tooMuchToAnswer(err) && asked > 1:
				*size = (asked + 1) / 2
				continue
			case err != nil:
			case answer.Pairs == nil:
				err = fmt.Errorf("%w: it holds no pairs", ErrIncomplete)
			case s.found(answer.undated):
				continue
			case len(answer.Pairs.AfterKey) > 0 && bytes.Equal(answer.Pairs.AfterKey, after):
				err = fmt.Errorf("%w: the page after %s ends where it began", ErrIncomplete, after)
			case len(answer.Pairs.Buckets) > 0 && len(answer.Pairs.AfterKey) == 0:
				err = fmt.Errorf("%w: it holds pairs and does not say where it ends", ErrIncomplete)
			}
			if err != nil {
				yield(pairsAnswer{}, fmt.Errorf("page %d: %w", page, err))
				return
			}
			if !yield(answer, nil) || len(answer.Pairs.Buckets) < asked {
				return
			}
			after = answer.Pairs.AfterKey
			page++
		}
	}
}
