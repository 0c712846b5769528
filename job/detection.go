package job

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/inspect"
	"newterms/job/limits"
)

// detection is the state of one run.
type detection struct {
	*Job
	finder   Finder
	maker    *AlertMaker
	writer   *alerts.Writer
	counts   *runs.Counts
	lacking  LackingTerms
	progress Progress
	pending  []Occurrence // of the current part; used only if MaxAlerts is set
	// rejected is the first error about an alert that cannot be indexed. The run goes
	// on with the other alerts, and fails at its end.
	rejected  error
	sharing   Sharing
	noHistory *limits.NoHistory // nil if some pair has a history
}

// detect finds the first occurrences in the run's window and writes their alerts. If it
// fails, it still writes the alerts found before, until ending is done.
func (j *Job) detect(ctx, ending context.Context, open func() (*esquery.Source, error), run *runs.Run) error {
	source, err := open()
	if err != nil {
		return err
	}
	info, w := run.Info, Window{run.From, run.To}
	info.TimeLimited = limits.WarnOfSource(source, j.Rule.Search, j.Warn)
	maker, err := NewAlertMaker(source, j.Rule.Parameters, info, j.Now, j.Warn)
	if err != nil {
		return err
	}
	d := detection{
		Job: j, finder: Finder{source, j.Rule.History, true}, maker: maker.LinkTo(j.Link).WithContexts(j.Rule.History, j.MaxContexts), writer: j.Store.Writer(),
		counts: &run.Counts, lacking: NewLackingTerms(), progress: Progress{Parts: w.CountParts(j.Rule.History)},
	}
	err = d.pages(ctx, w)
	d.maker.contexts.warn(j.MaxContexts, d.noHistory, j.Warn)
	if err != nil {
		_ = d.flush(ending)
		return err
	}
	if d.lacking.Any > 0 {
		j.Warn(&d.lacking)
	}
	if run.Cause, err = d.maker.Cause(ctx, &d.sharing, run.ID); err != nil {
		return err
	}
	if run.Excluded, err = d.excluded(ctx, w); err != nil {
		return err
	}
	byHand := run.Type == runs.Manual
	if d.counts.Candidates == 0 || byHand && slices.ContainsFunc(run.Excluded, func(e runs.Excluded) bool { return e.Events == 0 }) {
		limits.WarnOfMistyped(ctx, source, byHand, j.Warn)
	}
	if d.rejected != nil {
		return fmt.Errorf("window %s: %w", w, d.rejected)
	}
	return nil
}

// pages writes the alerts of each page, while the next page is being fetched.
func (d *detection) pages(ctx context.Context, w Window) error {
	find := func(ctx context.Context) iter.Seq2[OccurrencePage, error] {
		return d.finder.FindOccurrences(ctx, d.Store, d.Rule, w)
	}
	for page, err := range Prefetch(ctx, find) {
		if err != nil {
			return err
		}
		unalerted := slices.DeleteFunc(slices.Clone(page.Occurrences), func(o Occurrence) bool { return o.Alerted })
		d.count(page, len(unalerted), w)
		if err := d.page(ctx, page.Page, unalerted); err != nil {
			return fmt.Errorf("window %s: %w", page.Part, err)
		}
	}
	return nil
}

// page writes the alerts of a page. With MaxAlerts it writes those of a whole part, at
// the part's end.
func (d *detection) page(ctx context.Context, p Page, unalerted []Occurrence) error {
	if d.MaxAlerts == 0 {
		if err := d.alert(ctx, unalerted); err != nil {
			return err
		}
	} else if d.pending = append(d.pending, unalerted...); len(d.pending) > d.MaxAlerts {
		return &MaxAlertsError{d.MaxAlerts}
	}
	if !p.End {
		return nil
	}
	d.noHistory = cmp.Or(d.noHistory, p.NoHistory)
	err := d.alert(ctx, d.pending)
	d.pending = nil
	return cmp.Or(err, d.flush(ctx))
}

func (d *detection) count(p OccurrencePage, unalerted int, w Window) {
	d.progress.Part = 1 + Window{w.From, p.Part.From}.CountParts(d.Rule.History)
	d.lacking.Add(p.Lacking)
	d.counts.LackingTerms = d.lacking.Any
	d.counts.Candidates += int64(len(p.Verdicts))
	d.counts.New += int64(len(p.Occurrences))
	d.counts.AlreadyAlerted += int64(len(p.Occurrences) - unalerted)
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
func (d *detection) excluded(ctx context.Context, w Window) ([]runs.Excluded, error) {
	counts, _, err := inspect.CountExcluded(ctx, d.finder.Source.Opened, w.timeRange())
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		d.Warn(uncounted(err))
		return nil, nil
	}
	excluded := make([]runs.Excluded, len(counts))
	for i, c := range counts {
		excluded[i] = runs.Excluded(c)
	}
	return excluded, nil
}
