// Package backtest counts the first occurrences that a rule would have found in a
// range, and how exclusions and other histories change that number. It uses the
// algorithm of a run, and writes nothing.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/datemath"
	"newterms/job/limits"
	"newterms/job/rule"
)

// A Backtest is a rule and the questions about it.
type Backtest struct {
	Rule      rule.Rule       // with the settings applied to its search, without Exclude
	Exclude   []kql.Query     // more exclusions, whose effect is measured
	Histories []time.Duration // other lengths of the history window
	// OnlyCounts skips the top values and the effect of each exclusion. That is much
	// faster.
	OnlyCounts bool
	// MaxContexts is how many first occurrences get their context, for their novelty; 0 is
	// none. OnlyCounts gives none.
	MaxContexts int

	Open     func(context.Context, query.Search) (*esquery.Source, error)
	Store    *alerts.Store
	Warn     func(error) // receives a run's warnings, except those about writing
	Progress func(job.Progress)
}

// ParseHistories reads lengths of time between commas.
func ParseHistories(text string) ([]time.Duration, error) {
	var all []time.Duration
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		history, err := datemath.Duration(one)
		if err == nil && history <= 0 {
			err = errors.New("it must be longer than 0")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one, err)
		}
		all = append(all, history)
	}
	return all, nil
}

// Run goes through the window once for the counts, once more for all exclusions, twice
// more for suggestions, and once for each other history.
func (b *Backtest) Run(ctx context.Context, w job.Window) (*Report, error) {
	source, err := b.Open(ctx, b.ruleWith(b.Exclude).Search)
	if err != nil {
		return nil, err
	}
	longest := slices.Max(append([]time.Duration{b.Rule.History}, b.Histories...))
	c := calendar{window: w}
	if c.data, err = inspect.DaysOfData(ctx, source.Opened, reach(w, longest)); err != nil {
		return nil, err
	}
	f := newTotals(b.Rule.History)
	if err := b.findAll(ctx, source, w, f); err != nil {
		return nil, err
	}
	report := f.report(b.Rule, c)
	if !b.OnlyCounts {
		if len(b.Exclude) > 0 {
			if report.ExclusionEffects, err = b.measureExclusions(ctx, c, f.total); err != nil {
				return nil, err
			}
		}
		if report.Suggestions, err = b.suggest(ctx, source, c, f); err != nil {
			return nil, err
		}
	}
	b.warnOfMistyped(ctx, source, report)
	for _, history := range b.Histories {
		other := newTotals(history)
		if err := b.count(ctx, w, b.Exclude, history, other.add); err != nil {
			return nil, fmt.Errorf("history %s: %w", words.Span(history), err)
		}
		report.Histories = append(report.Histories, other.counts(c))
	}
	return report, nil
}

// warnOfMistyped warns of unmapped fields if nothing was found, or if an exclusion
// removes nothing.
func (b *Backtest) warnOfMistyped(ctx context.Context, source *esquery.Source, r *Report) {
	isIdle := func(e Exclusion) bool { return e.Events == 0 }
	if r.FirstOccurrences == 0 || r.ExclusionEffects != nil && slices.ContainsFunc(r.Exclusions, isIdle) {
		limits.WarnOfMistyped(ctx, source, true, b.Warn)
	}
}

// ruleWith returns the rule with more exclusions.
func (b *Backtest) ruleWith(exclude []kql.Query) rule.Rule {
	r := b.Rule
	r.Search.Exclude = slices.Concat(r.Search.Exclude, exclude)
	return r
}

// count calls add with each first occurrence of a window.
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

// findAll fills in what the report says about the rule itself.
func (b *Backtest) findAll(ctx context.Context, source *esquery.Source, w job.Window, f *totals) error {
	r := b.ruleWith(b.Exclude)
	for _, kind := range alert.FacetKinds(r.Search.Fields) {
		f.values = append(f.values, Dimension{Name: kind})
	}
	limits.WarnOfSource(source, r.Search, b.Warn)
	maker, err := job.NewAlertMaker(source, r.Parameters, runs.Info{}, time.Now, b.Warn)
	if err != nil {
		return err
	}
	maker = maker.WithoutSummaries().WithContexts(r.History, b.MaxContexts)
	lacking := job.NewLackingTerms()
	progress := job.Progress{Parts: w.CountParts(r.History)}
	finder := job.Finder{Source: source, History: r.History, AskOldest: true}
	pages := func(ctx context.Context) iter.Seq2[job.OccurrencePage, error] {
		return finder.FindOccurrences(ctx, b.Store, r, w)
	}
	for page, err := range job.Prefetch(ctx, pages) {
		if err != nil {
			return err
		}
		lacking.Add(page.Lacking)
		if page.NoHistory != nil {
			b.Warn(page.NoHistory)
		}
		for _, o := range page.Occurrences {
			f.add(o)
		}
		if err := b.describe(ctx, source, maker, page, f); err != nil {
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
	f.cause, err = maker.Cause(ctx, &f.sharing, "")
	return err
}

// describe counts the values that the alerts of a page would have.
func (b *Backtest) describe(ctx context.Context, source *esquery.Source, maker *job.AlertMaker, page job.OccurrencePage, f *totals) error {
	if b.OnlyCounts {
		return nil
	}
	for made, err := range maker.Alerts(ctx, page.Occurrences) {
		if err != nil {
			return err
		}
		for _, a := range made {
			f.describe(a, source.IsMapped)
		}
	}
	return nil
}
