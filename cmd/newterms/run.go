package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"newterms/alerts/runs"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/logging"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic"
	"newterms/job"
	"newterms/job/batch"
	"newterms/job/rule"
)

const runHelp = `runs once, over the scheduled window or over a range

  newterms run [FLAG]...

Without --from it begins where the last scheduled run ended, as in the CronJob.
With --from it covers the range [from, to), as often as you like: nothing alerts
twice. Several rules run side by side; the command fails if one does.

  newterms run --from now-8d --dry-run
  newterms run --from now-30d/d --to now-7d/d --output ndjson
`

// runFlags are the flags of `newterms run`, and the rules to run.
type runFlags struct {
	searchFlags // a nil window is the scheduled one
	dryRun      bool
	rules       []rule.Rule
	unusable    error                                       // about rules that could not be loaded; the others run
	link        func(id string, firstSeen time.Time) string // nil without a KIBANA_URL
}

// several reports whether more than one rule was given.
func (f runFlags) several() bool { return len(f.rules)+len(failure.Causes(f.unusable)) > 1 }

func (p program) run(ctx context.Context, args []string) error {
	f, err := p.parseRun(args)
	if err != nil {
		return err
	}
	client, err := p.connect()
	if err != nil {
		return err
	}
	defer p.during("run")()
	start := p.now()
	sum := &batch.Sum{}
	var failures []error
	for _, cause := range failure.Causes(f.unusable) {
		sum.Unusable++
		failures = append(failures, p.logError(cause))
	}
	b, err := batch.New(ctx, p.store(client), f.rules, f.window == nil, f.dryRun)
	if err != nil {
		if ctx.Err() != nil && f.several() {
			err = fmt.Errorf("%w: %w: %w", job.ErrTerminated, context.Cause(ctx), err)
		}
		return errors.Join(append(failures, err)...)
	}
	token, failed := terminal.NewToken(), make(chan error, len(f.rules))
	sum.NotBegun, err = b.Run(ctx, int(p.settings.Concurrency), func(ctx context.Context, r rule.Rule) {
		run, err := p.runInBatch(ctx, r, f, b, client.Clone(p.log), token)
		sum.Add(run, err)
		failed <- err
	})
	close(failed)
	if errors.Is(context.Cause(ctx), failure.ErrInterrupted) {
		return &failure.StoppedError{True: show.Stopped(sum.Written, f.window == nil, f.dryRun)}
	}
	for err := range failed {
		failures = append(failures, err)
	}
	if !f.several() {
		return errors.Join(append(failures, err)...)
	}
	if err != nil {
		failures = append(failures, p.logError(err))
	}
	requests, took := client.Usage()
	sum.Requests, sum.Took, sum.Duration = sum.Requests+requests, sum.Took+took, p.now().Sub(start)
	p.log.LogAttrs(ctx, slog.LevelInfo, show.Sum(sum, f.dryRun), show.SumKeys(sum, f.dryRun)...)
	return errors.Join(failures...)
}

func (p program) parseRun(args []string) (runFlags, error) {
	var f runFlags
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	f.define(p, flags, "default: the scheduled window", show.Table, show.NDJSON, show.None)
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the alerts, and write nothing, not even run documents\ndefault: off; example: --from now-8d --dry-run")
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return f, err
	}
	if err := f.read(p); err != nil {
		return f, err
	}
	var err error
	if f.link, err = p.settings.AlertURL(); err != nil { // alerts must still be written
		p.log.Warn("alerts have no link: " + failure.Line(err))
	}
	if f.rules, f.unusable = p.loadRules(f.paths, f.exclude, f.missing); len(f.rules) == 0 {
		return f, f.unusable
	}
	return f, nil
}

// runInBatch runs a rule. If there are several, it prints each rule's lines and error
// in one piece.
func (p program) runInBatch(ctx context.Context, r rule.Rule, f runFlags, b *batch.Batch, client *elastic.Client, token terminal.Token) (runs.Run, error) {
	j := b.Job(r, client, p.store(client))
	if !f.several() {
		return p.runRule(ctx, j, f, func() error { return nil })
	}
	p = p.endingWith(ctx)
	output := terminal.NewOutput(token, ctx.Done(), p.stdout, p.stderr)
	defer output.Close()
	p.stdout, p.log = output.Stdout, logging.New(p.settings, version(), p.action, output.Stderr)
	run, err := p.runRule(ctx, j, f, output.Print)
	if err != nil && !errors.Is(err, failure.ErrInterrupted) { // one line reports all of these
		err = p.logError(fmt.Errorf("rule %s: %w", r.Name, err))
	}
	return run, err
}

// logError logs an error, and returns it as a *failure.Reported.
func (p program) logError(err error) error {
	p.log.Error(failure.Line(err), "exit_code", failure.Code(err))
	return &failure.Reported{Exit: failure.Code(err), Err: err}
}

// runRule runs a rule and prints its alerts. It calls printed once they are printed.
func (p program) runRule(ctx context.Context, j job.Job, f runFlags, printed func() error) (runs.Run, error) {
	out := show.NewAlerts(f.output.Value, p.stdout)
	r := j.Rule
	p.configure(&j, f, out)
	j.Finish = func(whole runs.Run, err error) error {
		if f.dryRun && whole.Counts.New > 0 {
			out.None = show.Found(whole.Counts.New, whole.Counts.AlreadyAlerted)
		}
		if failure.Is[*job.PrintError](err) {
			return nil // printing again would fail again
		}
		if err == nil || out.HasRows() {
			if err := out.Flush(r.Name); err != nil {
				return err
			}
		}
		return printed()
	}
	var run runs.Run
	var err error
	if f.window == nil {
		run, err = j.RunScheduled(ctx, uuid.NewString)
	} else {
		run, err = j.Run(ctx, uuid.NewString(), *f.window)
	}
	if err == nil {
		sentence := show.Closing(run, f.dryRun)
		if f.several() {
			sentence = r.Name + ": " + sentence
		}
		p.log.LogAttrs(ctx, slog.LevelInfo, sentence, show.ClosingKeys(run, f.dryRun)...)
	}
	return run, err
}

// configure applies the settings and flags to a job.
func (p program) configure(j *job.Job, f runFlags, out *show.Alerts) {
	j.Version, j.MaxAlerts, j.MaxContexts, j.DryRun = version(), int(p.settings.MaxAlerts), int(p.settings.Context), f.dryRun
	j.Timing = job.Timing{Overlap: time.Duration(p.settings.Overlap), MaxCatchup: time.Duration(p.settings.MaxCatchup)}
	j.Emit, j.Rerun, j.Now, j.Link = out.Add, f.rerun, p.now, f.link
	j.Progress, j.Warn = p.progress.Of(j.Rule.Name), p.warnOf(j.Rule.Name)
}

// warnOf returns a function that logs the warnings of a rule.
func (p program) warnOf(rule string) func(error) {
	return func(err error) { p.log.Warn(failure.Line(err), append(failure.Attrs(err), "rule", rule)...) }
}
