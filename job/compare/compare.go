// Package compare explains the differences between the alerts of Kibana's own rule and
// ours. It reads both sides' alerts and runs and the source's events, and writes nothing.
//
// Kibana's side is taken from its alerts, and from its event log, which says what each run
// has searched.
package compare

import (
	"context"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/kibana"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/rule"
)

// A Comparison is a rule that both sides run, and where to read.
type Comparison struct {
	Rule   rule.Rule // with the settings applied to its search
	Open   func(context.Context, query.Search) (*esquery.Source, error)
	Store  *alerts.Store
	Kibana *kibana.Reader
	// Command returns the shell command that shows more about a pair in a window; without a
	// pair, about the window. It may be nil.
	Command func(terms []any, w job.Window) string
}

// atOnce is how many differences are looked at together.
const atOnce = 50

// Run compares the alerts whose first-seen time lies in a window, and calls emit with
// each difference: those of one side ordered by time, then the other's, then those that
// both have. Its error may be one of emit. What cannot be read is no error, unless both
// sides' alerts cannot: the report lists it.
func (c Comparison) Run(ctx context.Context, w job.Window, emit func(Difference) error) (Report, error) {
	report := Report{Summary: true, Rule: c.Rule.ID, From: w.From, To: w.To, Classes: map[Class]int{}, Unread: []string{}, Notes: []string{}}
	s := &sides{
		Comparison: c, report: &report, alertsOf: map[string]int{}, executions: map[string]*kibana.Execution{},
		editions: map[editionKey]*edition{}, newest: map[string]*edition{},
	}
	if err := s.read(ctx, w); err != nil {
		return report, err
	}
	joined := join(s.ours, s.theirs, c.Rule.History)
	outside := func(e entry) bool { return e.time().Before(w.From) || !e.time().Before(w.To) }
	neither := func(m match) bool { return outside(*m.ours) && outside(*m.theirs) }
	joined.ours, joined.theirs = slices.DeleteFunc(joined.ours, outside), slices.DeleteFunc(joined.theirs, outside)
	joined.same, joined.other = slices.DeleteFunc(joined.same, neither), slices.DeleteFunc(joined.other, neither)
	report.OnlyNewterms, report.OnlyKibana = len(joined.ours), len(joined.theirs)
	report.OtherEvent, report.Both = len(joined.other), len(joined.same)+len(joined.other)
	count := func(d Difference) error {
		report.Classes[d.Class]++
		if d.Class == Unexplained {
			report.Unexplained++
		}
		return emit(d)
	}
	for _, step := range []func() error{
		func() error { return s.each(ctx, joined.ours, s.oursOf, count) },
		func() error {
			return s.each(ctx, joined.theirs, func(ctx context.Context, some []entry) ([]*suspect, error) {
				return s.theirsOf(ctx, some, joined.twins)
			}, count)
		},
		func() error { return s.both(ctx, joined, count) },
	} {
		if err := step(); err != nil {
			return report, err
		}
	}
	return report, nil
}

// each explains some alerts at a time.
func (s *sides) each(ctx context.Context, all []entry, read func(context.Context, []entry) ([]*suspect, error), emit func(Difference) error) error {
	for some := range slices.Chunk(all, atOnce) {
		suspects, err := read(ctx, some)
		if err != nil {
			return err
		}
		if err := s.ask(ctx, suspects, (*suspect).questions); err != nil {
			return err
		}
		if err := s.ask(ctx, suspects, (*suspect).exceptionQuestions); err != nil {
			return err
		}
		for _, one := range suspects {
			if err := emit(one.explain()); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask asks the questions of all suspects together.
func (s *sides) ask(ctx context.Context, suspects []*suspect, questions func(*suspect) map[string]esquery.Spot) error {
	if s.source == nil { // it cannot be read
		return nil
	}
	var spots []esquery.Spot
	var put []func(esquery.Seen)
	for _, one := range suspects {
		if len(one.terms) != len(s.Rule.Search.Fields) {
			continue // it is of other fields
		}
		for name, spot := range questions(one) {
			if spot.In.From.Before(spot.In.To) {
				spot.Terms = one.terms
				spots, put = append(spots, spot), append(put, func(seen esquery.Seen) { one.seen[name] = seen })
			}
		}
	}
	seen, err := s.source.Spots(ctx, spots)
	for i, found := range seen {
		put[i](found)
	}
	return err
}

// explain returns the difference with the first class that holds.
func (s *suspect) explain() Difference {
	d := Difference{Rule: s.Rule.ID, Side: s.side, Terms: s.terms, FirstSeen: s.at, Alert: s.ours.ID, KibanaAlert: s.theirs.ID}
	for _, t := range trials() {
		if v, ok := t.try(s); ok {
			d.Class, d.Kind, d.Certainty, d.Execution, d.Because = t.class, v.kind, v.certainty, v.execution, v.because
			break
		}
	}
	d.Command = s.command(s.terms, s.at)
	return d
}

// command explains the pair at a time.
func (s *sides) command(terms []any, at time.Time) string {
	if s.Command == nil {
		return ""
	}
	if len(terms) != len(s.Rule.Search.Fields) {
		terms = nil // it is of other fields
	}
	return s.Command(terms, job.Window{From: at, To: at.Add(time.Millisecond)})
}

func ids(some []entry) []string {
	all := make([]string, len(some))
	for i, e := range some {
		all[i] = e.id
	}
	return all
}

// oursOf reads the alerts of newterms, and what is known of each.
func (s *sides) oursOf(ctx context.Context, some []entry) ([]*suspect, error) {
	stored, err := s.Store.ByID(ctx, ids(some))
	if err != nil {
		return nil, err
	}
	suspects := make([]*suspect, len(some))
	for i, e := range some {
		one := s.suspect(OnlyNewterms, e)
		one.ours = stored[e.id]
		one.ours.ID = e.id
		one.terms = one.ours.Terms
		one.windows, one.sure = s.schedule.At(one.at)
		for _, w := range one.windows {
			if known := s.editionOf(w.Run.Rule, w.Run.Revision); known != nil && (one.edition == nil || len(known.differs) == 0) {
				one.edition = known
			}
		}
		suspects[i] = one
	}
	return suspects, nil
}

// theirsOf does the same with Kibana's alerts.
func (s *sides) theirsOf(ctx context.Context, some []entry, twins map[string]entry) ([]*suspect, error) {
	stored, err := s.Kibana.ByID(ctx, s.Rule.Search.Timestamp, ids(some))
	if err != nil {
		return nil, err
	}
	suspects := make([]*suspect, len(some))
	for i, e := range some {
		one := s.suspect(OnlyKibana, e)
		one.theirs, one.twin = stored[e.id], twins[e.id]
		one.theirs.ID = e.id
		one.terms, _ = inOrder(one.theirs, s.Rule.Search.Fields)
		one.windows, one.sure = s.schedule.Of(one.theirs.Execution, one.at), true
		one.edition = s.editionOf(one.theirs.Rule, one.theirs.Revision)
		suspects[i] = one
	}
	return suspects, nil
}

func (s *sides) suspect(side Side, e entry) *suspect {
	one := &suspect{sides: s, side: side, at: e.time(), seen: map[string]esquery.Seen{}}
	for _, run := range s.allRuns {
		if covers(run, one.at) || !one.at.Before(run.GapFrom) && one.at.Before(run.GapTo) {
			one.runs = append(one.runs, run)
		}
	}
	return one
}
