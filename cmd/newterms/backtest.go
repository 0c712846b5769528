package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/job"
	"newterms/job/backtest"
	"newterms/job/rule"
)

const backtestHelp = `counts past first occurrences; measures exclusions

  newterms backtest --from T [FLAG]...

It counts first occurrences by day and by value, alerted or not, and the effect
of each exclusion. Several rules make a table. It writes nothing.

  newterms backtest --from now-30d/d --exclude 'client.ip: 203.0.113.0/24'
`

// backtestFlags are the flags of `newterms backtest`.
type backtestFlags struct {
	searchFlags
	histories []time.Duration
}

// backtest counts the first occurrences of rules in a range, and the effects of
// exclusions. It writes nothing.
func (p program) backtest(ctx context.Context, args []string) error {
	f, err := p.parseBacktest(args)
	if err != nil {
		return err
	}
	rules, unusable := p.loadRules(f.paths, nil, f.missing)
	if len(rules) == 0 {
		return unusable
	}
	client, err := p.connect()
	if err != nil {
		return errors.Join(unusable, err)
	}
	defer p.during("backtest")()
	several := len(rules)+len(failure.Causes(unusable)) > 1
	failures := []error{unusable}
	var reports []*backtest.Report
	for _, r := range rules {
		report, err := p.backtestRule(ctx, client.Clone(p.log), r, f, several)
		if err != nil && several {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		if failures = append(failures, err); err == nil {
			reports = append(reports, report)
		}
		if ctx.Err() != nil {
			break
		}
	}
	slices.SortStableFunc(reports, func(a, b *backtest.Report) int { return cmp.Compare(b.FirstOccurrences, a.FirstOccurrences) })
	return errors.Join(append(failures, show.Reports(p.stdout, reports, f.output.Value, several))...)
}

// backtestRule runs the backtest of one rule. With several rules it only counts.
func (p program) backtestRule(ctx context.Context, client *elastic.Client, r rule.Rule, f backtestFlags, several bool) (*backtest.Report, error) {
	warn := p.warnOf(r.Name)
	b := backtest.Backtest{
		Rule: r, Exclude: f.exclude, Histories: f.histories, OnlyCounts: several, MaxContexts: int(p.settings.Context),
		Open: esquery.Opener(client), Store: p.store(client), Progress: p.progress.Of(r.Name),
		Warn: func(err error) {
			if !failure.Is[*job.LeftOut](err) { // the alerts are not written
				warn(err)
			}
		},
	}
	started, w := p.now(), *f.window
	report, err := b.Run(ctx, w)
	if err != nil {
		return nil, err
	}
	requests, _ := client.Usage()
	p.log.Info(fmt.Sprintf("%s: %s in %s; %s", r.Name, words.Plural(report.FirstOccurrences, "first occurrence", "first occurrences"), words.Span(w.To.Sub(w.From)),
		show.Spent(requests, p.now().Sub(started))),
		"rule", r.Name, "new", report.FirstOccurrences, "already_alerted", report.AlreadyAlerted, "requests", requests)
	return report, nil
}

func (p program) parseBacktest(args []string) (backtestFlags, error) {
	var f backtestFlags
	var histories string
	flags := flag.NewFlagSet("backtest", flag.ContinueOnError)
	f.define(p, flags, "required", show.Text, show.JSON)
	flags.StringVar(&histories, "history", "", "compare with other lengths of the history window: `D,...`\ndefault: the rule's alone; example: --history 7d,14d")
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return f, err
	}
	if err := f.read(p); err != nil {
		return f, err
	}
	if f.window == nil {
		return f, failure.Usagef("backtest: --from is missing: give the beginning of the range, such as --from now-30d/d")
	}
	var err error
	if f.histories, err = backtest.ParseHistories(histories); err != nil {
		return f, failure.Usagef("--history %w", err)
	}
	return f, nil
}
