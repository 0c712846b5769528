package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/datemath"
	"newterms/job/rule"
)

// runFlags are what `newterms run` was told.
type runFlags struct {
	from, to time.Time // zero: not given
	dryRun   bool
	output   string
	missing  missingTerms
	exclude  []kql.Query
	rules    []rule.Rule
	unusable error    // of rules that were asked for; the others run
	repeat   []string // the arguments that a rerun of another range needs
}

func (p program) run(ctx context.Context, args []string) error {
	f, err := p.parseRun(args)
	if err != nil {
		return err
	}
	out, err := newPrinter(f.output, p.stdout)
	if err != nil {
		return err
	}
	transport, err := p.settings.connect(p.retry, p.log)
	if err != nil {
		return err
	}
	failures := []error{f.unusable}
	for _, r := range f.rules {
		err := p.runRule(ctx, r, f, transport, out)
		if err != nil && len(f.rules) > 1 {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		failures = append(failures, err)
		if err == nil || len(out.rows) > 0 {
			failures = append(failures, out.flush(r))
		}
		if ctx.Err() != nil {
			break // the other rules would only say the same
		}
	}
	return errors.Join(failures...)
}

func (p program) parseRun(args []string) (runFlags, error) {
	var from, to string
	var paths, excludes list
	var f runFlags
	f.missing = p.settings.MissingTerms
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&from, "from", "", "")
	flags.StringVar(&to, "to", "", "")
	flags.Var(&paths, "rule", "")
	flags.Var(&excludes, "exclude", "")
	flags.Func("missing-terms", "", func(text string) error { return f.missing.UnmarshalText([]byte(text)) })
	flags.BoolVar(&f.dryRun, "dry-run", false, "")
	flags.StringVar(&f.output, "output", "table", "")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return f, err
	}
	var err error
	if f.exclude, err = p.excludes(excludes); err != nil {
		return f, err
	}
	if f.from, f.to, err = parseRange(from, to, p.now()); err != nil {
		return f, usageError{err}
	}
	for _, path := range paths {
		f.repeat = append(f.repeat, "--rule", path)
	}
	for _, query := range excludes {
		f.repeat = append(f.repeat, "--exclude", query)
	}
	if f.missing != p.settings.MissingTerms {
		f.repeat = append(f.repeat, "--missing-terms", f.missing.String())
	}
	if f.rules, f.unusable = p.rules(paths); len(f.rules) == 0 {
		return f, f.unusable
	}
	return f, nil
}

// rerun is the command that runs a window by hand, for a shell.
func (f runFlags) rerun(w job.Window) string {
	const layout = "2006-01-02T15:04:05.000Z07:00"
	words := append([]string{"newterms", "run", "--from", w.From.Format(layout), "--to", w.To.Format(layout)}, f.repeat...)
	for i, word := range words {
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") != "" || word == "" {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// parseRange reads --from and --to; to is now if only from is given.
func parseRange(fromText, toText string, now time.Time) (from, to time.Time, err error) {
	switch {
	case fromText == "" && toText == "":
		return from, to, nil
	case fromText == "":
		return from, to, errors.New("--to needs --from: it ends a range that --from begins")
	case toText == "":
		toText = "now"
	}
	if from, err = datemath.Parse(fromText, now); err != nil {
		return from, to, fmt.Errorf("--from: %w", err)
	}
	if to, err = datemath.Parse(toText, now); err != nil {
		return from, to, fmt.Errorf("--to: %w", err)
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("--from %s is not before --to %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return from, to, nil
}

// excludes are those of the settings and the flags together, so that a rerun by
// hand cannot forget what scheduled runs leave out.
func (p program) excludes(flags list) ([]kql.Query, error) {
	var queries []kql.Query
	if p.settings.Exclude != "" {
		q, err := kql.Parse(p.settings.Exclude)
		if err != nil {
			return nil, configError{fmt.Errorf("NEWTERMS_EXCLUDE: %w", err)}
		}
		queries = append(queries, q)
	}
	for _, text := range flags {
		q, err := kql.Parse(text)
		if err != nil {
			return nil, usageError{fmt.Errorf("--exclude: %w", err)}
		}
		if strings.TrimSpace(text) == "" {
			return nil, usageError{errors.New("--exclude is empty, which would exclude every event")}
		}
		queries = append(queries, q)
	}
	return queries, nil
}

// rules loads the rules that were asked for: those that can be used even with
// an error about others.
func (p program) rules(paths []string) ([]rule.Rule, error) {
	if len(paths) == 0 {
		paths = p.settings.Rules
	}
	if len(paths) > 0 {
		return rule.Load(paths...)
	}
	r, err := rule.Builtin()
	return []rule.Rule{r}, err
}

// search is what a rule reads, with the settings and flags applied.
func (p program) search(r rule.Rule, exclude []kql.Query, missing missingTerms) esquery.Search {
	indices := r.Indices
	if len(p.settings.Index) > 0 {
		indices = p.settings.Index
	}
	return esquery.Search{
		Indices: indices, Query: r.Query, Filters: r.Filters, Exclude: exclude, Fields: r.Fields,
		Timestamp: r.Timestamp, Fallback: r.Fallback, MissingTerms: bool(missing), PageSize: p.pageSize,
	}
}

func (p program) runRule(ctx context.Context, r rule.Rule, f runFlags, transport *transport, out *printer) error {
	client := esquery.NewClient(transport)
	store := alerts.NewStore(transport, p.settings.AlertsTarget, p.settings.RunsTarget, p.retry...)
	j := job.Job{
		Rule: r, Version: version(), Store: store, MaxAlerts: int(p.settings.MaxAlerts), DryRun: f.dryRun,
		Timing: job.Timing{Overlap: time.Duration(p.settings.Overlap), MaxCatchup: time.Duration(p.settings.MaxCatchup)},
		Open: func(ctx context.Context) (job.Source, error) {
			return esquery.Open(ctx, client, p.search(r, f.exclude, f.missing))
		},
		Emit:  out.alert,
		Rerun: f.rerun,
		Spent: func() (int, time.Duration) { return transport.requests, client.Took + store.Took },
		Now:   p.now, Log: p.log,
	}
	var summary job.Summary
	var err error
	if id := uuid.NewString(); f.from.IsZero() {
		summary, err = j.RunScheduled(ctx, id)
	} else {
		summary, err = j.Run(ctx, id, job.Window{From: f.from.Truncate(time.Millisecond), To: f.to.Truncate(time.Millisecond)})
	}
	if err == nil {
		p.log.LogAttrs(ctx, slog.LevelInfo, "run finished", summary.LogValue().Group()...)
	}
	return err
}

func (p program) setup(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("setup", flag.ContinueOnError)
	dashboards := flags.Bool("dashboards", false, "")
	if _, err := parseFlags(flags, args, 0); err != nil {
		return err
	}
	if *dashboards { // before anything is changed
		if _, err := p.settings.kibana(); err != nil {
			return err
		}
	}
	transport, err := p.settings.connect(p.retry, p.log)
	if err != nil {
		return err
	}
	installed, err := alerts.NewStore(transport, p.settings.AlertsTarget, p.settings.RunsTarget).Setup(ctx)
	for _, i := range installed {
		fmt.Fprintf(p.stdout, "%s index template %s for %s\n", i.Did, i.Template, i.Target)
	}
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	if *dashboards {
		return p.importDashboards(ctx)
	}
	return nil
}
