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

// A Series identifies scheduled runs that continue one another: those of a rule and a
// scope. The search identifies those of earlier builds, which have no scope.
type Series struct {
	RuleID, Scope, Search string
	Edition               string // the rule's current Rule.Edition; "" if it is not needed
}

// has reports whether a group consists of these runs. Builds without scopes identified
// them by their search, with or without exclusions.
func (f Series) has(g runGroup) bool {
	return g.ruleID == f.RuleID && (g.scope == f.Scope || g.scope == "" && (g.search == f.Search || g.search == f.Scope))
}

// Checkpoint returns the checkpoint of a rule. Its error is a *NewerDataError if a
// newer program has written to the target.
func (r *Reader) Checkpoint(ctx context.Context, of Series) (Checkpoint, error) {
	all, err := r.Checkpoints(ctx, []Series{of})
	if err != nil {
		return Checkpoint{}, err
	}
	return all[0], nil
}

// Checkpoints returns the checkpoints of several rules, in order. It reads the runs of
// the last hours, and all runs only for the few rules without a success there.
func (r *Reader) Checkpoints(ctx context.Context, of []Series) ([]Checkpoint, error) {
	all := make([]Checkpoint, len(of))
	if len(of) == 0 {
		return all, nil
	}
	question := runsQuery{ruleIDs: make([]string, len(of)), types: []Type{Scheduled}, recent: true, clock: true}
	for i, f := range of {
		question.ruleIDs[i] = f.RuleID
		if f.Edition != "" {
			question.editions = append(question.editions, f.Edition)
		}
	}
	recent, side, err := r.runGroups(ctx, question)
	if err != nil || side.now.IsZero() {
		return all, lookupError(err)
	}
	question = runsQuery{types: question.types}
	for i, f := range of {
		if all[i] = f.checkpoint(recent); !f.ran(recent) {
			question.ruleIDs = append(question.ruleIDs, f.RuleID)
		}
	}
	if len(question.ruleIDs) > 0 {
		ever, _, err := r.runGroups(ctx, question)
		if err != nil {
			return nil, lookupError(err)
		}
		for i, f := range of {
			if slices.Contains(question.ruleIDs, f.RuleID) {
				all[i] = f.checkpoint(ever)
			}
		}
		if err := r.markForgotten(ctx, of, ever, all); err != nil {
			return nil, lookupError(err)
		}
	}
	for i, f := range of {
		all[i].Now, all[i].HasEdition = side.now, slices.Contains(side.editions, f.RuleID)
	}
	return all, nil
}

// markForgotten marks the rules without runs, if the target has deleted runs.
func (r *Reader) markForgotten(ctx context.Context, of []Series, ever []runGroup, all []Checkpoint) error {
	var deleted *bool
	for i, f := range of {
		if slices.ContainsFunc(ever, func(g runGroup) bool { return g.ruleID == f.RuleID }) || all[i].SucceededTo != (time.Time{}) {
			continue
		}
		if deleted == nil {
			has, err := r.hasDeleted(ctx, r.target)
			if err != nil {
				return err
			}
			deleted = &has
		}
		all[i].Forgotten = *deleted
	}
	return nil
}

func lookupError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look up the last run: %w", err)
}

// ran reports whether one of these runs has succeeded.
func (f Series) ran(groups []runGroup) bool {
	return slices.ContainsFunc(groups, func(g runGroup) bool { return f.has(g) && !g.succeededTo.IsZero() })
}

// checkpoint returns the checkpoint from groups, which may include other rules.
func (f Series) checkpoint(groups []runGroup) Checkpoint {
	var own, others runSummary
	var c Checkpoint
	for _, g := range groups {
		switch {
		case g.ruleID != f.RuleID:
			continue
		case f.has(g):
			own.add(g)
		default:
			others.add(g)
		}
		c.FutureTo = latest(c.FutureTo, g.futureTo)
	}
	c.SucceededTo = own.succeededTo
	if run := own.newest; run.state == Started || run.terminated {
		c.UnfinishedFrom, c.UnfinishedTo = run.from, run.to
	}
	switch {
	case !c.SucceededTo.IsZero():
		if others.succeededAt.After(own.succeededAt) {
			c.Other = cmp.Or(others.newest.search, "unknown") // one of version 0.1 has none
		}
	case !own.startedFrom.IsZero():
		c.StartedFrom = own.startedFrom
	default:
		c.SucceededTo, c.StartedFrom = others.succeededTo, others.startedFrom
	}
	return c
}

// A runSummary adds up groups.
type runSummary struct{ runGroup }

func (s *runSummary) add(g runGroup) {
	s.succeededTo, s.succeededAt = latest(s.succeededTo, g.succeededTo), latest(s.succeededAt, g.succeededAt)
	if s.startedFrom.IsZero() || !g.startedFrom.IsZero() && g.startedFrom.Before(s.startedFrom) {
		s.startedFrom = g.startedFrom
	}
	if newer := g.newest.started.Compare(s.newest.started); newer > 0 || newer == 0 && g.newest.at.After(s.newest.at) {
		s.newest = g.newest
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// A maximum is the value of a max or min aggregation over dates, in milliseconds.
type maximum struct {
	Value *float64 `json:"value"`
}

func (m maximum) time() time.Time {
	if m.Value == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*m.Value)).UTC()
}
