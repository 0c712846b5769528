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

// turns are the rules of a run, in the order in which they have their turn, and
// the time that there is for them.
type turns struct {
	ctx    context.Context // ends with the deadline
	end    context.CancelFunc
	atOnce int // how many goroutines take turns

	mu    sync.Mutex
	rules []rule.Rule // not begun yet
}

// turns puts the rule first whose last success is longest ago, so that slow ones
// do not keep the others from their turn for ever. A range by hand has no such
// order, and no checkpoints.
func (p program) turns(ctx context.Context, rules []rule.Rule, last map[string]alerts.Checkpoint) *turns {
	t := &turns{rules: slices.Clone(rules), atOnce: min(int(p.settings.Concurrency), len(rules))}
	if deadline := time.Duration(p.settings.Deadline); deadline > 0 {
		t.ctx, t.end = context.WithTimeoutCause(ctx, deadline, fmt.Errorf("NEWTERMS_DEADLINE=%s is over", deadline))
	} else {
		t.ctx, t.end = context.WithCancel(ctx)
	}
	slices.SortStableFunc(t.rules, func(a, b rule.Rule) int { return last[a.ID].SucceededTo.Compare(last[b.ID].SucceededTo) })
	return t
}

// each yields rules with what each has of the time that is left: an equal share,
// of which it may leave some to the others. Several goroutines may range over it;
// each rule goes to one of them.
func (t *turns) each() iter.Seq2[rule.Rule, context.Context] {
	return func(yield func(rule.Rule, context.Context) bool) {
		for {
			r, ctx, cancel, ok := t.next()
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

func (t *turns) next() (r rule.Rule, ctx context.Context, cancel context.CancelFunc, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rules) == 0 || t.ctx.Err() != nil {
		return r, nil, nil, false
	}
	r, ctx, cancel = t.rules[0], t.ctx, func() {}
	atOnce := max(1, t.atOnce)
	rounds := (len(t.rules) + atOnce - 1) / atOnce
	if end, ok := t.ctx.Deadline(); ok && rounds > 1 {
		share := time.Until(end) / time.Duration(rounds)
		ctx, cancel = context.WithTimeoutCause(t.ctx, share, fmt.Errorf("its share of NEWTERMS_DEADLINE, %s, is over", share.Round(time.Millisecond)))
	}
	t.rules = t.rules[1:]
	return r, ctx, cancel, true
}

// notBegun names the rules that had no turn.
func (t *turns) notBegun() error {
	if len(t.rules) == 0 {
		return nil
	}
	names := make([]string, len(t.rules))
	for i, r := range t.rules {
		names[i] = r.Name
	}
	return fmt.Errorf("%w: not begun, and first next time: %s", context.Cause(t.ctx), strings.Join(names, ", "))
}
