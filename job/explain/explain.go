// Package explain says why pairs have alerts, or have none. It reads what a run
// reads, judges by the same definition, and writes nothing.
package explain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job"
	"newterms/job/rule"
)

// An Explainer explains the pairs of a rule.
type Explainer struct {
	Rule  rule.Rule // with the settings applied to its search
	Open  func(context.Context, esquery.Search) (*esquery.Source, error)
	Store *alerts.Store
	Warn  func(error) // is given a *job.PassedOver, *job.TimeLimited or *job.LackingTerms
	// Rerun is the command that runs a window by hand.
	Rerun func(job.Window) string
	// Asked is the alert whose pair is asked for; nil if values are.
	Asked *alerts.StoredAlert
}

// Printer is given what an Explainer finds, and returns why it cannot print it.
type Printer interface {
	Pair(Pair) error
	Nothing(Nothing) error
}

// silence is how long a pair must be away for its return to be explained, even if it
// is no first occurrence.
const silence = 24 * time.Hour

// explainedAtOnce is how many pairs are explained together.
const explainedAtOnce = 200

// Explain explains every pair that has the values and matching events in the window;
// if there is none, those that have some in the history before it, and then what
// keeps events from matching. The values are of some or all new-terms fields, one
// for each. It returns how many pairs it explained.
func (e *Explainer) Explain(ctx context.Context, values esquery.Values, w job.Window, to Printer) (pairs int, err error) {
	source, err := e.Open(ctx, e.Rule.Search)
	if err != nil {
		return 0, err
	}
	job.WarnOfSource(source, e.Rule.Search, e.Warn)
	asked := question{values: values, window: w, to: to}
	if asked.letters, err = e.otherCase(ctx, source, values, w); err != nil {
		return 0, err
	}
	if pairs, err = e.pairsIn(ctx, source, asked, w); err != nil || pairs > 0 {
		return pairs, err
	}
	if pairs, err = e.pairsIn(ctx, source, asked, job.Window{From: w.From.Add(-e.Rule.History), To: w.From}); err != nil {
		return pairs, err
	}
	nothing, err := e.nothing(ctx, source, asked)
	if err == nil {
		err = to.Nothing(nothing)
	}
	return pairs, err
}

// A question is what explanations are asked for.
type question struct {
	values esquery.Values
	// letters are values that differ from these by letter case, which are others.
	letters map[string]Counts
	window  job.Window
	to      Printer
}

// pairsIn explains the pairs that have matching events in a range.
func (e *Explainer) pairsIn(ctx context.Context, source *esquery.Source, asked question, in job.Window) (pairs int, err error) {
	lacking := job.NewLackingTerms()
	for page, err := range source.Narrow(asked.values).Candidates(ctx, esquery.Range(in)) {
		if err != nil {
			return pairs, err
		}
		lacking.Add(page.Lacking)
		candidates := slices.DeleteFunc(page.Candidates, func(c esquery.Candidate) bool { return !asked.isFor(e.Rule.Search.Fields, c, source.Types()) })
		pairs += len(candidates)
		for some := range slices.Chunk(candidates, explainedAtOnce) {
			explained, err := e.explain(ctx, source, some, asked)
			if err != nil {
				return pairs, err
			}
			for _, pair := range explained {
				if err := asked.to.Pair(pair); err != nil {
					return pairs, fmt.Errorf("print the explanation: %w", err)
				}
			}
		}
	}
	if lacking.Any > 0 && pairs > 0 { // else it is one of the conditions that events fail
		e.Warn(&lacking)
	}
	return pairs, nil
}

// named begins an answer. occurrences are those of the pair.
func (e *Explainer) named(occurrences []Occurrence) named {
	n := named{Rule: e.Rule.Name, Asked: e.Asked}
	if e.Asked != nil {
		would := slices.ContainsFunc(occurrences, func(o Occurrence) bool { return o.FirstOccurrence && o.At.Equal(e.Asked.FirstSeen) })
		n.WouldWrite = &would
	}
	return n
}
