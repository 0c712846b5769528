// Package batch runs several rules: it makes their common requests once, orders the
// rules, and gives each its share of the time.
package batch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/rule"
)

// A Batch holds the rules of one run.
type Batch struct {
	mappings *query.Mappings
	last     map[string]runs.Checkpoint // by rule_id; a rule missing here looks up its own

	mu        sync.Mutex
	rules     []rule.Rule // those that have not begun, in order
	serverNow time.Time   // zero until it is needed
}

// New looks up the checkpoints of all rules at once, if there are several and their
// runs are scheduled. It refuses a target with newer data: see runs.NewerDataError.
// The rule whose last success is longest ago comes first, so that slow rules do not
// starve the others. Otherwise it keeps the order.
func New(ctx context.Context, store *alerts.Store, rules []rule.Rule, scheduled, dryRun bool) (*Batch, error) {
	b := &Batch{last: map[string]runs.Checkpoint{}, rules: slices.Clone(rules)}
	searches := make([]query.Search, len(rules))
	series := make([]runs.Series, len(rules))
	for i, r := range rules {
		searches[i] = r.Search
		var err error
		if series[i], err = job.SeriesOf(r); err != nil {
			return nil, err
		}
	}
	b.mappings = query.NewMappings(searches...)
	if !scheduled && !dryRun { // otherwise the search for checkpoints refuses
		if err := store.RefuseNewer(ctx); err != nil {
			return nil, err
		}
	}
	if len(rules) < 2 || !scheduled {
		return b, nil
	}
	checkpoints, err := store.Checkpoints(ctx, series)
	if err != nil {
		return nil, err
	}
	for i, c := range checkpoints {
		b.last[series[i].RuleID] = c
	}
	slices.SortStableFunc(b.rules, func(x, y rule.Rule) int {
		return b.last[x.ID].SucceededTo.Compare(b.last[y.ID].SucceededTo)
	})
	return b, nil
}

// Job returns a job of a rule, with the batch's mappings, checkpoint and clock. The
// client counts the job's requests; store uses the same client.
func (b *Batch) Job(r rule.Rule, client *elastic.Client, store *alerts.Store) job.Job {
	j := job.Job{
		Rule: r, Store: store, Usage: client.Usage,
		Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) {
			opened, err := b.mappings.Open(ctx, client, s)
			if err != nil {
				return nil, err
			}
			return esquery.New(opened), nil
		},
		ServerNow: func(ctx context.Context, s query.Search) (time.Time, error) { return b.now(ctx, client, s) },
	}
	if c, ok := b.last[r.ID]; ok {
		j.Checkpoint = &c
	}
	return j
}

// now returns the server's time when it was first called, so that the first windows of
// all rules end at the same time, as later ones do.
func (b *Batch) now(ctx context.Context, c *elastic.Client, search query.Search) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.serverNow.IsZero() {
		now, err := inspect.ServerNow(ctx, c, search)
		if err != nil {
			return now, err // this rule may not read its indices; another may
		}
		b.serverNow = now
	}
	return b.serverNow, nil
}

// Run calls run for each rule, atOnce at a time, until all are done or ctx ends. Its
// error names the rules that had not begun by then.
func (b *Batch) Run(ctx context.Context, atOnce int, run func(context.Context, rule.Rule)) (notBegun int, err error) {
	atOnce = min(atOnce, len(b.rules))
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for {
				r, ctx, cancel, ok := b.next(ctx, atOnce)
				if !ok {
					return
				}
				run(ctx, r)
				cancel()
			}
		})
	}
	workers.Wait()
	if len(b.rules) == 0 {
		return 0, nil
	}
	names := make([]string, len(b.rules))
	for i, r := range b.rules {
		names[i] = r.Name
	}
	return len(names), fmt.Errorf("%w: not started; first in the next run: %s", context.Cause(ctx), strings.Join(names, ", "))
}

// next returns a rule with its share of the remaining time. Time that the rule does not
// use goes to the rest. ok is false if no rule is left, or ctx has ended.
func (b *Batch) next(all context.Context, atOnce int) (r rule.Rule, ctx context.Context, cancel context.CancelFunc, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rules) == 0 || all.Err() != nil {
		return r, nil, nil, false
	}
	r, ctx, cancel = b.rules[0], all, func() {}
	rounds := (len(b.rules) + atOnce - 1) / atOnce
	if end, ok := all.Deadline(); ok && rounds > 1 {
		share := time.Until(end) / time.Duration(rounds)
		ctx, cancel = context.WithTimeoutCause(all, share, fmt.Errorf("its share of NEWTERMS_DEADLINE, %s, is over", words.Span(share)))
	}
	b.rules = b.rules[1:]
	return r, ctx, cancel, true
}
