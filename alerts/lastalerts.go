package alerts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
)

// LastAlerts returns the time of the newest alert of each rule, in their order; zero if
// there is none.
func (s *Store) LastAlerts(ctx context.Context, ruleIDs []string) ([]time.Time, error) {
	all, err := elastic.InHalves(ruleIDs, func(ids []string) ([]time.Time, error) { return s.lastAlerts(ctx, ids) })
	if err != nil {
		return nil, fmt.Errorf("look up the last alerts: %w", err)
	}
	return all, nil
}

func (s *Store) lastAlerts(ctx context.Context, ruleIDs []string) ([]time.Time, error) {
	all := make([]time.Time, len(ruleIDs))
	if len(ruleIDs) == 0 {
		return all, nil
	}
	var answer struct {
		Rules elastic.Buckets[struct {
			Key string `json:"key"`
			At  struct {
				Value *float64 `json:"value"` // in milliseconds
			} `json:"at"`
		}] `json:"rules"`
	}
	err := s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: lastAlertsBody(ruleIDs)}, &answer)
	if err != nil && !elastic.IsMissing(err) {
		return nil, err
	}
	for _, b := range answer.Rules.Buckets {
		if i := slices.Index(ruleIDs, b.Key); i >= 0 && b.At.Value != nil {
			all[i] = time.UnixMilli(int64(*b.At.Value)).UTC()
		}
	}
	return all, nil
}

func lastAlertsBody(ruleIDs []string) dsl {
	rules := dsl{"field": "kibana.alert.rule.rule_id", "size": len(ruleIDs), "include": ruleIDs}
	newest := dsl{"terms": rules, "aggs": dsl{"at": dsl{"max": dsl{"field": "@timestamp"}}}}
	return elastic.Aggregate(dsl{"rules": newest}, dsl{"terms": dsl{"kibana.alert.rule.rule_id": ruleIDs}})
}
