package runs

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// A CoveringRun is a run whose window, or the gap before it, contains a given time.
type CoveringRun struct {
	RunID  string
	Type   Type
	State  State  // Started if it has not ended, or was killed
	Search string // see Info
	At     time.Time
	From   time.Time // of the window
	To     time.Time // exclusive
	Error  string    // of a failed run
	// Rerun is the command that covers the gap, if the time is in the gap; else "".
	Rerun string
}

// maxCoveringRuns is how many run documents are read, the newest first.
const maxCoveringRuns = 200

// CoveringRuns lists the runs of a rule whose window or gap contains a time, the newest
// first. It lists a run that ended once.
func (r *Reader) CoveringRuns(ctx context.Context, ruleID string, t time.Time) ([]CoveringRun, error) {
	var hits []runHit
	size := maxCoveringRuns
	err := elastic.Fewer(&size, func(size int) error {
		_, err := r.client.Hits(ctx, elastic.Search{Indices: []string{r.target}, Body: coveringRunsBody(ruleID, t, size)}, &hits)
		return err
	})
	if err != nil && !elastic.IsMissing(err) {
		return nil, fmt.Errorf("look up runs: %w", err)
	}
	runs := make([]storedRun, len(hits))
	ended := map[string]bool{}
	for i, hit := range hits {
		runs[i] = hit.read()
		ended[runs[i].id] = ended[runs[i].id] || runs[i].state != Started
	}
	var looks []CoveringRun
	for _, run := range runs {
		if run.state == Started && ended[run.id] {
			continue
		}
		look := CoveringRun{RunID: run.id, Type: run.kind, State: run.state, Search: run.search, At: run.at, From: run.from, To: run.to, Error: run.errors}
		if t.Before(run.from) && t.Before(run.gapTo) {
			look.Rerun = run.rerun
		}
		looks = append(looks, look)
	}
	return looks, nil
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
