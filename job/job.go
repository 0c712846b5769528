// Package job finds first occurrences and writes an alert for each.
//
// A matching event of a pair at time t is a first occurrence when no matching
// event of the same pair lies in [t − H, t). That is a property of the data: a
// scheduled run, its retry, a catch-up and a rerun by hand find the same.
package job

import (
	"context"
	"errors"
	"time"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/query"
	"newterms/job/rule"
)

// A Job is a rule and everything that its runs need.
type Job struct {
	Rule    rule.Rule // with the settings applied to its search
	Version string    // of newterms, for the run documents
	// Open makes the source. The job calls it while it records the start of the run, so
	// that a failure is recorded too.
	Open  func(context.Context, query.Search) (*esquery.Source, error)
	Store *alerts.Store
	// Checkpoint is where the previous runs ended, if the caller knows it; else nil.
	Checkpoint *runs.Checkpoint
	// ServerNow returns the server's time. Only a rule's first run needs it; later runs
	// get the time with the checkpoint.
	ServerNow func(context.Context, query.Search) (time.Time, error)
	// Timing plans scheduled windows.
	Timing Timing
	// Rerun is the command that runs a window by hand.
	Rerun func(Window) string
	// MaxAlerts limits the alerts of a part of the window. A part with more fails
	// before any of them is written; 0 is no limit.
	MaxAlerts int
	// MaxContexts is how many alerts of a run get their context; 0 is none.
	MaxContexts int
	DryRun      bool // writes nothing, not even run documents
	// Emit is called with each alert that was written, or with DryRun would be.
	Emit func(alert.Alert) error
	// Link returns the address of an alert in Kibana; nil if there is none.
	Link func(id string, firstSeen time.Time) string
	// Finish is called after the last Emit, with the run's counts so far and its error.
	// The end of the run, or of its last slice, is recorded afterwards: an error of
	// Finish fails the run. It may be nil.
	Finish func(runs.Run, error) error
	// Warn is called with each warning: a *Gap, *FutureRun, *OtherSearch, *Forgotten,
	// *LackingTerms, *LeftOut, *Unanswered, *ContextLimit, *YoungSource or one of
	// job/limits.
	Warn func(error)
	// Progress is called from time to time with the run's progress; it may be nil.
	Progress func(Progress)
	// Usage returns the number of requests sent and Elasticsearch's own time so far.
	Usage func() (requests int, took time.Duration)
	Now   func() time.Time
}

// Progress is how far a run is.
type Progress struct {
	Part, Parts        int   // of the window, from 1
	Candidates, Alerts int64 // so far
}

func (j *Job) finish(run runs.Run, err error) error {
	if j.Finish == nil {
		return nil
	}
	if err = j.Finish(run, err); err != nil {
		return &PrintError{"", run.Counts.Written > 0 && !j.DryRun, err}
	}
	return nil
}

// Run finds the first occurrences in a window and writes their alerts. It records the
// start and the end of the run, and moves no checkpoint. The returned run holds the
// counts so far, also with an error.
func (j *Job) Run(ctx context.Context, id string, w Window) (runs.Run, error) {
	info, err := j.info(runs.Manual)
	if err != nil {
		return runs.Run{}, err
	}
	info.ID = id
	return j.run(ctx, runs.Run{Info: info, From: w.From, To: w.To, Rule: j.Rule.Parameters}, j.finish)
}

// info returns what all runs of the rule have in common; the id is not set.
func (j *Job) info(kind runs.Type) (runs.Info, error) {
	search, err := j.Rule.Search.Hash()
	if err != nil {
		return runs.Info{}, err
	}
	scope, err := j.Rule.Search.Scope()
	return runs.Info{Type: kind, Search: search, Scope: scope}, err
}

// run makes one run and records its start and its end. It calls finish before it
// records the end.
func (j *Job) run(ctx context.Context, run runs.Run, finish func(runs.Run, error) error) (runs.Run, error) {
	requests, took := j.Usage()
	run.StartedAt, run.State = j.Now(), runs.Started
	run.RuleID, run.RuleName, run.Version = j.Rule.ID, j.Rule.Name, j.Version
	measure := func() {
		requestsNow, tookNow := j.Usage()
		run.Requests, run.Took = requestsNow-requests, tookNow-took
		run.Duration = j.Now().Sub(run.StartedAt)
	}
	// A run that is told to stop still writes and records what it has found,
	// within one grace period.
	ending, cancel := withGracePeriod(ctx)
	defer cancel()
	source := j.openInBackground(ctx)
	startErr := j.record(ctx, run)
	run.Rule = nil
	err := startErr
	if err == nil {
		err = j.detect(ctx, ending, source, &run)
	} else {
		_, _ = source() // other rules of these indices may share it, and its request counts
	}
	err = errors.Join(err, finish(run, err))
	measure()
	run.State = runs.Succeeded
	if err != nil {
		run.Terminated = ctx.Err() != nil
		err = terminated(ctx, err)
		run.State, run.Error = runs.Failed, err.Error()
	}
	// A run whose start could not be recorded has returned its error already.
	if endErr := j.record(ending, run); startErr == nil {
		err = errors.Join(err, terminated(ending, endErr))
	}
	measure()
	return run, err
}

func (j *Job) record(ctx context.Context, run runs.Run) error {
	if j.DryRun {
		return nil
	}
	return j.Store.RecordRun(ctx, run, j.Now())
}
