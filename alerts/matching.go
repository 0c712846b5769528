package alerts

import (
	"context"
	"encoding/json"
	"fmt"

	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
)

// Matches are the alerts that match a query, for a Decision about them.
type Matches struct {
	IDs []string
	// Already is how many have its status, and ToChange how many it changes.
	Already, ToChange int
}

// matchingPage is how many alerts Matching requests at once.
const matchingPage = 10_000

// Matching lists the alerts that match a query in Query DSL.
func (s *Store) Matching(ctx context.Context, query map[string]any, d workflow.Decision) (Matches, error) {
	var found Matches
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
			return found, fmt.Errorf("list alerts: %w", err)
		case !ok:
			return found, nil
		}
		for _, b := range answer.Alerts.Buckets {
			found.IDs = append(found.IDs, b.Key.ID)
			if b.Key.Status == d.Status {
				found.Already++
			}
			if b.Key.Status != d.Status || d.Assignees != nil {
				found.ToChange++
			}
		}
	}
}

// NewestToChange calls each with the newest alerts that match a query and that a Decision
// changes, at most limit.
func (s *Store) NewestToChange(ctx context.Context, query map[string]any, d workflow.Decision, limit int, each func(NewestAlert) error) error {
	filters := []dsl{query}
	if d.Assignees == nil {
		filters = append(filters, dsl{"bool": dsl{"must_not": dsl{"term": dsl{"kibana.alert.workflow_status": d.Status}}}})
	}
	_, err := s.newest(ctx, filters, limit, each)
	return err
}

func matchingBody(query map[string]any, size int, after json.RawMessage) dsl {
	sources := []dsl{
		{"id": dsl{"terms": dsl{"field": "kibana.alert.uuid"}}},
		{"status": dsl{"terms": dsl{"field": "kibana.alert.workflow_status", "missing_bucket": true}}},
	}
	return elastic.Aggregate(dsl{"alerts": elastic.CompositeOf(sources, size, after)}, query)
}
