package runs

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// A WindowRun is a run with all that it says about its window.
type WindowRun struct {
	StoredRun
	Scope   string    // see Info
	GapFrom time.Time // of the gap before the window that ends at GapTo; zero if there is none
}

// windowsPage is how many run documents one search returns.
const windowsPage = 1_000

// Windows lists the runs of a rule whose window, or the gap before it, has a time in
// [from, to), in the order of their starts. It lists a run that ended once.
func (r *Reader) Windows(ctx context.Context, ruleID string, from, to time.Time) ([]WindowRun, error) {
	type windowHit struct {
		runHit
		elastic.Sorted
	}
	var all []WindowRun
	positions := map[string]int{}
	search := elastic.Search{Indices: []string{r.target}}
	for hit, err := range elastic.InOrder[windowHit](ctx, r.client, search, windowsPage, func(size int) dsl { return windowsBody(ruleID, from, to, size) }) {
		if err != nil {
			return nil, fmt.Errorf("list runs: %w", err)
		}
		run := WindowRun{hit.run(), hit.text("newterms.scope"), hit.date("newterms.gap.from")}
		i, seen := positions[run.ID]
		switch {
		case !seen:
			positions[run.ID] = len(all)
			all = append(all, run)
		case run.State != Started:
			all[i] = run
		}
	}
	return all, nil
}

func windowsBody(ruleID string, from, to time.Time, size int) dsl {
	overlaps := func(begins, ends string) dsl {
		bound := func(operator string, t time.Time) dsl { return dsl{operator: t.UnixMilli(), "format": "epoch_millis"} }
		return dsl{"bool": dsl{"filter": []dsl{{"range": dsl{begins: bound("lt", to)}}, {"range": dsl{ends: bound("gt", from)}}}}}
	}
	return dsl{
		"size": size, "track_total_hits": false, "_source": longTexts(),
		"docvalue_fields": append(storedRunFields(), "newterms.scope", dsl{"field": "newterms.gap.from", "format": "epoch_millis"}),
		"query": dsl{"bool": dsl{
			"filter":               []dsl{{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}},
			"should":               []dsl{overlaps("newterms.window.from", "newterms.window.to"), overlaps("newterms.gap.from", "newterms.gap.to")},
			"minimum_should_match": 1,
		}},
		"sort": []dsl{{"newterms.run.started": "asc"}, {"newterms.run.id": "asc"}, {"newterms.run.state": "asc"}},
	}
}
