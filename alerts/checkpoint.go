package alerts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// A Checkpoint is what the runs target tells of the scheduled runs of a rule with
// one scope. Times are UTC, and zero if there is none.
type Checkpoint struct {
	// SucceededTo is where the window of the newest success ended: with the same
	// scope, or if that has none and has not started either, of the rule.
	SucceededTo time.Time
	// StartedFrom is where the first window began, with the same scope or else of
	// the rule. It is zero if a run with the same scope has succeeded.
	StartedFrom time.Time
	// Unfinished is the window of the newest run with the same scope, if that has
	// not ended or was told to stop.
	UnfinishedFrom, UnfinishedTo time.Time
	// FutureTo is where a window ended that succeeded and is later than now: a
	// clock was wrong.
	FutureTo time.Time
	// Other is the search of another success that is newer than the newest one
	// with the same scope: somebody else runs the rule as well.
	Other string
	// Now is the time by the server's clock, zero if the target does not exist.
	Now time.Time
	// HasEdition tells that the target has the edition of the rule that was asked for.
	HasEdition bool
	// Forgotten tells that there is no run of the rule, and that the target has
	// deleted older ones, of this rule it may be.
	Forgotten bool
}

// A Followed names the scheduled runs that follow each other: those of a rule and
// a scope. The search tells those of earlier builds, which have no scope.
type Followed struct {
	RuleID, Scope, Search string
	Edition               string // of the rule as it is now: Rule.Edition; "" to not ask for it
}

// has reports whether a group is of these runs. A build without scopes knew the
// same runs by their search, with exclusions or without.
func (f Followed) has(g runGroup) bool {
	return g.ruleID == f.RuleID && (g.scope == f.Scope || g.scope == "" && (g.search == f.Search || g.search == f.Scope))
}

// Checkpoint reads where the scheduled runs of a rule stand. Its error is a
// *NewerDataError if a newer program has written to the target.
func (s *Store) Checkpoint(ctx context.Context, of Followed) (Checkpoint, error) {
	all, err := s.Checkpoints(ctx, []Followed{of})
	if err != nil {
		return Checkpoint{}, err
	}
	return all[0], nil
}

// Checkpoints reads where the scheduled runs of many rules stand, in the order
// asked for. It reads the runs of the last hours, and all only of rules that have
// no success there: few, or few rules.
func (s *Store) Checkpoints(ctx context.Context, of []Followed) ([]Checkpoint, error) {
	all := make([]Checkpoint, len(of))
	if len(of) == 0 {
		return all, nil
	}
	question := runsQuestion{ruleIDs: make([]string, len(of)), types: []RunType{RunScheduled}, recent: true, clock: true}
	for i, f := range of {
		question.ruleIDs[i] = f.RuleID
		if f.Edition != "" {
			question.editions = append(question.editions, f.Edition)
		}
	}
	recent, told, err := s.runGroups(ctx, question)
	if err != nil || told.now.IsZero() {
		return all, lookedUp(err)
	}
	question = runsQuestion{types: question.types}
	for i, f := range of {
		if all[i] = f.checkpoint(recent); !f.ran(recent) {
			question.ruleIDs = append(question.ruleIDs, f.RuleID)
		}
	}
	if len(question.ruleIDs) > 0 {
		ever, _, err := s.runGroups(ctx, question)
		if err != nil {
			return nil, lookedUp(err)
		}
		for i, f := range of {
			if slices.Contains(question.ruleIDs, f.RuleID) {
				all[i] = f.checkpoint(ever)
			}
		}
		if err := s.markForgotten(ctx, of, ever, all); err != nil {
			return nil, lookedUp(err)
		}
	}
	for i, f := range of {
		all[i].Now, all[i].HasEdition = told.now, slices.Contains(told.editions, f.RuleID)
	}
	return all, nil
}

// markForgotten marks the rules of which there is no run, if the target has deleted
// runs.
func (s *Store) markForgotten(ctx context.Context, of []Followed, ever []runGroup, all []Checkpoint) error {
	var deleted *bool
	for i, f := range of {
		if slices.ContainsFunc(ever, func(g runGroup) bool { return g.ruleID == f.RuleID }) || all[i].SucceededTo != (time.Time{}) {
			continue
		}
		if deleted == nil {
			has, err := s.hasDeleted(ctx, s.runsTarget)
			if err != nil {
				return err
			}
			deleted = &has
		}
		all[i].Forgotten = *deleted
	}
	return nil
}

func lookedUp(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("look up the last run: %w", err)
}

// ran reports whether one of the followed runs has succeeded.
func (f Followed) ran(groups []runGroup) bool {
	return slices.ContainsFunc(groups, func(g runGroup) bool { return f.has(g) && !g.succeededTo.IsZero() })
}

// checkpoint is what some groups tell, which may be of other rules as well.
func (f Followed) checkpoint(groups []runGroup) Checkpoint {
	var own, others standing
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
	if run := own.newest; run.state == RunStarted || run.terminated {
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

// standing sums up groups.
type standing struct{ runGroup }

func (s *standing) add(g runGroup) {
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

// maximum is the value of a max or min aggregation over dates, in milliseconds.
type maximum struct {
	Value *float64 `json:"value"`
}

func (m maximum) time() time.Time {
	if m.Value == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*m.Value)).UTC()
}
