package alerts

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// A Look is a run whose window, or the gap before it, has a time in it.
type Look struct {
	RunID  string
	Type   RunType
	State  RunState // RunStarted of one that has not ended, or was killed
	Search string   // see RunInfo
	At     time.Time
	From   time.Time // of the window
	To     time.Time // exclusive
	Error  string    // of one that failed
	// Rerun is the command that looks at the gap, where it is that which has the
	// time in it: no run has looked there. Else it is "".
	Rerun string
}

// mostLooks is how many documents of runs are read; the newest ones count.
const mostLooks = 200

// Looks lists the runs of a rule that have looked at a time, or passed it over
// as a gap, the newest first. A run that ended comes once.
func (s *Store) Looks(ctx context.Context, ruleID string, t time.Time) ([]Look, error) {
	var hits []struct {
		Source struct {
			At     time.Time `json:"@timestamp"`
			ID     string    `json:"newterms.run.id"`
			Type   RunType   `json:"newterms.run.type"`
			State  RunState  `json:"newterms.run.state"`
			Search string    `json:"newterms.search"`
			From   time.Time `json:"newterms.window.from"`
			To     time.Time `json:"newterms.window.to"`
			GapTo  time.Time `json:"newterms.gap.to"`
			Rerun  string    `json:"newterms.gap.rerun"`
			Error  string    `json:"error.message"`
		} `json:"_source"`
	}
	size := mostLooks
	err := elastic.Fewer(&size, func(size int) error {
		_, err := s.client.Hits(ctx, elastic.Search{Indices: []string{s.runsTarget}, Body: looksBody(ruleID, t, size)}, &hits)
		return err
	})
	if err != nil && !isMissing(err) {
		return nil, fmt.Errorf("look up runs: %w", err)
	}
	var looks []Look
	ended := map[string]bool{}
	for _, hit := range hits {
		ended[hit.Source.ID] = ended[hit.Source.ID] || hit.Source.State != RunStarted
	}
	for _, hit := range hits {
		run := hit.Source
		if run.State == RunStarted && ended[run.ID] {
			continue
		}
		look := Look{RunID: run.ID, Type: run.Type, State: run.State, Search: run.Search, At: run.At.UTC(), From: run.From.UTC(), To: run.To.UTC(), Error: run.Error}
		if t.Before(run.From) && t.Before(run.GapTo) {
			look.Rerun = run.Rerun
		}
		looks = append(looks, look)
	}
	return looks, nil
}

func looksBody(ruleID string, t time.Time, size int) dsl {
	between := func(from, to string) dsl {
		bound := func(operator string) dsl { return dsl{operator: t.UnixMilli(), "format": "epoch_millis"} }
		return dsl{"bool": dsl{"filter": []dsl{{"range": dsl{from: bound("lte")}}, {"range": dsl{to: bound("gt")}}}}}
	}
	return dsl{
		"size": size, "track_total_hits": false,
		"query": dsl{"bool": dsl{
			"filter":               []dsl{{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}},
			"should":               []dsl{between("newterms.window.from", "newterms.window.to"), between("newterms.gap.from", "newterms.gap.to")},
			"minimum_should_match": 1,
		}},
		"sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}},
	}
}
