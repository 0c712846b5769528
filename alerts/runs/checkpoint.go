package runs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// A Checkpoint is the state of the scheduled runs of a rule with one scope, read from
// the runs target. Times are UTC, and zero if there is none.
type Checkpoint struct {
	// SucceededTo is the end of the newest successful window with the same scope. If no
	// run has that scope, it is that of the rule.
	SucceededTo time.Time
	// StartedFrom is the beginning of the first window with the same scope, or else of
	// the rule. It is zero if a run with the same scope has succeeded.
	StartedFrom time.Time
	// Unfinished is the window of the newest run with the same scope, if that run has
	// not ended or was told to stop.
	UnfinishedFrom, UnfinishedTo time.Time
	// FutureTo is the end of a successful window that lies in the future: a clock was
	// wrong.
	FutureTo time.Time
	// Other is the search of a success with another scope that is newer than the newest
	// one with this scope: another job runs the rule too.
	Other string
	// Now is the server's time, zero if the target does not exist.
	Now time.Time
	// HasEdition reports whether the target has the given edition of the rule.
	HasEdition bool
	// Forgotten reports that the target has no run of the rule, and has deleted older
	// runs, perhaps of this rule.
	Forgotten bool
}

// A Series identifies the scheduled runs of a rule with one scope. Each continues where
// the one before it ended. The search identifies runs of earlier builds, which have no
// scope.
type Series struct {
	RuleID, Scope, Search string // see Info
	Edition               string // the rule's current Rule.Edition; "" if it is not needed
}

// has reports whether a group consists of runs of the series. Builds without scopes identified
// them by their search, with or without exclusions.
func (s Series) has(g group) bool {
	return g.ruleID == s.RuleID && (g.scope == s.Scope || g.scope == "" && (g.search == s.Search || g.search == s.Scope))
}

// Checkpoint returns the checkpoint of a series. Its error is a *NewerDataError if a
// newer program has written to the target.
func (r *Reader) Checkpoint(ctx context.Context, s Series) (Checkpoint, error) {
	all, err := r.Checkpoints(ctx, []Series{s})
	if err != nil {
		return Checkpoint{}, err
	}
	return all[0], nil
}

// Checkpoints returns the checkpoints of several series, in order. It reads the runs of
// the last hours, and all runs only for the few rules without a success there.
func (r *Reader) Checkpoints(ctx context.Context, all []Series) ([]Checkpoint, error) {
	checkpoints := make([]Checkpoint, len(all))
	if len(all) == 0 {
		return checkpoints, nil
	}
	query := groupsQuery{ruleIDs: make([]string, len(all)), types: []Type{Scheduled}, recent: true, clock: true}
	for i, s := range all {
		query.ruleIDs[i] = s.RuleID
		if s.Edition != "" {
			query.editions = append(query.editions, s.Edition)
		}
	}
	recent, side, err := r.groups(ctx, query)
	if err != nil || side.now.IsZero() {
		return checkpoints, lookupError(err)
	}
	query = groupsQuery{types: query.types}
	for i, s := range all {
		if checkpoints[i] = s.checkpoint(recent); !s.hasSucceeded(recent) {
			query.ruleIDs = append(query.ruleIDs, s.RuleID)
		}
	}
	if len(query.ruleIDs) > 0 {
		ever, _, err := r.groups(ctx, query)
		if err != nil {
			return nil, lookupError(err)
		}
		for i, s := range all {
			if slices.Contains(query.ruleIDs, s.RuleID) {
				checkpoints[i] = s.checkpoint(ever)
			}
		}
		if err := r.markForgotten(ctx, all, ever, checkpoints); err != nil {
			return nil, lookupError(err)
		}
	}
	for i, s := range all {
		checkpoints[i].Now, checkpoints[i].HasEdition = side.now, slices.Contains(side.editions, s.RuleID)
	}
	return checkpoints, nil
}

// markForgotten marks the rules without runs, if the target has deleted runs.
func (r *Reader) markForgotten(ctx context.Context, all []Series, ever []group, checkpoints []Checkpoint) error {
	var deleted *bool
	for i, s := range all {
		if slices.ContainsFunc(ever, func(g group) bool { return g.ruleID == s.RuleID }) || checkpoints[i].SucceededTo != (time.Time{}) {
			continue
		}
		if deleted == nil {
			has, err := r.hasDeleted(ctx, r.target)
			if err != nil {
				return err
			}
			deleted = &has
		}
		checkpoints[i].Forgotten = *deleted
	}
	return nil
}

func lookupError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look up the last run: %w", err)
}

// hasSucceeded reports whether a run of the series has succeeded.
func (s Series) hasSucceeded(groups []group) bool {
	return slices.ContainsFunc(groups, func(g group) bool { return s.has(g) && !g.succeededTo.IsZero() })
}

// checkpoint returns the checkpoint from groups, which may include other rules.
func (s Series) checkpoint(groups []group) Checkpoint {
	var own, others group
	var c Checkpoint
	for _, g := range groups {
		switch {
		case g.ruleID != s.RuleID:
			continue
		case s.has(g):
			own.add(g)
		default:
			others.add(g)
		}
		c.FutureTo = latest(c.FutureTo, g.futureTo)
	}
	c.SucceededTo = own.succeededTo
	if run := own.newest; run.State == Started || run.Terminated {
		c.UnfinishedFrom, c.UnfinishedTo = run.From, run.To
	}
	switch {
	case !c.SucceededTo.IsZero():
		if others.succeededAt.After(own.succeededAt) {
			c.Other = cmp.Or(others.newest.Search, "unknown") // one of version 0.1 has none
		}
	case !own.startedFrom.IsZero():
		c.StartedFrom = own.startedFrom
	default:
		c.SucceededTo, c.StartedFrom = others.succeededTo, others.startedFrom
	}
	return c
}
