// Package explain says why pairs have alerts, or have none. It reads the same data as a
// run, applies the same definition, and writes nothing.
package explain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/limits"
	"newterms/job/rule"
)

// An Explainer explains the pairs of a rule.
type Explainer struct {
	Rule  rule.Rule // with the settings applied to its search
	Open  func(context.Context, query.Search) (*esquery.Source, error)
	Store *alerts.Store
	Warn  func(error) // receives a *limits.UnavailableIndices, *limits.TimeLimited or *job.LackingTerms
	// Rerun is the command that runs a window by hand.
	Rerun func(job.Window) string
	// GivenAlert is the alert whose pair is explained; nil if values are given.
	GivenAlert *alerts.StoredAlert
	// Details are those of GivenAlert, and Until is up to when its pair is looked at.
	Details *alerts.Details
	Until   time.Time
}

// A Printer prints the answers of an Explainer.
type Printer interface {
	Found(Found) error // before the Pairs that it lists
	Pair(Pair) error
	Nothing(Nothing) error
}

// silence is how long a pair must be absent for its next event to be explained, whether
// or not that is a first occurrence.
const silence = 24 * time.Hour

// explainedAtOnce is the number of pairs explained together.
const explainedAtOnce = 200

// Explain explains each pair that has the values and matching events in the window. If
// there is none, it explains those with events in the history before, and then why no
// event in the window matches. The values are those of any fields of events, one for
// each. Values of other fields than the rule's new-terms fields select events: Explain
// lists the pairs of these, and explains the first ones with all their events. It returns
// the number of explained pairs. The error may be a *ValueError.
func (e *Explainer) Explain(ctx context.Context, values query.Values, w job.Window, to Printer) (pairs int, err error) {
	q := question{values: values, others: otherFields(e.Rule, values), window: w, to: to}
	search := e.Rule.Search
	search.Typed = q.others
	source, err := e.Open(ctx, search)
	if err != nil {
		return 0, err
	}
	limits.WarnOfSource(source, e.Rule.Search, e.Warn)
	pairs, err = e.answer(ctx, source, q)
	return pairs, asValueError(err, values)
}

func (e *Explainer) answer(ctx context.Context, source *esquery.Source, q question) (pairs int, err error) {
	w := q.window
	if q.otherCase, err = e.findOtherCase(ctx, source, q.values, w); err != nil {
		return 0, err
	}
	if pairs, err = e.pairsIn(ctx, source, q, w); err != nil || pairs > 0 {
		return pairs, err
	}
	if pairs, err = e.pairsIn(ctx, source, q, job.Window{From: w.From.Add(-e.Rule.History), To: w.From}); err != nil {
		return pairs, err
	}
	nothing, err := e.nothing(ctx, source, q)
	if err == nil {
		err = q.to.Nothing(nothing)
	}
	return pairs, err
}

// pairsIn explains the pairs that have matching events in a range.
func (e *Explainer) pairsIn(ctx context.Context, source *esquery.Source, q question, in job.Window) (pairs int, err error) {
	lacking := job.NewLackingTerms()
	found := Found{header: e.header(nil), From: in.From, To: in.To}
	for page, err := range source.Narrow(q.values).Candidates(ctx, query.Range(in)) {
		if err != nil {
			return pairs, err
		}
		lacking.Add(page.Lacking)
		candidates := slices.DeleteFunc(page.Candidates, func(c esquery.Candidate) bool { return !q.matches(e.Rule.Search.Fields, c, source.Types()) })
		if len(q.others) > 0 {
			found.add(candidates)
			continue
		}
		pairs += len(candidates)
		if err := e.explainAll(ctx, source, candidates, q); err != nil {
			return pairs, err
		}
	}
	if len(found.candidates) > 0 {
		found.complete(e.Rule.Search.Fields, q)
		if err := q.to.Found(found); err != nil {
			return 0, fmt.Errorf("print the pairs: %w", err)
		}
		pairs = len(found.candidates)
		if err := e.explainAll(ctx, source, found.candidates, q); err != nil {
			return pairs, err
		}
	}
	if lacking.Any > 0 && pairs > 0 { // otherwise Nothing says so
		e.Warn(&lacking)
	}
	return pairs, nil
}

func (e *Explainer) explainAll(ctx context.Context, source *esquery.Source, candidates []esquery.Candidate, q question) error {
	for some := range slices.Chunk(candidates, explainedAtOnce) {
		explained, err := e.explain(ctx, source, some, q)
		if err != nil {
			return err
		}
		for _, pair := range explained {
			if err := q.to.Pair(pair); err != nil {
				return fmt.Errorf("print the explanation: %w", err)
			}
		}
	}
	return nil
}

// A question holds the values and the window to explain.
type question struct {
	values query.Values
	others []string // fields of values that are no new-terms fields of the rule
	// otherCase lists values that differ from the given ones by letter case. They are
	// other values.
	otherCase map[string]Counts
	window    job.Window
	to        Printer
}

// later returns what the pair of the given alert did afterwards; nil if there is no such
// alert.
func (e *Explainer) later(ctx context.Context, source *esquery.Source) (*Later, error) {
	if e.GivenAlert == nil || !e.GivenAlert.FirstSeen.Before(e.Until) {
		return nil, nil
	}
	after := query.Range{From: e.GivenAlert.FirstSeen.Add(time.Millisecond), To: e.Until}
	found, err := source.Summaries(ctx, after, []esquery.Candidate{{Terms: e.GivenAlert.Terms}}, nil)
	if err != nil {
		return nil, err
	}
	return &Later{Events: found[0].Events, Last: found[0].Last, Until: e.Until}, nil
}

// header returns the header of an answer about a pair with these occurrences.
func (e *Explainer) header(occurrences []Occurrence) header {
	n := header{Rule: e.Rule.Name, GivenAlert: e.GivenAlert, Details: e.Details}
	if e.GivenAlert != nil {
		would := slices.ContainsFunc(occurrences, func(o Occurrence) bool { return o.FirstOccurrence && o.At.Equal(e.GivenAlert.FirstSeen) })
		n.WouldWrite = &would
	}
	return n
}
