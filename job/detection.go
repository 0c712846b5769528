package job

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"newterms/alerts"
	"newterms/esquery"
)

// isFirstOccurrence is the definition of an alert. first is the earliest event of
// a pair in a window no longer than H, and lastSeen the latest one in the H
// before that window, the zero time if there is none. An event exactly H before
// first is still history.
func isFirstOccurrence(first, lastSeen time.Time, history time.Duration) bool {
	return lastSeen.IsZero() || first.Sub(lastSeen) > history
}

// detection is the state of one run.
type detection struct {
	*Job
	maker   *alerts.Maker
	search  string // what identifies it
	source  Source
	writer  *alerts.Writer
	counts  *alerts.Counts
	lacking LackingTerms
	// progress holds the part.
	progress Progress
	warned   bool // that there is no history
	// sourceOff are the indices of which it has warned that they keep no _source.
	sourceOff []string
	// rejected is the first error about alerts that cannot be indexed. The run
	// goes on, so that they hold up no others, and fails in the end.
	rejected error
}

// occurrence is a first occurrence that has no alert yet.
type occurrence struct {
	candidate esquery.Candidate
	key       alerts.Key
	lastSeen  time.Time // more than H before, but in the history asked for; else zero
}

// A page is what a page of candidates comes to.
type page struct {
	lacking         esquery.Lacking
	candidates, new int
	anyHistory      bool // of the candidates
	// found are the first occurrences that have no alert yet.
	found []occurrence
}

// manyParts is how much of the window must be left, in parts, to ask where the
// next event is once a part has none: who wants all there is writes --from
// 2000-01-01.
const manyParts = 20

// parts goes through the window in parts of at most H.
func (d *detection) parts(ctx, ending context.Context, w Window) error {
	history := d.Rule.History
	d.progress.Parts = w.countParts(history)
	for rest := w; rest.From.Before(rest.To); {
		part := rest.first(history)
		d.progress.Part = 1 + Window{w.From, part.From}.countParts(history)
		before := d.counts.Candidates
		if err := d.part(ctx, ending, part); err != nil {
			return fmt.Errorf("window %s: %w", part, err)
		}
		rest.From = part.To
		if d.counts.Candidates > before || rest.countParts(history) < manyParts {
			continue
		}
		next, ok, err := d.source.Oldest(ctx, rest.timeRange())
		switch {
		case err != nil:
			return fmt.Errorf("window %s: %w", rest, err)
		case !ok:
			return nil
		case next.After(rest.From): // of an event with several times one may be before it
			rest.From = next.Truncate(time.Millisecond)
		}
	}
	return nil
}

// part finds the first occurrences of a part of the window and writes their
// alerts. When it fails, what was found before is written all the same, as long
// as ending allows.
func (d *detection) part(ctx, ending context.Context, part Window) error {
	err := d.pages(ctx, part)
	if err != nil {
		ctx = ending
	}
	return cmp.Or(err, d.flush(ctx))
}

func (d *detection) pages(ctx context.Context, part Window) error {
	var pending []occurrence // of the whole part, only if MaxAlerts asks for it
	candidates := 0
	anyHistory := false
	for page, err := range ahead(ctx, func(ctx context.Context) iter.Seq2[page, error] { return d.ask(ctx, part) }) {
		if err != nil {
			return err
		}
		d.count(page)
		candidates += page.candidates
		anyHistory = anyHistory || page.anyHistory
		if d.MaxAlerts == 0 {
			if err := d.alert(ctx, part, page.found); err != nil {
				return err
			}
			continue
		}
		if pending = append(pending, page.found...); len(pending) > d.MaxAlerts {
			return &MaxAlertsError{d.MaxAlerts}
		}
	}
	if candidates > 0 && !anyHistory {
		if err := d.warnIfNoHistory(ctx, part); err != nil {
			return err
		}
	}
	return d.alert(ctx, part, pending)
}

func (d *detection) count(p page) {
	d.lacking.add(p.lacking)
	d.counts.LackingTerms = d.lacking.Any
	d.counts.Candidates += int64(p.candidates)
	d.counts.New += int64(p.new)
	d.counts.AlreadyAlerted += int64(p.new - len(p.found))
	d.tell()
}

// tell tells how far the run is.
func (d *detection) tell() {
	if d.Progress != nil {
		now := d.progress
		now.Candidates, now.Alerts = d.counts.Candidates, d.counts.Written
		d.Progress(now)
	}
}

// ask asks for the candidates of a part, page by page, and about them. It runs
// beside what is done with the page before, and so changes nothing that both
// know of.
func (d *detection) ask(ctx context.Context, part Window) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		for listed, err := range d.source.Candidates(ctx, part.timeRange()) {
			var p page
			if err == nil {
				p, err = d.firstOccurrences(ctx, part, listed.Candidates)
			}
			p.lacking, p.candidates = listed.Lacking, len(listed.Candidates)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// fewCandidates are asked about in one go: whether they are alerted already beside
// whether they are in the history. Of more, only the new ones are asked about:
// with 505, of which 120 were new, a run ended no sooner.
const fewCandidates = 200

// firstOccurrences finds those of the candidates that are first occurrences, and
// which of these are not alerted yet.
func (d *detection) firstOccurrences(ctx context.Context, part Window, candidates []esquery.Candidate) (page, error) {
	var p page
	if len(candidates) == 0 {
		return p, nil
	}
	few := len(candidates) <= fewCandidates
	var keys []alerts.Key
	var alerted []bool
	var beside sync.WaitGroup
	var besideErr error
	besideCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	if few {
		beside.Go(func() { keys, alerted, besideErr = d.alerted(besideCtx, candidates) })
	}
	history := esquery.Range{From: part.From.Add(-d.Rule.History), To: part.From}
	lastSeen, err := d.source.LastSeen(ctx, history, candidates)
	var fresh []int // positions of candidates
	for i, at := range lastSeen {
		p.anyHistory = p.anyHistory || !at.IsZero()
		if err == nil && isFirstOccurrence(candidates[i].First, at, d.Rule.History) {
			fresh = append(fresh, i)
		}
	}
	if len(fresh) == 0 { // nobody needs to know what is alerted
		cancel()
		beside.Wait()
		return p, err
	}
	if beside.Wait(); besideErr != nil {
		return p, besideErr
	}
	if few {
		keys, alerted = pick(keys, fresh), pick(alerted, fresh)
	} else if keys, alerted, err = d.alerted(ctx, pick(candidates, fresh)); err != nil {
		return p, err
	}
	p.new = len(fresh)
	for n, i := range fresh {
		wanted := !alerted[n]
		if d.trial != nil {
			wanted = d.trial.fetch
			d.trial.tell(Tried{keys[n].FirstSeen, keys[n].Pair, alerted[n]})
		}
		if wanted {
			p.found = append(p.found, occurrence{candidates[i], keys[n], lastSeen[i]})
		}
	}
	return p, nil
}

func pick[T any](from []T, positions []int) []T {
	picked := make([]T, len(positions))
	for n, i := range positions {
		picked[n] = from[i]
	}
	return picked
}

// alerted gives for each candidate the key of its alert, and whether there is one
// already.
func (d *detection) alerted(ctx context.Context, candidates []esquery.Candidate) ([]alerts.Key, []bool, error) {
	keys, already := make([]alerts.Key, len(candidates)), make([]bool, 0, len(candidates))
	for i, c := range candidates {
		var err error
		if keys[i], err = alerts.NewKey(d.Rule.ID, d.Rule.Search.Fields, c.Terms, c.First); err != nil {
			return nil, nil, err
		}
	}
	if d.trial != nil && !d.trial.lookup {
		return keys, make([]bool, len(keys)), nil
	}
	for batch := range slices.Chunk(keys, alerts.MaxBatch) {
		some, err := d.Store.AlreadyAlerted(ctx, batch, alerts.Lookup{History: d.Rule.History, Search: d.search, Fields: d.Rule.Search.Fields})
		if err != nil {
			return nil, nil, err
		}
		already = append(already, some...)
	}
	return keys, already, nil
}

// warnIfNoHistory tells apart candidates that are new from a source that is: where
// there is no event at all in the history, everything looks new.
func (d *detection) warnIfNoHistory(ctx context.Context, part Window) error {
	if d.warned {
		return nil
	}
	whole := esquery.Range{From: part.From.Add(-d.Rule.History), To: part.To}
	oldest, ok, err := d.source.Oldest(ctx, whole)
	if err != nil || !ok || oldest.Before(part.From) {
		return err
	}
	d.warned = true
	d.Warn(&NoHistory{oldest, whole.From})
	return nil
}

// excluded counts what the exclusions of the rule take. That they cannot be
// counted is no reason to fail: what they leave has been found.
func (d *detection) excluded(ctx context.Context, w Window) ([]alerts.Excluded, error) {
	counts, _, err := d.source.Excluded(ctx, w.timeRange())
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		d.Warn(&Uncounted{err})
		return nil, nil
	}
	excluded := make([]alerts.Excluded, len(counts))
	for i, c := range counts {
		excluded[i] = alerts.Excluded(c)
	}
	return excluded, nil
}
