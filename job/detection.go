package job

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"newterms/alerts"
	"newterms/esquery"
)

// detection is the state of one run.
type detection struct {
	*Job
	finder   Finder
	search   string // hash of the rule's search
	maker    *AlertMaker
	writer   *alerts.Writer
	counts   *alerts.Counts
	lacking  LackingTerms
	progress Progress
	pending  []Occurrence // of the current part; used only if MaxAlerts is set
	// rejected is the first error about an alert that cannot be indexed. The run goes
	// on with the other alerts, and fails at its end.
	rejected error
}

// detect finds the first occurrences in the run's window and writes their alerts. If it
// fails, it still writes the alerts found before, until ending is done.
func (j *Job) detect(ctx, ending context.Context, open func() (*esquery.Source, error), run *alerts.Run) error {
	source, err := open()
	if err != nil {
		return err
	}
	info, w := run.RunInfo, Window{run.From, run.To}
	info.TimeLimited = WarnOfSource(source, j.Rule.Search, j.Warn)
	maker, err := NewAlertMaker(source, j.Rule.Parameters, info, j.Now, j.Warn)
	if err != nil {
		return err
	}
	d := detection{
		Job: j, finder: Finder{source, j.Rule.History, true}, search: info.Search, maker: maker, writer: j.Store.Writer(),
		counts: &run.Counts, lacking: NewLackingTerms(), progress: Progress{Parts: w.CountParts(j.Rule.History)},
	}
	if err := d.pages(ctx, w); err != nil {
		_ = d.flush(ending)
		return err
	}
	if d.lacking.Any > 0 {
		j.Warn(&d.lacking)
	}
	if run.Excluded, err = d.excluded(ctx, w); err != nil {
		return err
	}
	if d.rejected != nil {
		return fmt.Errorf("window %s: %w", w, d.rejected)
	}
	return nil
}

// pages writes the alerts of each page, while the next page is being fetched.
func (d *detection) pages(ctx context.Context, w Window) error {
	for page, err := range Prefetch(ctx, func(ctx context.Context) iter.Seq2[unalertedPage, error] { return d.unalertedPages(ctx, w) }) {
		if err != nil {
			return err
		}
		d.count(page, w)
		if err := d.page(ctx, page); err != nil {
			return fmt.Errorf("window %s: %w", page.Part, err)
		}
	}
	return nil
}

// page writes the alerts of a page. With MaxAlerts it writes those of a whole part, at
// the part's end.
func (d *detection) page(ctx context.Context, p unalertedPage) error {
	if d.MaxAlerts == 0 {
		if err := d.alert(ctx, p.Part, p.found); err != nil {
			return err
		}
	} else if d.pending = append(d.pending, p.found...); len(d.pending) > d.MaxAlerts {
		return &MaxAlertsError{d.MaxAlerts}
	}
	if !p.End {
		return nil
	}
	if p.NoHistory != nil {
		d.Warn(p.NoHistory)
	}
	err := d.alert(ctx, p.Part, d.pending)
	d.pending = nil
	return cmp.Or(err, d.flush(ctx))
}

// An unalertedPage is a page and those of its first occurrences that have no alert yet.
type unalertedPage struct {
	Page
	first int // number of first occurrences, with or without an alert
	found []Occurrence
}

// unalertedPages yields the pages of a window. It runs while the page before is
// handled, so it must not write to shared state.
func (d *detection) unalertedPages(ctx context.Context, w Window) iter.Seq2[unalertedPage, error] {
	return func(yield func(unalertedPage, error) bool) {
		for page, err := range d.finder.Find(ctx, w) {
			u := unalertedPage{Page: page}
			if err == nil {
				u.first, u.found, err = d.withoutAlert(ctx, page)
			}
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

func (d *detection) withoutAlert(ctx context.Context, page Page) (first int, found []Occurrence, err error) {
	all, err := Occurrences(d.Rule, page)
	if err == nil {
		err = MarkAlerted(ctx, d.Store, d.Rule, d.search, all)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("window %s: %w", page.Part, err)
	}
	first = len(all)
	return first, slices.DeleteFunc(all, func(o Occurrence) bool { return o.Alerted }), nil
}

func (d *detection) count(p unalertedPage, w Window) {
	d.progress.Part = 1 + Window{w.From, p.Part.From}.CountParts(d.Rule.History)
	d.lacking.Add(p.Lacking)
	d.counts.LackingTerms = d.lacking.Any
	d.counts.Candidates += int64(len(p.Verdicts))
	d.counts.New += int64(p.first)
	d.counts.AlreadyAlerted += int64(p.first - len(p.found))
	d.reportProgress()
}

// reportProgress calls Progress with the run's counts so far.
func (d *detection) reportProgress() {
	if d.Progress != nil {
		now := d.progress
		now.Candidates, now.Alerts = d.counts.Candidates, d.counts.Written
		d.Progress(now)
	}
}

// excluded counts the events that each of the rule's exclusions removes. A failure to
// count is only a warning: the alerts are written already.
func (d *detection) excluded(ctx context.Context, w Window) ([]alerts.Excluded, error) {
	counts, _, err := d.finder.Source.Excluded(ctx, w.timeRange())
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
