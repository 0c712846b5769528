package check

import (
	"context"
	"net/http"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// fewChanges is how often one job's search may change: an exclusion is added and
// removed, or an exception expires.
const fewChanges = 3

// jobs looks for a second job with other exclusions and the same targets. Neither job
// would look at a window that the other has covered.
func (c *ruleCheck) jobs(ctx context.Context) {
	scope, err := c.Search.Scope()
	changes := 0
	if err == nil {
		changes, err = c.Store.SearchChanges(ctx, runs.Series{RuleID: c.ID, Scope: scope})
	}
	switch {
	case elastic.HasStatus(err, http.StatusForbidden): // reported as a missing privilege
	case err != nil:
		c.fail("runs", err)
	case changes > fewChanges:
		c.warn("runs", problem(TwoJobs, "the exclusions changed %d times in the newest runs: two jobs run this rule, and events that one of them excludes never alert", changes))
	}
}

// runs judges the rule's newest run. allSeen says that no event can become searchable
// too late for the runs.
func (c *ruleCheck) runs(ctx context.Context, allSeen bool) {
	covered := "all events up to %s that had arrived by then are covered"
	if allSeen {
		covered = "all events up to %s are covered"
	}
	last, ok, err := c.Store.LastRun(ctx, c.ID)
	now := c.Now()
	age := words.Span(now.Sub(last.At).Round(time.Second))
	behind := now.Sub(last.Succeeded).Round(time.Second)
	switch {
	case elastic.HasStatus(err, http.StatusForbidden): // reported as a missing privilege
	case err != nil:
		c.fail("runs", err)
	case !ok:
		c.warn("runs", problem(NoRun, "there was no run yet: the first one looks back %s", words.Span(c.Lookback)))
	case last.State == runs.Failed:
		c.warn("runs", problem(RunFailed, "the newest run failed %s ago: %s", age, last.Error))
	case last.State == runs.Started && now.Sub(last.At) > staleAfter:
		c.warn("runs", problem(RunNeverEnded, "the newest run started %s ago and never ended: it was killed, or ran out of memory or time", age))
	case last.Succeeded.IsZero():
		c.warn("runs", problem(NoSuccess, "the newest run is %s (%s, %s ago); no scheduled run has succeeded yet", last.State, last.Type, age))
	case behind > staleAfter:
		c.warn("runs", problem(RunsStale, "the last successful scheduled run covered events up to %s, %s ago", stamp(last.Succeeded), words.Span(behind)))
	default:
		c.ok("runs", "the newest is %s (%s, %s ago); "+covered, last.State, last.Type, age, stamp(last.Succeeded))
	}
}
