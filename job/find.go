package job

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"newterms/esquery"
	"newterms/esquery/query"
	"newterms/job/limits"
)

// A Finder finds the first occurrences of the pairs of a source.
type Finder struct {
	Source  *esquery.Source
	History time.Duration // H, the length of the history window
	// AskOldest tells a source that is new from pairs that are: see Page.NoHistory.
	AskOldest bool
}

// IsFirstOccurrence is the definition of an alert. first is the earliest event of a
// pair in a window no longer than H, and lastSeen the latest one in the H before that
// window, the zero time if there is none. An event exactly H before first is still
// history.
func (f Finder) IsFirstOccurrence(first, lastSeen time.Time) bool {
	return lastSeen.IsZero() || first.Sub(lastSeen) > f.History
}

// A Page holds verdicts about pairs of a part of a window.
type Page struct {
	Part     Window        // or a stretch of one with many pairs; at most H long
	Lacking  query.Lacking // of the whole stretch, on its first page
	Verdicts []Verdict
	End      bool // the part has no more pages; this one is empty
	// NoHistory is set at the End of the first part all of whose pairs look new because
	// there is no event at all in the history; nil unless Finder.AskOldest.
	NoHistory *limits.NoHistory
}

// A Verdict says whether the earliest event of a pair in a part is a first
// occurrence.
type Verdict struct {
	esquery.Candidate
	LastSeen        time.Time // in the H before the page's Part; zero if never
	FirstOccurrence bool
}

// Find goes through a window in parts of at most H: in such a part no pair can
// have two first occurrences, so its earliest event decides. A part with many pairs is
// cut into stretches. It yields each pair of a stretch once, and ends after the first error.
func (f Finder) Find(ctx context.Context, w Window) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for rest := w; rest.From.Before(rest.To); {
			part := rest.first(f.History)
			pairs, anyHistory := 0, false
			for page, err := range f.pages(ctx, part) {
				pairs += len(page.Verdicts)
				anyHistory = anyHistory || slices.ContainsFunc(page.Verdicts, func(v Verdict) bool { return !v.LastSeen.IsZero() && v.LastSeen.Before(part.From) })
				if err != nil {
					err = fmt.Errorf("window %s: %w", part, err)
				}
				if !yield(page, err) || err != nil {
					return
				}
			}
			end, err := Page{Part: part, End: true}, error(nil)
			if f.AskOldest && pairs > 0 && !anyHistory {
				end.NoHistory, err = f.noHistory(ctx, part)
				f.AskOldest = end.NoHistory == nil
			}
			if !yield(end, err) || err != nil {
				return
			}
			if rest, err = f.after(ctx, Window{part.To, w.To}, pairs); err != nil {
				yield(Page{}, fmt.Errorf("window %s: %w", rest, err))
				return
			}
		}
	}
}

// noHistory is nil if there is an event in the history of a part.
func (f Finder) noHistory(ctx context.Context, part Window) (*limits.NoHistory, error) {
	whole := query.Range{From: part.From.Add(-f.History), To: part.To}
	oldest, ok, err := f.Source.Oldest(ctx, whole)
	if err != nil {
		return nil, fmt.Errorf("window %s: %w", part, err)
	}
	if !ok || oldest.Before(part.From) {
		return nil, nil
	}
	return &limits.NoHistory{Oldest: oldest, HistoryFrom: whole.From}, nil
}

// A composite aggregation looks at its whole window for each page: 100 pages of a day
// took 56 s of 73. A part with more than maxPages is therefore cut into stretches of about
// wantedPages, down to minStretch. Each is judged by its own history.
const (
	maxPages    = 3
	wantedPages = 2
	minStretch  = time.Second
)

// pages yields the pages of a part, stretch by stretch.
func (f Finder) pages(ctx context.Context, part Window) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		whole := part.To.Sub(part.From)
		length := whole
		for rest := part; rest.From.Before(rest.To); {
			stretch := rest.first(length)
			pages := 0.0 // as its first page expects
			for listed, err := range f.Source.Candidates(ctx, stretch.timeRange()) {
				if pages = max(pages, listed.Pages); isTooLong(stretch, pages) {
					break
				}
				var page Page
				if err == nil {
					page, err = f.judge(ctx, stretch, listed)
				}
				if !yield(page, err) || err != nil {
					return
				}
			}
			switch {
			case isTooLong(stretch, pages):
				length = max(minStretch, time.Duration(float64(stretch.To.Sub(stretch.From))*wantedPages/pages)).Truncate(time.Millisecond)
				continue // once more, shorter
			case pages < wantedPages/2:
				length = min(2*length, whole)
			}
			rest.From = stretch.To
		}
	}
}

func isTooLong(stretch Window, pages float64) bool {
	return pages > maxPages && stretch.To.Sub(stretch.From) > minStretch
}

// judge decides about a page of candidates of a stretch by the history before it.
func (f Finder) judge(ctx context.Context, stretch Window, listed esquery.Page) (Page, error) {
	page := Page{Part: stretch, Lacking: listed.Lacking}
	if len(listed.Candidates) == 0 {
		return page, nil
	}
	history := query.Range{From: stretch.From.Add(-f.History), To: stretch.From}
	lastSeen, err := f.Source.LastSeen(ctx, history, stretch.To.Sub(stretch.From), listed.Candidates)
	if err != nil {
		return page, err
	}
	page.Verdicts = make([]Verdict, len(listed.Candidates))
	for i, c := range listed.Candidates {
		page.Verdicts[i] = Verdict{c, lastSeen[i], f.IsFirstOccurrence(c.First, lastSeen[i])}
	}
	return page, nil
}

// manyParts is how many parts must be left after an empty one to ask where the next
// event is: who wants all there is writes --from 2000-01-01.
const manyParts = 20

// after is what is left of a window after a part with some pairs, from the next
// event on if much is left.
func (f Finder) after(ctx context.Context, rest Window, pairs int) (Window, error) {
	if pairs > 0 || rest.CountParts(f.History) < manyParts {
		return rest, nil
	}
	next, ok, err := f.Source.Oldest(ctx, rest.timeRange())
	switch {
	case err != nil:
		return rest, err
	case !ok:
		rest.From = rest.To
	case next.After(rest.From): // of an event with several times one may be before it
		rest.From = next.Truncate(time.Millisecond)
	}
	return rest, nil
}
