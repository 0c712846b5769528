package main

import (
	"context"
	"fmt"
	"slices"

	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/job"
)

// mostMeasured is how many exclusions are measured one by one: each takes two
// runs over the range.
const mostMeasured = 20

// A measuredExclusion says what one exclusion takes. Alerts may be fewer than
// none: what is left of a pair may be new where it was not.
type measuredExclusion struct {
	query                       string
	alertsAlone, alertsAddition int64
	events                      esquery.Taken
}

// measureExclusions runs without the exclusions, with each alone, and with all
// but each; a set is run once.
func (t *trial) measureExclusions(ctx context.Context) error {
	measured := t.f.measured
	n := len(measured)
	if n == 0 {
		return nil
	}
	known := map[string]int64{fmt.Sprint(indexes(n, nil)): t.all.total}
	count := func(keep func(i int) bool) (int64, error) {
		set := indexes(n, keep)
		if total, ok := known[fmt.Sprint(set)]; ok {
			return total, nil
		}
		var some []kql.Query
		for _, i := range set {
			some = append(some, measured[i])
		}
		total := int64(0)
		_, err := t.run(ctx, some, t.rule.History, false, func(job.Tried) { total++ }, nil)
		known[fmt.Sprint(set)] = total
		return total, err
	}
	var err error
	if t.without, err = count(func(int) bool { return false }); err != nil || n > mostMeasured {
		return err
	}
	taken, err := t.taken(ctx)
	if err != nil {
		return err
	}
	for i, q := range measured {
		m := measuredExclusion{query: q.String(), events: taken[i]}
		alone, err := count(func(other int) bool { return other == i })
		if err != nil {
			return fmt.Errorf("with only %s: %w", q, err)
		}
		others, err := count(func(other int) bool { return other != i })
		if err != nil {
			return fmt.Errorf("without %s: %w", q, err)
		}
		m.alertsAlone, m.alertsAddition = t.without-alone, others-t.all.total
		t.exclusion = append(t.exclusion, m)
	}
	return nil
}

// indexes are those below n that are kept, or all.
func indexes(n int, keep func(i int) bool) []int {
	var kept []int
	for i := range n {
		if keep == nil || keep(i) {
			kept = append(kept, i)
		}
	}
	return kept
}

func (t *trial) taken(ctx context.Context) ([]esquery.Taken, error) {
	search := t.rule.Search
	search.Exclude = slices.Concat(search.Exclude, t.f.measured)
	source, err := esquery.Open(ctx, t.client, search)
	if err != nil {
		return nil, err
	}
	return source.Taken(ctx, esquery.Range{From: t.window.From, To: t.window.To}, len(t.f.measured))
}
