package esquery

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/query"
)

// A Page of candidates.
type Page struct {
	Candidates []Candidate
	// Lacking is of the whole window, on its first page. It is zero on the
	// others, and with MissingTerms.
	Lacking query.Lacking
	// Pages is about how many pages the window has, by its events and those of this
	// page. It is set on the first page.
	Pages float64
}

// Candidates lists the pairs of a window, each once, by pages. It ends after
// the first error.
func (s *Source) Candidates(ctx context.Context, window query.Range) iter.Seq2[Page, error] {
	body := func(size int, after json.RawMessage) any { return s.candidates(window, size, after) }
	return func(yield func(Page, error) bool) {
		for answer, err := range s.pages(ctx, &s.pageSize, body) {
			var page Page
			if err == nil {
				page, err = s.page(answer)
			}
			if err == nil {
				err = s.correctFirst(ctx, window, page.Candidates)
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
	page := Page{Candidates: make([]Candidate, len(answer.Pairs.Buckets)), Lacking: answer.Lacking.Read(s.search.Fields)}
	events := int64(0)
	for i, b := range answer.Pairs.Buckets {
		var err error
		if page.Candidates[i], err = s.candidate(b); err != nil {
			return Page{}, err
		}
		events += page.Candidates[i].Events
	}
	if events > 0 {
		page.Pages = float64(answer.All.Count-answer.Lacking.Count) / float64(events)
	}
	return page, nil
}

// eachOf follows pages of pairs and calls do for the buckets of the candidates,
// until it is done. Other pairs only share values with them.
func (s *Source) eachOf(ctx context.Context, candidates []Candidate, size *int, body func(size int, after json.RawMessage) any,
	do func(i int, b bucket) (done bool, err error),
) error {
	positions := make(map[string]int, len(candidates))
	for i, c := range candidates {
		positions[c.Terms.Key()] = i
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
			if i, ok := positions[Pair(terms).Key()]; ok {
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
func (s *Source) Oldest(ctx context.Context, r query.Range) (oldest time.Time, ok bool, err error) {
	for {
		var answer struct {
			query.TimesAnswer
			undated
		}
		if err := s.Client.Search(ctx, s.Request(s.oldest(r)), &answer); err != nil {
			return time.Time{}, false, fmt.Errorf("find the oldest event: %w", s.Diagnose(ctx, err))
		}
		if !s.mustAskFallback(answer.undated) {
			oldest, ok = answer.Earliest()
			return oldest, ok, nil
		}
	}
}

// mustAskFallback reports whether events without the primary timestamp turned
// up in the answer to a request that did not ask for the fallback's times. From
// then on every request does, and this one must be sent again.
func (s *Source) mustAskFallback(u undated) bool {
	if s.fallback || u.WithoutTimestamp.Count == 0 {
		return false
	}
	s.fallback = true
	return true
}

// pages follows a composite aggregation of pairs to its end. It keeps in size
// how large a page the cluster answers.
func (s *Source) pages(ctx context.Context, size *int, body func(size int, after json.RawMessage) any) iter.Seq2[pairsAnswer, error] {
	return func(yield func(pairsAnswer, error) bool) {
		pager := elastic.Pager{Client: s.Client, Search: s.Request(nil), Body: body, Size: *size}
		for {
			var answer pairsAnswer
			ok, err := pager.Next(ctx, &answer, &answer.Pairs)
			*size = pager.Size
			switch {
			case err != nil:
				yield(answer, s.Diagnose(ctx, err))
				return
			case !ok:
				return
			case s.mustAskFallback(answer.undated):
				pager.Repeat()
			case !yield(answer, nil):
				return
			}
		}
	}
}
