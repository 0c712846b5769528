package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/datemath"
	"newterms/job/rule"
)

// backtestFlags are what `newterms backtest` was told.
type backtestFlags struct {
	*askedFlags
	files     list
	histories []time.Duration
	measured  []kql.Query // the exclusions that are not the settings'
}

// backtest shows what rules would have found in a range, and what exclusions
// take. It writes nothing.
func (p program) backtest(ctx context.Context, args []string) error {
	f, err := p.parseBacktest(args)
	if err != nil {
		return err
	}
	rules, unusable := f.askedFlags.rules(p)
	if len(rules) == 0 {
		return unusable
	}
	client, err := p.connect()
	if err != nil {
		return errors.Join(unusable, err)
	}
	defer p.progress.during("backtest")()
	several := len(rules)+len(causes(unusable)) > 1
	failures := []error{unusable}
	var results []*trial
	for _, r := range rules {
		t := p.newTrial(client, r, f)
		err := t.measure(ctx, several)
		if err != nil && several {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		if failures = append(failures, err); err == nil {
			results = append(results, t)
		}
		if ctx.Err() != nil {
			break
		}
	}
	slices.SortStableFunc(results, func(a, b *trial) int { return cmp.Compare(b.all.total, a.all.total) })
	return errors.Join(append(failures, p.printTrials(results, f, several))...)
}

func (p program) parseBacktest(args []string) (backtestFlags, error) {
	asked, flags := p.newAskedFlags("backtest", "text", "json")
	f := backtestFlags{askedFlags: asked}
	var histories string
	flags.Var(&f.files, "exclude-file", "")
	flags.StringVar(&histories, "history", "", "")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return f, err
	}
	if err := asked.read(p); err != nil {
		return f, err
	}
	if asked.given == nil {
		return f, usageError{errors.New("backtest: --from is missing: say since when, such as --from now-30d/d")}
	}
	f.measured, asked.exclude = asked.exclude, nil
	for _, path := range f.files {
		more, err := readExcludeFile(path)
		if err != nil {
			return f, usageError{fmt.Errorf("--exclude-file: %w", err)}
		}
		f.measured = append(f.measured, more...)
	}
	for text := range strings.SplitSeq(histories, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		history, err := datemath.Duration(text)
		if err == nil && history <= 0 {
			err = errors.New("it is no time at all")
		}
		if err != nil {
			return f, usageError{fmt.Errorf("--history %s: %w", text, err)}
		}
		f.histories = append(f.histories, history)
	}
	return f, nil
}

// A trial is what a backtest of one rule finds.
type trial struct {
	p      program
	client *elastic.Client
	rule   rule.Rule // with the exclusions of the settings only
	f      backtestFlags
	window job.Window

	all       *findings
	exclusion []measuredExclusion
	without   int64 // first occurrences without any of the measured exclusions
	histories []measuredHistory
}

type measuredHistory struct {
	history time.Duration
	*findings
}

func (p program) newTrial(client *elastic.Client, r rule.Rule, f backtestFlags) *trial {
	return &trial{p: p, client: client.Apart(p.log), rule: r, f: f, window: f.window(p, r.History)}
}

// measure runs over the range: once for all, and again without some of the
// exclusions and with other histories. Of several rules only the numbers count.
func (t *trial) measure(ctx context.Context, several bool) error {
	started := t.p.now()
	t.all = newFindings(t.window)
	var emit func(alerts.Alert) error
	if !several {
		emit = t.all.alert
	}
	run, err := t.run(ctx, t.f.measured, t.rule.History, true, t.all.tried, emit)
	if err != nil {
		return err
	}
	t.all.lacking = run.Counts.LackingTerms
	if !several {
		if err := t.measureExclusions(ctx); err != nil {
			return err
		}
	}
	for _, history := range t.f.histories {
		m := measuredHistory{history, newFindings(t.window)}
		if _, err := t.run(ctx, t.f.measured, history, false, m.tried, nil); err != nil {
			return fmt.Errorf("history %s: %w", span(history), err)
		}
		t.histories = append(t.histories, m)
	}
	requests, _ := t.client.Spent()
	t.p.log.Info(fmt.Sprintf("%s: %s in %s; %s, %.1f s", t.rule.Name, plural(t.all.total, "first occurrence", "first occurrences"), span(t.window.To.Sub(t.window.From)),
		plural(int64(requests), "request", "requests"), t.p.now().Sub(started).Seconds()),
		"rule", t.rule.Name, "new", t.all.total, "already_alerted", t.all.alerted, "requests", requests)
	return nil
}

func (t *trial) run(ctx context.Context, exclude []kql.Query, history time.Duration, lookup bool, tell func(job.Tried), emit func(alerts.Alert) error) (alerts.Run, error) {
	r := t.rule
	r.Search.Exclude = slices.Concat(r.Search.Exclude, exclude)
	r.History = history
	warned, warn := map[string]bool{}, t.p.warnOf(r.Name)
	j := job.Job{
		Rule: r, Version: version(), Store: t.p.store(t.client),
		Open:     func(ctx context.Context, s esquery.Search) (job.Source, error) { return esquery.Open(ctx, t.client, s) },
		Progress: t.p.progress.of(r.Name),
		Warn: func(err error) {
			if lookup && !is[*job.LeftOut](err) && !warned[err.Error()] { // the same in each run, and about alerts that nobody writes
				warned[err.Error()] = true
				warn(err)
			}
		},
		Spent: t.client.Spent, Now: t.p.now,
	}
	return j.Backtest(ctx, uuid.NewString(), t.window, lookup, tell, emit)
}
