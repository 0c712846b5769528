package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"newterms/alerts"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/job"
	"newterms/job/rule"
	"newterms/job/words"
)

// shared is what the rules of a run ask once.
type shared struct {
	client   *elastic.Client
	store    *alerts.Store
	mappings *esquery.Mappings
	last     map[string]alerts.Checkpoint // by rule_id; a rule that is not there asks itself
	token    terminal.Token               // of the rule that prints

	mu        sync.Mutex
	serverNow time.Time // zero until it is needed
}

// share asks what all rules need at the start: where the runs before them stand.
// A single rule asks that itself, and a range by hand needs no such thing.
func (p program) share(ctx context.Context, f runFlags, client *elastic.Client) (*shared, error) {
	s := &shared{client: client, store: p.store(client), last: map[string]alerts.Checkpoint{}, token: terminal.NewToken()}
	searches := make([]esquery.Search, len(f.rules))
	followed := make([]alerts.Followed, len(f.rules))
	for i, r := range f.rules {
		searches[i] = r.Search
		var err error
		if followed[i], err = job.Followed(r); err != nil {
			return nil, err
		}
	}
	s.mappings = esquery.NewMappings(searches...)
	if f.window != nil && !f.dryRun { // otherwise the question for checkpoints does
		if err := s.store.RefuseNewer(ctx); err != nil {
			return nil, err
		}
	}
	if len(f.rules) < 2 || f.window != nil {
		return s, nil
	}
	checkpoints, err := s.store.Checkpoints(ctx, followed)
	if err != nil {
		return nil, err
	}
	for i, c := range checkpoints {
		s.last[followed[i].RuleID] = c
	}
	return s, nil
}

// now is the time by the server's clock when it was first asked for, so that the
// first windows of all rules end at the same time, as later ones do.
func (s *shared) now(ctx context.Context, c *elastic.Client, search esquery.Search) (time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serverNow.IsZero() {
		now, err := esquery.ServerNow(ctx, c, search)
		if err != nil {
			return now, err // this rule may not read its indices; another may
		}
		s.serverNow = now
	}
	return s.serverNow, nil
}

// tally sums up the rules of a run.
type tally struct {
	mu             sync.Mutex
	ran, failed    int
	unusable       int // could not be loaded
	notBegun       int
	written        int64
	requests       int
	took, duration time.Duration
	failures       []error
}

func (t *tally) add(run alerts.Run, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ran++
	if err != nil {
		t.failed++
		t.failures = append(t.failures, err)
	}
	t.written += run.Counts.Written
	t.requests += run.Requests
	t.took += run.Took
}

// runSeveral runs the rules, some at once. Each prints its lines, and why it
// failed, in one piece; the last line sums up.
func (p program) runSeveral(ctx context.Context, f runFlags, client *elastic.Client) error {
	start := p.now()
	sum := &tally{}
	for _, cause := range causes(f.unusable) {
		sum.unusable++
		sum.failures = append(sum.failures, p.tell(cause))
	}
	s, err := p.share(ctx, f, client)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w: %w", job.ErrTerminated, context.Cause(ctx), err)
		}
		return errors.Join(append(sum.failures, err)...)
	}
	turns := p.turns(f.rules, s.last)
	defer p.during("run")()
	var workers sync.WaitGroup
	for range turns.atOnce {
		workers.Go(func() {
			for r, ctx := range turns.each(ctx) {
				sum.add(p.runAmong(ctx, r, f, s))
			}
		})
	}
	workers.Wait()
	if err := turns.notBegun(ctx); err != nil {
		sum.notBegun = len(turns.rules)
		sum.failures = append(sum.failures, p.tell(err))
	}
	requests, took := client.Spent()
	sum.requests, sum.took, sum.duration = sum.requests+requests, sum.took+took, p.now().Sub(start)
	p.log.LogAttrs(ctx, slog.LevelInfo, sum.sentence(f.dryRun), sum.keys(f.dryRun)...)
	return errors.Join(sum.failures...)
}

// runAmong runs one of several rules.
func (p program) runAmong(ctx context.Context, r rule.Rule, f runFlags, s *shared) (alerts.Run, error) {
	p = p.until(ctx)
	output := terminal.NewOutput(s.token, ctx.Done(), p.stdout, p.stderr)
	defer output.Close()
	p.stdout, p.log = output.Stdout, newLogger(p.settings, output.Stderr)
	run, err := p.runRule(ctx, r, f, s, output.Print)
	if err != nil {
		err = p.tell(fmt.Errorf("rule %s: %w", r.Name, err))
	}
	return run, err
}

// tell logs an error where it happened.
func (p program) tell(err error) error {
	p.log.Error(withAdvice(err), "exit_code", exitCode(err))
	return reported{err}
}

// sentence sums up for people.
func (t *tally) sentence(dryRun bool) string {
	text := words.Plural(int64(t.ran), "rule ran", "rules ran")
	if t.failed > 0 {
		text += fmt.Sprintf(", %d of them failed", t.failed)
	}
	if t.unusable > 0 {
		text += fmt.Sprintf(", %d cannot be used", t.unusable)
	}
	if t.notBegun > 0 {
		text += fmt.Sprintf(", %d not begun", t.notBegun)
	}
	written := " written"
	if dryRun {
		written = " to write, none written by this dry run"
	}
	return fmt.Sprintf("%s: %s%s; %s, which took Elasticsearch %.1f s, %.1f s", text, words.Plural(t.written, "alert", "alerts"), written,
		words.Plural(int64(t.requests), "request", "requests"), t.took.Seconds(), t.duration.Seconds())
}

// keys sum up for programs.
func (t *tally) keys(dryRun bool) []slog.Attr {
	written := "written"
	if dryRun {
		written = "would_write"
	}
	return []slog.Attr{
		slog.Int("rules_run", t.ran), slog.Int("rules_failed", t.failed), slog.Int("rules_unusable", t.unusable),
		slog.Int("rules_not_begun", t.notBegun), slog.Int64(written, t.written),
		slog.Int("requests", t.requests), slog.Int64("took_ms", t.took.Milliseconds()), slog.Int64("duration_ms", t.duration.Milliseconds()),
	}
}

// newJob is a run of the rule as the settings and flags have it.
func (p program) newJob(r rule.Rule, f runFlags, s *shared, client *elastic.Client, out *show.Alerts) job.Job {
	var checkpoint *alerts.Checkpoint
	if c, ok := s.last[r.ID]; ok {
		checkpoint = &c
	}
	return job.Job{
		Rule: r, Version: version(), MaxAlerts: int(p.settings.MaxAlerts), DryRun: f.dryRun,
		Store: p.store(client), Checkpoint: checkpoint,
		Timing: job.Timing{Overlap: time.Duration(p.settings.Overlap), MaxCatchup: time.Duration(p.settings.MaxCatchup)},
		Open: func(ctx context.Context, search esquery.Search) (*esquery.Source, error) {
			return s.mappings.Open(ctx, client, search)
		},
		ServerNow: func(ctx context.Context, search esquery.Search) (time.Time, error) { return s.now(ctx, client, search) },
		Emit:      out.Add,
		Progress:  p.progress.of(r.Name),
		Warn:      p.warnOf(r.Name),
		Rerun:     f.rerun,
		Spent:     client.Spent,
		Now:       p.now,
	}
}
