package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/cmd/newterms/show"
	"newterms/job"
	"newterms/job/rule"
	"newterms/job/words"
)

const runHelp = `  newterms run    [--from T] [--to T] [--rule PATH]... [--exclude KQL]...
                  [--exclude-file FILE]... [--missing-terms skip|include]
                  [--dry-run] [--output table|ndjson|none]
                  runs once, over the scheduled window or over [from, to)
`

// runFlags are what `newterms run` was told.
type runFlags struct {
	searchFlags // whose window is the scheduled one if it is nil
	dryRun      bool
	rules       []rule.Rule
	unusable    error // of rules that were asked for; the others run
}

// several reports whether more than one rule was asked for.
func (f runFlags) several() bool { return len(f.rules)+len(causes(f.unusable)) > 1 }

func (p program) run(ctx context.Context, args []string) error {
	f, err := p.parseRun(args)
	if err != nil {
		return err
	}
	client, err := p.connect()
	if err != nil {
		return err
	}
	if f.several() {
		return p.runSeveral(ctx, f, client)
	}
	s, err := p.share(ctx, f, client)
	if err != nil {
		return err
	}
	turns := p.turns(f.rules, nil)
	defer p.during("run")()
	for r, ctx := range turns.each(ctx) {
		_, err = p.runRule(ctx, r, f, s, func() error { return nil })
	}
	return errors.Join(err, turns.notBegun(ctx))
}

func (p program) parseRun(args []string) (runFlags, error) {
	var f runFlags
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	f.define(p, flags, show.Table, show.NDJSON, show.None)
	flags.BoolVar(&f.dryRun, "dry-run", false, "")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return f, err
	}
	if err := f.read(p); err != nil {
		return f, err
	}
	if f.rules, f.unusable = p.rules(f.paths, f.exclude, f.missing); len(f.rules) == 0 {
		return f, f.unusable
	}
	return f, nil
}

// runRule runs a rule and prints what it finds; printed is called when that is
// said. It asks through a client of its own, which counts its requests.
func (p program) runRule(ctx context.Context, r rule.Rule, f runFlags, s *shared, printed func() error) (alerts.Run, error) {
	out := show.NewAlerts(f.output, p.stdout)
	j := p.newJob(r, f, s, s.client.Apart(p.log), out)
	j.Finish = func(whole alerts.Run, err error) error {
		if f.dryRun && whole.Counts.New > 0 {
			out.None = show.Found(whole.Counts.New, whole.Counts.AlreadyAlerted)
		}
		if is[*job.PrintError](err) {
			return nil // there is no use in trying once more
		}
		if err == nil || out.Kept() {
			if err := out.Flush(r.Name); err != nil {
				return err
			}
		}
		return printed()
	}
	var run alerts.Run
	var err error
	if f.window == nil {
		run, err = j.RunScheduled(ctx, uuid.NewString)
	} else {
		run, err = j.Run(ctx, uuid.NewString(), *f.window)
	}
	if err == nil {
		sentence := closingSentence(run, f.dryRun)
		if f.several() {
			sentence = r.Name + ": " + sentence
		}
		p.log.LogAttrs(ctx, slog.LevelInfo, sentence, closingKeys(run, f.dryRun)...)
	}
	return run, err
}

// closingSentence sums up a run for people.
func closingSentence(run alerts.Run, dryRun bool) string {
	c := run.Counts
	written := words.Plural(c.Written, "alert", "alerts") + " written"
	if dryRun {
		written = words.Plural(c.Written, "alert", "alerts") + " to write, none written by this dry run"
	}
	return fmt.Sprintf("%s, %s, %s, %d already alerted%s; %s, %.1f s",
		words.Plural(c.Candidates, "pair", "pairs"), words.Plural(c.New, "first occurrence", "first occurrences"), written, c.AlreadyAlerted, show.Excluded(run.Excluded),
		words.Plural(int64(run.Requests), "request", "requests"), run.Duration.Seconds())
}

// closingKeys sums up a run for programs.
func closingKeys(run alerts.Run, dryRun bool) []slog.Attr {
	written := "written"
	if dryRun {
		written = "would_write"
	}
	keys := []slog.Attr{
		slog.String("run_id", run.ID), slog.String("rule", run.RuleName), slog.String("window", job.Window{From: run.From, To: run.To}.String()),
		slog.Int64("candidates", run.Counts.Candidates), slog.Int64("new", run.Counts.New), slog.Int64(written, run.Counts.Written),
		slog.Int64("already_alerted", run.Counts.AlreadyAlerted), slog.Int64("lacking_terms", run.Counts.LackingTerms),
		slog.Int("requests", run.Requests), slog.Int64("took_ms", run.Took.Milliseconds()),
		slog.Int64("duration_ms", run.Duration.Milliseconds()),
	}
	if len(run.Excluded) > 0 {
		keys = append(keys, slog.Any("excluded", show.MostExcluded(run.Excluded, 100)))
	}
	return keys
}

// warnOf logs the warnings of a rule.
func (p program) warnOf(rule string) func(error) {
	return func(err error) { p.log.Warn(withAdvice(err), append(warningKeys(err), "rule", rule)...) }
}

// warningKeys tell a warning for programs.
func warningKeys(err error) []any {
	var gap *job.Gap
	var lacking *job.LackingTerms
	var history *job.NoHistory
	var leftOut *job.LeftOut
	var sourceOff *job.SourceOff
	switch {
	case errors.As(err, &gap):
		return []any{"gap", gap.Window.String(), "rerun", gap.Rerun}
	case errors.As(err, &lacking):
		return []any{"events", lacking.Any, "lacking", strings.Join(lacking.Fields(), ", ")}
	case errors.As(err, &history):
		return []any{"oldest_event", history.Oldest.UTC(), "history_from", history.HistoryFrom.UTC()}
	case errors.As(err, &sourceOff):
		return []any{"index", sourceOff.Index}
	case errors.As(err, &leftOut):
		return []any{"left_out", strings.Join(leftOut.What, ", "), "alert", leftOut.Alert, "event", leftOut.Event}
	}
	return nil
}
