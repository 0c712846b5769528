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
	"newterms/esquery"
	"newterms/job/rule"
)

// A Job is one rule and what it needs to run.
type Job struct {
	Rule    rule.Rule // with the settings applied to its search
	Version string    // of newterms, for the run documents
	// Open makes the source. It is called within the run, beside the recording of
	// its start, so that its failure is recorded.
	Open  func(context.Context, esquery.Search) (*esquery.Source, error)
	Store *alerts.Store
	// Checkpoint is where the runs before stand, if it is known already; else nil.
	Checkpoint *alerts.Checkpoint
	// ServerNow asks for the time by the server's clock. It is only needed before
	// the first run ever; later ones learn it with the checkpoint.
	ServerNow func(context.Context, esquery.Search) (time.Time, error)
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
	// Finish is called once there is no more to Emit, with what the run came to so
	// far and its error. The end of the run, or of its last slice, is recorded after
	// that, so that an error of Finish fails it. It may be nil.
	Finish func(alerts.Run, error) error
	// Warn is given what does not fail the run and should be known: a *Gap,
	// *FutureRun, *OtherSearch, *Forgotten, *PassedOver, *Unmapped, *TimeLimited,
	// *TextNetworks, *LackingTerms, *NoHistory, *LeftOut, *SourceOff or *Uncounted.
	Warn func(error)
	// Progress is told how far a run is, now and then; nil if nobody asks.
	Progress func(Progress)
	// Spent tells the requests sent and Elasticsearch's own time so far.
	Spent func() (requests int, took time.Duration)
	Now   func() time.Time
}

// Progress is how far a run is.
type Progress struct {
	Part, Parts        int   // of the window, from 1
	Candidates, Alerts int64 // so far
}

// RunScheduled runs the window that follows the last successful scheduled run
// with the same scope, in slices of at most a day, each with run documents of its
// own. The run that it returns is all of them together. id makes the ids of the
// slices.
func (j *Job) RunScheduled(ctx context.Context, id func() string) (alerts.Run, error) {
	total := alerts.Run{RunInfo: alerts.RunInfo{Type: alerts.RunScheduled}, RuleID: j.Rule.ID, RuleName: j.Rule.Name}
	info, err := j.info(alerts.RunScheduled)
	if err != nil {
		return total, err
	}
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
		run := alerts.Run{RunInfo: info}
		if !last.HasEdition {
			run.Rule = j.Rule.Parameters
			last.HasEdition = true
		}
		slice := p.next()
		run.From, run.To = slice.From, slice.To
		if p.Gap != (Window{}) {
			run.GapFrom, run.GapTo, run.Rerun = p.Gap.From, p.Gap.To, j.rerun(p.Gap, timing)
			p.Gap = Window{} // told once
		}
		rest, more := p.after(slice, timing.Overlap)
		run, err = j.run(ctx, run, func(run alerts.Run, err error) error {
			if more && err == nil {
				return nil
			}
			return j.finish(total.Plus(run), err)
		})
		total = total.Plus(run)
		if err != nil || !more {
			return total, err
		}
		p = rest
	}
}

func (j *Job) checkpoint(ctx context.Context) (alerts.Checkpoint, error) {
	if j.Checkpoint != nil {
		return *j.Checkpoint, nil
	}
	followed, err := Followed(j.Rule)
	if err != nil {
		return alerts.Checkpoint{}, err
	}
	last, err := j.Store.Checkpoint(ctx, followed)
	return last, terminated(ctx, err)
}

// Followed names the scheduled runs of a rule, which follow each other.
func Followed(r rule.Rule) (alerts.Followed, error) {
	f := alerts.Followed{RuleID: r.ID}
	var err error
	if f.Search, err = r.Search.Hash(); err != nil {
		return f, err
	}
	if f.Scope, err = r.Search.Scope(); err != nil {
		return f, err
	}
	f.Edition, err = alerts.Rule(r.Parameters).Edition()
	return f, err
}

// rerun is the command that runs a gap by hand, with the overlap that a scheduled
// window would have had: events dated before the gap may have come late.
func (j *Job) rerun(gap Window, timing Timing) string {
	return j.Rerun(Window{gap.From.Add(-timing.Overlap), gap.To})
}

func (j *Job) finish(run alerts.Run, err error) error {
	if j.Finish == nil {
		return nil
	}
	if err = j.Finish(run, err); err != nil {
		return &PrintError{"", run.Counts.Written > 0 && !j.DryRun, err}
	}
	return nil
}

func (j *Job) warnOfCheckpoint(last alerts.Checkpoint, p plan, timing Timing) {
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

// Run finds the first occurrences in a window and writes their alerts. It
// records the run when it starts and when it ends, and moves no checkpoint. The
// run that it returns tells how far it came, also with an error.
func (j *Job) Run(ctx context.Context, id string, w Window) (alerts.Run, error) {
	info, err := j.info(alerts.RunManual)
	if err != nil {
		return alerts.Run{}, err
	}
	info.ID = id
	return j.run(ctx, alerts.Run{RunInfo: info, From: w.From, To: w.To, Rule: j.Rule.Parameters}, j.finish)
}

// info is what the runs of the rule carry, but for their id.
func (j *Job) info(kind alerts.RunType) (alerts.RunInfo, error) {
	search, err := j.Rule.Search.Hash()
	if err != nil {
		return alerts.RunInfo{}, err
	}
	scope, err := j.Rule.Search.Scope()
	return alerts.RunInfo{Type: kind, Search: search, Scope: scope}, err
}

// run calls finish before it records the end.
func (j *Job) run(ctx context.Context, run alerts.Run, finish func(alerts.Run, error) error) (alerts.Run, error) {
	requests, took := j.Spent()
	run.StartedAt, run.State = j.Now(), alerts.RunStarted
	run.RuleID, run.RuleName, run.Version = j.Rule.ID, j.Rule.Name, j.Version
	measure := func() {
		requestsNow, tookNow := j.Spent()
		run.Requests, run.Took = requestsNow-requests, tookNow-took
		run.Duration = j.Now().Sub(run.StartedAt)
	}
	// What a run has done it writes and records even if it is told to stop, all
	// within the same time.
	ending, cancel := lingering(ctx)
	defer cancel()
	source := j.opening(ctx)
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
	run.State = alerts.RunSucceeded
	if err != nil {
		run.Terminated = ctx.Err() != nil
		err = terminated(ctx, err)
		run.State, run.Error = alerts.RunFailed, err.Error()
	}
	// A run whose start could not be recorded has told why already.
	if endErr := j.record(ending, run); startErr == nil {
		err = errors.Join(err, terminated(ending, endErr))
	}
	measure()
	return run, err
}

func (j *Job) record(ctx context.Context, run alerts.Run) error {
	if j.DryRun {
		return nil
	}
	return j.Store.RecordRun(ctx, run, j.Now())
}
