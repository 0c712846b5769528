// Package job finds first occurrences and writes an alert for each.
//
// A matching event of a pair at time t is a first occurrence when no matching
// event of the same pair lies in [t − H, t). That is a property of the data: a
// scheduled run, its retry, a catch-up and a rerun by hand find the same.
package job

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job/rule"
)

// A Source reads the events of a rule; *esquery.Source is one.
type Source interface {
	Candidates(ctx context.Context, window esquery.Range) iter.Seq2[esquery.Page, error]
	LastSeen(ctx context.Context, history esquery.Range, candidates []esquery.Candidate) ([]time.Time, error)
	FirstEvents(ctx context.Context, candidates []esquery.Candidate) ([]esquery.Event, error)
	Oldest(ctx context.Context, r esquery.Range) (oldest time.Time, ok bool, err error)
}

// A Store writes alerts and run documents; *alerts.Store is one.
type Store interface {
	AlreadyAlerted(ctx context.Context, keys []alerts.Key, history time.Duration) ([]bool, error)
	Write(ctx context.Context, batch []alerts.Alert) (alerts.Result, error)
	RecordRun(ctx context.Context, run alerts.Run, now time.Time) error
}

// A Job is one rule and what it needs to run.
type Job struct {
	Rule    rule.Rule
	Version string
	// Open makes the source. It is called within the run, so that its failure
	// is recorded.
	Open  func(ctx context.Context) (Source, error)
	Store Store
	// MaxAlerts fails a part of the window that has more alerts, before it
	// writes any of them; 0 is no limit.
	MaxAlerts int
	DryRun    bool // writes nothing, no run documents either
	// Emit is given each alert that was written, or with DryRun would be.
	Emit func(alerts.Alert) error
	// Spent tells the requests sent and Elasticsearch's own time so far.
	Spent func() (requests int, took time.Duration)
	Now   func() time.Time
	Log   *slog.Logger
}

// A Summary is what a run did.
type Summary struct {
	alerts.RunInfo
	RuleName string
	Window   Window
	alerts.Counts
	Requests int
	Took     time.Duration // Elasticsearch's own, of the searches
	Duration time.Duration
	DryRun   bool
}

// recordTimeout bounds the attempt to record a run that was interrupted.
const recordTimeout = 3 * time.Second

// Run finds the first occurrences in a window and writes their alerts. It
// records the run when it starts and when it ends. The summary tells how far
// it came, also with an error.
func (j *Job) Run(ctx context.Context, info alerts.RunInfo, w Window) (Summary, error) {
	started := j.Now()
	requests, took := j.Spent()
	run := alerts.Run{
		RunInfo: info, State: alerts.Started, RuleID: j.Rule.ID, RuleName: j.Rule.Name, Version: j.Version,
		From: w.From, To: w.To, StartedAt: started,
	}
	summary := Summary{RunInfo: info, RuleName: j.Rule.Name, Window: w, DryRun: j.DryRun}
	if err := j.record(ctx, run); err != nil {
		return summary, err
	}
	err := j.detect(ctx, info, w, &summary.Counts)
	measure := func() {
		requestsNow, tookNow := j.Spent()
		summary.Requests, summary.Took = requestsNow-requests, tookNow-took
		summary.Duration = j.Now().Sub(started)
	}
	measure()
	run.State, run.Counts = alerts.Success, summary.Counts
	run.Requests, run.Took, run.Duration = summary.Requests, summary.Took, summary.Duration
	if err != nil {
		run.State, run.Error = alerts.Failure, err.Error()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
	}
	err = errors.Join(err, j.record(ctx, run))
	measure()
	return summary, err
}

func (j *Job) record(ctx context.Context, run alerts.Run) error {
	if j.DryRun {
		return nil
	}
	return j.Store.RecordRun(ctx, run, j.Now())
}

// detect goes through the window in parts of at most H: in such a part no pair
// can have two first occurrences, so its earliest event decides.
func (j *Job) detect(ctx context.Context, info alerts.RunInfo, w Window, counts *alerts.Counts) error {
	source, err := j.Open(ctx)
	if err != nil {
		return err
	}
	d := detection{Job: j, info: info, source: source, counts: counts, lacking: map[string]int64{}}
	for part := range w.parts(j.Rule.History) {
		if err := d.part(ctx, part); err != nil {
			return fmt.Errorf("window %s: %w", part, err)
		}
	}
	d.warnOfLackingTerms()
	return nil
}

// LogValue gives the keys of the summary line.
func (s Summary) LogValue() slog.Value {
	written := slog.Int64("written", s.Written)
	if s.DryRun {
		written = slog.Int64("would_write", s.Written)
	}
	return slog.GroupValue(
		slog.String("run_id", s.ID), slog.String("rule", s.RuleName), slog.String("window", s.Window.String()),
		slog.Int64("candidates", s.Candidates), slog.Int64("new", s.New), written,
		slog.Int64("already_alerted", s.AlreadyAlerted), slog.Int64("lacking_terms", s.LackingTerms),
		slog.Int("requests", s.Requests), slog.Int64("took_ms", s.Took.Milliseconds()),
		slog.Int64("duration_ms", s.Duration.Milliseconds()),
	)
}
