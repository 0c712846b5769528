package runs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
)

// maxCoveringRuns is how many run documents are read, the newest first.
const maxCoveringRuns = 200

// CoveringRuns lists the runs of a rule whose window, or the gap before it, contains a
// time, the newest first. It lists a run that ended once. Rerun is "" unless the time is
// in the gap.
func (r *Reader) CoveringRuns(ctx context.Context, ruleID string, t time.Time) ([]StoredRun, error) {
	var hits []runHit
	size := maxCoveringRuns
	err := elastic.Fewer(&size, func(size int) error {
		_, err := r.client.Hits(ctx, elastic.Search{Indices: []string{r.target}, Body: coveringRunsBody(ruleID, t, size)}, &hits)
		return err
	})
	if err != nil && !elastic.IsMissing(err) {
		return nil, fmt.Errorf("look up runs: %w", err)
	}
	runs := make([]StoredRun, len(hits))
	ended := map[string]bool{}
	for i, hit := range hits {
		run := hit.run()
		if !t.Before(run.From) || !t.Before(run.GapTo) {
			run.Rerun = ""
		}
		runs[i], ended[run.ID] = run, ended[run.ID] || run.State != Started
	}
	return slices.DeleteFunc(runs, func(run StoredRun) bool { return run.State == Started && ended[run.ID] }), nil
}

func coveringRunsBody(ruleID string, t time.Time, size int) dsl {
	between := func(from, to string) dsl {
		bound := func(operator string) dsl { return dsl{operator: t.UnixMilli(), "format": "epoch_millis"} }
		return dsl{"bool": dsl{"filter": []dsl{{"range": dsl{from: bound("lte")}}, {"range": dsl{to: bound("gt")}}}}}
	}
	return dsl{
		"size": size, "track_total_hits": false, "_source": longTexts(), "docvalue_fields": storedRunFields(),
		"query": dsl{"bool": dsl{
			"filter":               []dsl{{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}},
			"should":               []dsl{between("newterms.window.from", "newterms.window.to"), between("newterms.gap.from", "newterms.gap.to")},
			"minimum_should_match": 1,
		}},
		"sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}},
	}
}
