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
	// Open makes the source. The job calls it while it looks up the checkpoint and records
	// the start of the run, so that a failure is recorded too.
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
	DryRun    bool // writes nothing, not even run documents
	// Emit is called with each alert that was written, or with DryRun would be.
	Emit func(alert.Alert) error
	// Link returns the address of an alert in Kibana; nil if there is none.
	Link func(alert.Key) string
	// Finish is called after the last Emit, with the run's counts so far and its error.
	// The end of the run, or of its last slice, is recorded afterwards: an error of
	// Finish fails the run. It may be nil.
	Finish func(runs.Run, error) error
	// Warn is called with each warning: a *Gap, *FutureRun, *OtherSearch, *Forgotten,
	// *UnavailableIndices, *Unmapped, *TimeLimited, *TextNetworks, *LackingTerms, *NoHistory,
	// *LeftOut, *SourceOff, *Unsummarized or *Uncounted.
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

// RunScheduled runs the window that follows the last successful scheduled run with the
// same scope. It runs slices of at most a day, each with its own run documents and an
// id from id. The returned run is their sum.
func (j *Job) RunScheduled(ctx context.Context, id func() string) (runs.Run, error) {
	total := runs.Run{Info: runs.Info{Type: runs.Scheduled}, RuleID: j.Rule.ID, RuleName: j.Rule.Name}
	info, err := j.info(runs.Scheduled)
	if err != nil {
		return total, err
	}
	begun := j.begin(ctx)
	defer func() { _, _ = begun.source() }() // wait for the goroutine
	last, err := j.checkpoint(ctx)
	if err != nil {
		return total, err
	}
	now := last.Now
	if now.IsZero() {
		if now, err = j.ServerNow(ctx, j.Rule.Search); err != nil {
			now = j.Now() // the run itself will say what is wrong
		}
	}
	timing := j.Timing
	timing.Overlap = max(timing.Overlap, j.Rule.Overlap)
	p := planWindow(now, last, j.Rule.Lookback, timing)
	j.warnOfCheckpoint(last, p, timing)
	for {
		info.ID = id()
		run := runs.Run{Info: info}
		if !last.HasEdition {
			run.Rule = j.Rule.Parameters
			last.HasEdition = true
		}
		slice := p.next()
		run.From, run.To = slice.From, slice.To
		if p.Gap != (Window{}) {
			run.GapFrom, run.GapTo, run.Rerun = p.Gap.From, p.Gap.To, j.rerun(p.Gap, timing)
			p.Gap = Window{} // only the first slice records it
		}
		rest, more := p.after(slice, timing.Overlap)
		run, err = j.run(ctx, begun, run, func(run runs.Run, err error) error {
			if more && err == nil {
				return nil
			}
			return j.finish(total.Plus(run), err)
		})
		total = total.Plus(run)
		if err != nil || !more {
			return total, err
		}
		p, begun = rest, j.begin(ctx)
	}
}

func (j *Job) checkpoint(ctx context.Context) (runs.Checkpoint, error) {
	if j.Checkpoint != nil {
		return *j.Checkpoint, nil
	}
	series, err := SeriesOf(j.Rule)
	if err != nil {
		return runs.Checkpoint{}, err
	}
	last, err := j.Store.Checkpoint(ctx, series)
	return last, terminated(ctx, err)
}

// SeriesOf returns the series of a rule's scheduled runs, each of which continues where
// the one before ended.
func SeriesOf(r rule.Rule) (runs.Series, error) {
	f := runs.Series{RuleID: r.ID}
	var err error
	if f.Search, err = r.Search.Hash(); err != nil {
		return f, err
	}
	if f.Scope, err = r.Search.Scope(); err != nil {
		return f, err
	}
	f.Edition, err = r.Parameters.Edition()
	return f, err
}

// rerun returns the command that runs a gap by hand. It adds a scheduled window's
// overlap, because events dated before the gap may have come late.
func (j *Job) rerun(gap Window, timing Timing) string {
	return j.Rerun(Window{gap.From.Add(-timing.Overlap), gap.To})
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

func (j *Job) warnOfCheckpoint(last runs.Checkpoint, p plan, timing Timing) {
	if p.Gap != (Window{}) {
		j.Warn(&Gap{p.Gap, j.rerun(p.Gap, timing)})
	}
	if !last.FutureTo.IsZero() {
		j.Warn(&FutureRun{last.FutureTo, last.Now})
	}
	if last.Other != "" {
		j.Warn(&OtherSearch{last.Other})
	}
	if last.Forgotten {
		j.Warn(&Forgotten{p.Window.From})
	}
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
	return j.run(ctx, j.begin(ctx), runs.Run{Info: info, From: w.From, To: w.To, Rule: j.Rule.Parameters}, j.finish)
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

// A beginning is what a run does before its window is known.
type beginning struct {
	source   func() (*esquery.Source, error) // waits until it is open
	requests int                             // as Job.Usage counts
	took     time.Duration
}

func (j *Job) begin(ctx context.Context) beginning {
	requests, took := j.Usage()
	return beginning{j.openInBackground(ctx), requests, took}
}

// run makes one run and records its start and its end. The run searches while its start
// is being recorded, and writes afterwards. It calls finish before it records the end.
func (j *Job) run(ctx context.Context, begun beginning, run runs.Run, finish func(runs.Run, error) error) (runs.Run, error) {
	run.StartedAt, run.State = j.Now(), runs.Started
	run.RuleID, run.RuleName, run.Version = j.Rule.ID, j.Rule.Name, j.Version
	measure := func() {
		requests, took := j.Usage()
		run.Requests, run.Took = requests-begun.requests, took-begun.took
		run.Duration = j.Now().Sub(run.StartedAt)
	}
	// A run that is told to stop still writes and records what it has found,
	// within one grace period.
	ending, cancel := withGracePeriod(ctx)
	defer cancel()
	start := run
	recorded := inBackground(func() (any, error) { return nil, j.record(ctx, start) })
	started := func() error { _, err := recorded(); return err }
	run.Rule = nil // which the start records
	err := j.detect(ctx, ending, begun.source, started, &run)
	startErr := started()
	if startErr != nil {
		err = startErr
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
