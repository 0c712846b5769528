// Package cases runs the cases of rules: it puts the events of each case into a scratch
// index, runs the rule there, and compares its alerts with those expected.
package cases

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/esquery/scratch"
	"newterms/job"
	"newterms/job/casefile"
	"newterms/job/rule"
)

// A Runner runs cases. It is safe for concurrent use.
type Runner struct {
	Client *elastic.Client
	Space  *scratch.Space
	Types  Types
	// Zero is the time that the times of all cases are relative to.
	Zero    time.Time
	Overlap time.Duration // of scheduled windows, unless the rule has a larger one
	Now     func() time.Time
}

// An Outcome is the result of a case.
type Outcome struct {
	Case        casefile.Case
	Zero        time.Time
	Took        time.Duration
	Differences []Difference
	// Unknown lists the fields of the events and of the rule whose types are not known.
	Unknown []string
	// Warnings are those of the runs, each once.
	Warnings []error
	// Err is set if the rule or its case cannot be used, or the server fails.
	Err error
}

// Holds reports whether the case has found what it expects.
func (o Outcome) Holds() bool { return o.Err == nil && len(o.Differences) == 0 }

// A bench is the scratch index of a rule, with the mapping that all of its cases need.
type bench struct {
	index string
	holds int // documents, at most
}

// run runs a case and explains each difference. If the case holds, it also runs the
// mutations of the rule.
func (r *Runner) run(ctx context.Context, b *bench, of rule.Rule, c casefile.Case, mutations *mutations) Outcome {
	began := r.Now()
	o := Outcome{Case: c, Zero: r.Zero}
	t, err := r.prepare(ctx, b, of, c)
	if err == nil {
		defer t.remove(ctx)
		o.Unknown = t.unknown
		err = t.judge(ctx, &o)
	}
	if err == nil && o.Holds() && mutations != nil {
		err = t.mutate(ctx, mutations)
	}
	o.Err, o.Took = err, r.Now().Sub(began)
	return o
}

// A trial is a case with its events in a scratch index.
type trial struct {
	*Runner
	rule     rule.Rule // that reads the scratch index
	usual    bool      // Search.MissingTerms without the case
	of       casefile.Case
	expected []expected
	unknown  []string
	targets  []string // scratch targets
}

// prepare puts the events of a case into the index.
func (r *Runner) prepare(ctx context.Context, b *bench, of rule.Rule, c casefile.Case) (*trial, error) {
	t := &trial{Runner: r, rule: of, usual: of.Search.MissingTerms, of: c}
	t.rule.Search.Indices = []string{b.index}
	if c.MissingTerms != "" {
		t.rule.Search.MissingTerms = c.MissingTerms == "include"
	}
	var err error
	if t.expected, err = expectedOf(of.Search.Fields, c); err != nil {
		return nil, err
	}
	documents := make([]map[string]any, len(c.Events))
	for i, e := range c.Events {
		documents[i] = e.Document(r.Zero, "@timestamp", of.Search.Timestamp)
	}
	for _, path := range paths(of.Search, documents) {
		if _, known := r.Types.of(path); !known {
			t.unknown = append(t.unknown, path)
		}
	}
	err = r.Space.Fill(ctx, b.index, b.holds, documents)
	b.holds = max(b.holds, len(documents))
	if _, ok := errors.AsType[*scratch.EventError](err); ok {
		err = &casefile.Error{Path: c.Path, Line: c.Line, Err: fmt.Errorf("case %q: %w", c.Name, err)}
	}
	return t, err
}

// Fields lists the fields of the cases of a rule and of the rule, sorted.
func (s Suite) Fields() []string {
	var documents []map[string]any
	for _, c := range s.Cases {
		for _, e := range c.Events {
			documents = append(documents, e.Document(time.Time{}, "@timestamp", s.Rule.Search.Timestamp))
		}
	}
	return paths(s.Rule.Search, documents)
}

func paths(search query.Search, documents []map[string]any) []string {
	all := map[string]bool{}
	for _, name := range search.PlainNames() {
		all[name] = true
	}
	for _, d := range documents {
		for _, path := range casefile.Paths(d) {
			all[path] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// remove deletes the targets of the case at once, so that few exist at a time. What fails
// here is left to Space.Close, which reports it.
func (t *trial) remove(ctx context.Context) { _ = t.Space.Remove(ctx, t.targets...) }

// judge runs the rule and compares the alerts.
func (t *trial) judge(ctx context.Context, o *Outcome) error {
	found, store, err := t.run(ctx, t.rule, o)
	if err != nil {
		return err
	}
	o.Differences = compare(t.expected, found)
	return t.explain(ctx, store, o.Differences)
}

// windows are those of the case, one or scheduled ones.
func (t *trial) windows() []job.Window {
	whole := job.Window{From: t.Zero.Add(t.of.From), To: t.Zero.Add(t.of.To)}
	if t.of.Schedule == 0 {
		return []job.Window{whole}
	}
	var all []job.Window
	for w := range whole.Parts(t.of.Schedule) {
		if len(all) > 0 {
			w.From = w.From.Add(-max(t.Overlap, t.rule.Overlap))
		}
		all = append(all, w)
	}
	return all
}

// run runs a rule over the windows of the case, and returns its alerts. One window is a
// dry run. Several write their alerts into a scratch target, as scheduled runs do.
func (t *trial) run(ctx context.Context, r rule.Rule, o *Outcome) ([]found, *alerts.Store, error) {
	windows := t.windows()
	target := t.Space.Name()
	store := alerts.NewStore(t.Client, target, target+"-runs")
	if len(windows) > 1 {
		t.targets = append(t.targets, target, target+"-runs")
		var err error
		if store, err = store.OnIndices(ctx); err != nil {
			return nil, nil, err
		}
	}
	var all []found
	said := map[string]bool{}
	j := job.Job{
		Rule: r, Version: "test", Store: store, DryRun: len(windows) == 1, Usage: t.Client.Usage, Now: t.Now,
		Open: esquery.Opener(t.Client),
		Emit: func(a alert.Alert) error {
			one, err := readAlert(a, t.Zero)
			all = append(all, one)
			return err
		},
		Warn: func(warning error) {
			if text := warning.Error(); !said[text] && o != nil {
				said[text] = true
				o.Warnings = append(o.Warnings, warning)
			}
		},
	}
	for _, w := range windows {
		if _, err := j.Run(ctx, uuid.NewString(), w); err != nil {
			return nil, nil, err
		}
	}
	return all, store, nil
}
