// Package backtest counts the first occurrences that a rule would have found in a
// range, and what exclusions and other histories change about that. It finds them as
// a run does, and writes nothing.
package backtest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/rule"
	"newterms/job/words"
)

// A Backtest is one rule and what is asked about it.
type Backtest struct {
	Rule      rule.Rule       // with the settings applied to its search, without Exclude
	Exclude   []kql.Query     // further exclusions, whose effect is measured
	Histories []time.Duration // further lengths of the history window
	// OnlyCounts leaves out what the events say and what each exclusion takes. That
	// is much faster.
	OnlyCounts bool

	Open     func(context.Context, esquery.Search) (*esquery.Source, error)
	Store    *alerts.Store
	Warn     func(error) // is given what a run's Warn is given, but for what is about writing
	Progress func(job.Progress)
}

// Run goes through the window once for all, and again for each other history, for no
// exclusion, for each exclusion alone and for all but each.
func (b *Backtest) Run(ctx context.Context, w job.Window) (*Report, error) {
	f := newFindings(w, b.Rule.History)
	if err := b.findAll(ctx, w, f); err != nil {
		return nil, err
	}
	report := f.report(b.Rule, w)
	if len(b.Exclude) > 0 && !b.OnlyCounts {
		var err error
		if report.Measured, err = b.measure(ctx, w, f.total); err != nil {
			return nil, err
		}
	}
	for _, history := range b.Histories {
		other := newFindings(w, history)
		if err := b.count(ctx, w, b.Exclude, history, other.add); err != nil {
			return nil, fmt.Errorf("history %s: %w", words.Span(history), err)
		}
		report.Histories = append(report.Histories, other.counts())
	}
	return report, nil
}

// ruleWith is the rule with further exclusions.
func (b *Backtest) ruleWith(exclude []kql.Query) rule.Rule {
	r := b.Rule
	r.Search.Exclude = slices.Concat(r.Search.Exclude, exclude)
	return r
}

// count adds each first occurrence of a window.
func (b *Backtest) count(ctx context.Context, w job.Window, exclude []kql.Query, history time.Duration, add func(job.Occurrence)) error {
	r := b.ruleWith(exclude)
	source, err := b.Open(ctx, r.Search)
	if err != nil {
		return err
	}
	for page, err := range (job.Finder{Source: source, History: history}).Find(ctx, w) {
		if err != nil {
			return err
		}
		for _, v := range page.Verdicts {
			if v.FirstOccurrence {
				add(job.Occurrence{Verdict: v})
			}
		}
	}
	return nil
}

// findAll finds all that the report tells of the rule itself.
func (b *Backtest) findAll(ctx context.Context, w job.Window, f *findings) error {
	r := b.ruleWith(b.Exclude)
	search, err := r.Search.Hash()
	if err != nil {
		return err
	}
	source, err := b.Open(ctx, r.Search)
	if err != nil {
		return err
	}
	job.WarnOfSource(source, r.Search, b.Warn)
	maker, err := job.NewAlertMaker(source, r.Parameters, alerts.RunInfo{}, time.Now, b.Warn)
	if err != nil {
		return err
	}
	lacking := job.NewLackingTerms()
	progress := job.Progress{Parts: w.CountParts(r.History)}
	finder := job.Finder{Source: source, History: r.History, AskOldest: true}
	pages := func(ctx context.Context) iter.Seq2[found, error] {
		return b.alerted(ctx, finder.Find(ctx, w), r, search)
	}
	for page, err := range job.Prefetch(ctx, pages) {
		if err != nil {
			return err
		}
		lacking.Add(page.Lacking)
		if page.NoHistory != nil {
			b.Warn(page.NoHistory)
		}
		for _, o := range page.occurrences {
			f.add(o)
		}
		if err := b.describe(ctx, maker, page, f); err != nil {
			return fmt.Errorf("window %s: %w", page.Part, err)
		}
		progress.Part = 1 + job.Window{From: w.From, To: page.Part.From}.CountParts(r.History)
		progress.Candidates += int64(len(page.Verdicts))
		progress.Alerts = f.total
		b.Progress(progress)
	}
	if f.lacking = lacking.Any; f.lacking > 0 {
		b.Warn(&lacking)
	}
	return nil
}

// found is a page with its first occurrences.
type found struct {
	job.Page
	occurrences []job.Occurrence
}

// alerted marks the first occurrences of pages that have an alert.
func (b *Backtest) alerted(ctx context.Context, pages iter.Seq2[job.Page, error], r rule.Rule, search string) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for page, err := range pages {
			f := found{Page: page}
			if err == nil {
				f.occurrences, err = b.occurrences(ctx, page, r, search)
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

func (b *Backtest) occurrences(ctx context.Context, page job.Page, r rule.Rule, search string) ([]job.Occurrence, error) {
	all, err := job.Occurrences(r, page)
	if err == nil {
		err = job.MarkAlerted(ctx, b.Store, r, search, all)
	}
	if err != nil {
		return nil, fmt.Errorf("window %s: %w", page.Part, err)
	}
	return all, nil
}

// describe counts what the alerts of a page would say.
func (b *Backtest) describe(ctx context.Context, maker *job.AlertMaker, page found, f *findings) error {
	if b.OnlyCounts {
		return nil
	}
	for made, err := range maker.Alerts(ctx, page.Part, page.occurrences) {
		if err != nil {
			return err
		}
		for _, a := range made {
			f.describe(a.Describe())
		}
	}
	return nil
}
