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
	Checkpoint(ctx context.Context, ruleID string) (alerts.Checkpoint, error)
}

// A Job is one rule and what it needs to run.
type Job struct {
	Rule    rule.Rule
	Version string
	// Open makes the source. It is called within the run, so that its failure
	// is recorded.
	Open  func(ctx context.Context) (Source, error)
	Store Store
	// Timing plans scheduled windows.
	Timing Timing
	// Rerun is the command that runs a window by hand.
	Rerun func(Window) string
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

// ErrTerminated is wrapped by the error of a run that was told to stop.
var ErrTerminated = errors.New("terminated")

// RunScheduled runs the window that follows the last successful scheduled run.
// Besides the errors of Run it returns a *ClockError.
func (j *Job) RunScheduled(ctx context.Context, id string) (Summary, error) {
	info := alerts.RunInfo{ID: id, Type: alerts.Scheduled}
	last, err := j.Store.Checkpoint(ctx, j.Rule.ID)
	if err != nil {
		return Summary{}, terminated(ctx, err)
	}
	plan, err := PlanWindow(j.Now(), last, j.Rule.Lookback, j.Timing)
	if err != nil {
		return Summary{}, err
	}
	run := alerts.Run{RunInfo: info, From: plan.Window.From, To: plan.Window.To}
	if plan.Gap != (Window{}) {
		run.GapFrom, run.GapTo, run.Rerun = plan.Gap.From, plan.Gap.To, j.Rerun(plan.Gap)
		j.Log.Warn("the last successful run is longer ago than NEWTERMS_MAX_CATCHUP: this leaves a gap; rerun it by hand",
			"gap", plan.Gap.String(), "rerun", run.Rerun, "rule", j.Rule.Name)
	}
	return j.run(ctx, run)
}

// Run finds the first occurrences in a window and writes their alerts. It
// records the run when it starts and when it ends, and moves no checkpoint. The
// summary tells how far it came, also with an error.
func (j *Job) Run(ctx context.Context, id string, w Window) (Summary, error) {
	return j.run(ctx, alerts.Run{RunInfo: alerts.RunInfo{ID: id, Type: alerts.Manual}, From: w.From, To: w.To})
}

func (j *Job) run(ctx context.Context, run alerts.Run) (Summary, error) {
	requests, took := j.Spent()
	run.StartedAt, run.State = j.Now(), alerts.Started
	run.RuleID, run.RuleName, run.Version = j.Rule.ID, j.Rule.Name, j.Version
	window := Window{run.From, run.To}
	summary := Summary{RunInfo: run.RunInfo, RuleName: run.RuleName, Window: window, DryRun: j.DryRun}
	measure := func() {
		requestsNow, tookNow := j.Spent()
		summary.Requests, summary.Took = requestsNow-requests, tookNow-took
		summary.Duration = j.Now().Sub(run.StartedAt)
	}
	startErr := j.record(ctx, run)
	err := startErr
	if err == nil {
		err = j.detect(ctx, run.RunInfo, window, &summary.Counts)
	}
	measure()
	run.State, run.Counts = alerts.Success, summary.Counts
	run.Requests, run.Took, run.Duration = summary.Requests, summary.Took, summary.Duration
	if err != nil {
		err = terminated(ctx, err)
		run.State, run.Error = alerts.Failure, err.Error()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
	}
	// A run whose start could not be recorded has told why already.
	if endErr := j.record(ctx, run); startErr == nil {
		err = errors.Join(err, endErr)
	}
	measure()
	return summary, err
}

// terminated says why a request was given up, if it was because of a signal.
func terminated(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrTerminated, context.Cause(ctx), err)
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
	if d.rejected != nil {
		return fmt.Errorf("window %s: %w", w, d.rejected)
	}
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
