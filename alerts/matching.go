package alerts

import (
	"context"
	"encoding/json"
	"fmt"

	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
)

// An AlertStatus is an alert's id and workflow status.
type AlertStatus struct {
	ID     string
	Status workflow.Status
}

// matchingPage is how many alerts Matching requests at once.
const matchingPage = 10_000

// Matching lists the alerts that match a query in Query DSL.
func (s *Store) Matching(ctx context.Context, query map[string]any) ([]AlertStatus, error) {
	var found []AlertStatus
	pager := elastic.Pager{
		Client: s.client, Search: elastic.Search{Indices: []string{s.alertsTarget}}, Size: matchingPage,
		Body: func(size int, after json.RawMessage) any { return matchingBody(query, size, after) },
	}
	for {
		var answer struct {
			Alerts elastic.Composite[struct {
				Key struct {
					ID     string          `json:"id"`
					Status workflow.Status `json:"status"`
				} `json:"key"`
			}] `json:"alerts"`
		}
		ok, err := pager.Next(ctx, &answer, &answer.Alerts)
		switch {
		case err != nil:
			return nil, fmt.Errorf("list alerts: %w", err)
		case !ok:
			return found, nil
		}
		for _, b := range answer.Alerts.Buckets {
			found = append(found, AlertStatus(b.Key))
		}
	}
}

func matchingBody(query map[string]any, size int, after json.RawMessage) dsl {
	composite := dsl{"size": size, "sources": []dsl{
		{"id": dsl{"terms": dsl{"field": "kibana.alert.uuid"}}},
		{"status": dsl{"terms": dsl{"field": "kibana.alert.workflow_status", "missing_bucket": true}}},
	}}
	if after != nil {
		composite["after"] = after
	}
	return dsl{
		"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": query}},
		"aggs": dsl{"alerts": dsl{"composite": composite}},
	}
}
