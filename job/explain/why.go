package explain

import (
	"context"
	"fmt"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/job"
)

// maxRuns is how many runs are listed that wrote no alert for a first occurrence.
const maxRuns = 3

// addWhy lists for each first occurrence without an alert the runs that covered it, why
// each wrote none, and how to get the alert.
func (e *Explainer) addWhy(ctx context.Context, all []Pair) error {
	search, err := e.Rule.Search.Hash()
	if err != nil {
		return err
	}
	for i := range all {
		for n := range all[i].Occurrences {
			o := &all[i].Occurrences[n]
			if !o.FirstOccurrence || o.Alert != nil {
				continue
			}
			runs, err := e.Store.CoveringRuns(ctx, e.Rule.ID, o.At)
			if err != nil {
				return err
			}
			o.NoAlert = append(whyOf(runs, search), "to write it: "+e.Rerun(job.Window{From: o.At, To: o.At.Add(time.Millisecond)}))
		}
	}
	return nil
}

func whyOf(runs []runs.StoredRun, search string) []string {
	if len(runs) == 0 {
		return []string{"no run has covered it"}
	}
	var why []string
	for i, run := range runs {
		if i == maxRuns {
			return append(why, words.Plural(len(runs)-maxRuns, "run", "runs")+" more before that")
		}
		why = append(why, whyNot(run, search))
	}
	return why
}

// whyNot says why a run wrote no alert.
func whyNot(run runs.StoredRun, search string) string {
	text := fmt.Sprintf("run %s of %s", run.ID, words.Second(run.At))
	switch {
	case run.Rerun != "":
		return text + " left it in a gap: the outage before was longer than NEWTERMS_MAX_CATCHUP"
	case run.State == runs.Failed:
		return text + " failed: " + run.Error
	case run.State == runs.Started:
		return text + " has not ended, or was killed"
	case run.Search != search:
		return text + " had another search: other indices, exclusions, query or fields"
	}
	return text + " did not find it new: the event became searchable later, or one before it is gone since"
}
