package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"newterms/alerts"
	"newterms/job/rule"
)

// turns are the rules of a run, in the order in which they have their turn.
type turns struct {
	atOnce int // how many goroutines take turns

	mu    sync.Mutex
	rules []rule.Rule // not begun yet
}

// turns puts the rule first whose last success is longest ago, so that slow ones
// do not keep the others from their turn for ever. A range by hand has no such
// order, and no checkpoints.
func (p program) turns(rules []rule.Rule, last map[string]alerts.Checkpoint) *turns {
	t := &turns{rules: slices.Clone(rules), atOnce: min(int(p.settings.Concurrency), len(rules))}
	slices.SortStableFunc(t.rules, func(a, b rule.Rule) int { return last[a.ID].SucceededTo.Compare(last[b.ID].SucceededTo) })
	return t
}

// withDeadline is the time that there is for all rules.
func (p program) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline := time.Duration(p.settings.Deadline); deadline > 0 {
		return context.WithTimeoutCause(ctx, deadline, fmt.Errorf("NEWTERMS_DEADLINE=%s is over", deadline))
	}
	return context.WithCancel(ctx)
}

// each yields rules with what each has of the time that is left: an equal share,
// of which it may leave some to the others. Several goroutines may range over it;
// each rule goes to one of them. It ends with ctx.
func (t *turns) each(ctx context.Context) iter.Seq2[rule.Rule, context.Context] {
	return func(yield func(rule.Rule, context.Context) bool) {
		for {
			r, ctx, cancel, ok := t.next(ctx)
			if !ok {
				return
			}
			more := yield(r, ctx)
			cancel()
			if !more {
				return
			}
		}
	}
}

func (t *turns) next(all context.Context) (r rule.Rule, ctx context.Context, cancel context.CancelFunc, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rules) == 0 || all.Err() != nil {
		return r, nil, nil, false
	}
	r, ctx, cancel = t.rules[0], all, func() {}
	atOnce := max(1, t.atOnce)
	rounds := (len(t.rules) + atOnce - 1) / atOnce
	if end, ok := all.Deadline(); ok && rounds > 1 {
		share := time.Until(end) / time.Duration(rounds)
		ctx, cancel = context.WithTimeoutCause(all, share, fmt.Errorf("its share of NEWTERMS_DEADLINE, %s, is over", share.Round(time.Millisecond)))
	}
	t.rules = t.rules[1:]
	return r, ctx, cancel, true
}

// notBegun names the rules that had no turn before ctx ended.
func (t *turns) notBegun(ctx context.Context) error {
	if len(t.rules) == 0 {
		return nil
	}
	names := make([]string, len(t.rules))
	for i, r := range t.rules {
		names[i] = r.Name
	}
	return fmt.Errorf("%w: not begun, and first next time: %s", context.Cause(ctx), strings.Join(names, ", "))
}
