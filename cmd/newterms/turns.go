package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/esquery/elastic"
	"newterms/job/rule"
)

// turns are the rules of a run, in the order in which they have their turn, and
// the time that there is for them.
type turns struct {
	ctx   context.Context // ends with the deadline
	end   context.CancelFunc
	rules []rule.Rule // not begun yet
}

// turns puts the rule first whose last success is longest ago, so that slow ones
// do not keep the others from their turn for ever. A range by hand has no such
// order.
func (p program) turns(ctx context.Context, f runFlags, client *elastic.Client) (*turns, error) {
	t := &turns{rules: slices.Clone(f.rules)}
	if deadline := time.Duration(p.settings.Deadline); deadline > 0 {
		t.ctx, t.end = context.WithTimeoutCause(ctx, deadline, fmt.Errorf("NEWTERMS_DEADLINE=%s is over", deadline))
	} else {
		t.ctx, t.end = context.WithCancel(ctx)
	}
	if len(t.rules) < 2 || !f.from.IsZero() {
		return t, nil
	}
	succeeded, err := alerts.NewStore(client, p.settings.AlertsTarget, p.settings.RunsTarget).Succeeded(t.ctx)
	if err != nil {
		t.end()
		return nil, err
	}
	slices.SortStableFunc(t.rules, func(a, b rule.Rule) int { return succeeded[a.ID].Compare(succeeded[b.ID]) })
	return t, nil
}

// each yields the rules with what each has of the time that is left: an equal
// share, of which it may leave some to the others.
func (t *turns) each() iter.Seq2[rule.Rule, context.Context] {
	return func(yield func(rule.Rule, context.Context) bool) {
		for len(t.rules) > 0 && t.ctx.Err() == nil {
			r := t.rules[0]
			ctx, cancel := t.ctx, context.CancelFunc(func() {})
			if end, ok := t.ctx.Deadline(); ok && len(t.rules) > 1 {
				share := time.Until(end) / time.Duration(len(t.rules))
				ctx, cancel = context.WithTimeoutCause(t.ctx, share, fmt.Errorf("its share of NEWTERMS_DEADLINE, %s, is over", share.Round(time.Millisecond)))
			}
			t.rules = t.rules[1:]
			more := yield(r, ctx)
			cancel()
			if !more {
				return
			}
		}
	}
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
