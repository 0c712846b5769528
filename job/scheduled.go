package job

import (
	"context"

	"newterms/alerts/runs"
	"newterms/job/rule"
)

// RunScheduled runs the window that follows the last successful scheduled run with the
// same scope. It runs slices of at most a day, each with its own run documents and an
// id from id. The returned run is their sum.
func (j *Job) RunScheduled(ctx context.Context, id func() string) (runs.Run, error) {
	total := runs.Run{Info: runs.Info{Type: runs.Scheduled}, RuleID: j.Rule.ID, RuleName: j.Rule.Name}
	info, err := j.info(runs.Scheduled)
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
		run, err = j.run(ctx, run, func(run runs.Run, err error) error {
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
