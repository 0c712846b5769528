package cases

import (
	"context"
	"slices"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/explain"
)

// explain adds to each alert that is missing or unexpected why it is.
func (t *trial) explain(ctx context.Context, store *alerts.Store, differences []Difference) error {
	x := explain.Explainer{
		Rule: t.rule, Store: store, Warn: func(error) {}, Rerun: func(job.Window) string { return "" },
		Open: esquery.Opener(t.Client),
	}
	whole := job.Window{From: t.Zero.Add(t.of.From), To: t.Zero.Add(t.of.To)}
	for i := range differences {
		d := &differences[i]
		if d.Kind == Other {
			continue
		}
		values := query.Values{}
		for n, field := range t.rule.Search.Fields {
			if text := termText(d.Terms[n]); text == explain.MissingValue {
				values[field] = []any{nil}
			} else {
				values[field] = []any{text}
			}
		}
		if _, err := x.Explain(ctx, values, whole, verdict{d}); err != nil {
			return err
		}
	}
	return nil
}

// A verdict keeps the explanation of a difference. It is an explain.Printer.
type verdict struct{ of *Difference }

func (v verdict) Found(explain.Found) error { return nil } // of fields that are no terms

func (v verdict) Pair(p explain.Pair) error {
	if slices.EqualFunc(p.Terms, v.of.Terms, func(a, b any) bool { return termText(a) == termText(b) }) {
		v.of.Pair = &p
	}
	return nil
}

func (v verdict) Nothing(n explain.Nothing) error {
	v.of.Nothing = &n
	return nil
}
