package alerts

import (
	"context"
	"fmt"

	"newterms/alerts/alert"
	"newterms/esquery/elastic"
)

// maxTrue is how many true findings are read, the newest ones.
const maxTrue = 10_000

// TrueFindings returns the texts of some fields, by field, of each alert of a rule that
// was closed as a true positive. Without an alerts target there are none. It reads the
// newest 10,000.
func (s *Store) TrueFindings(ctx context.Context, ruleID string, fields []string) ([]map[string][]string, error) {
	var reasons []dsl
	for _, reason := range []string{"true_positive", "true positive", "true-positive"} {
		reasons = append(reasons, dsl{"term": dsl{"kibana.alert.workflow_reason": dsl{"value": reason, "case_insensitive": true}}})
	}
	query := dsl{"bool": dsl{"minimum_should_match": 1, "should": reasons, "filter": []dsl{
		{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}, {"term": dsl{"kibana.alert.workflow_status": Closed}},
	}}}
	wanted := append([]string{"newterms.fields", "kibana.alert.new_terms"}, fields...)
	var found []map[string][]string
	var after []any
	for size := 1_000; len(found) < maxTrue; {
		body := dsl{"size": size, "track_total_hits": false, "query": query, "_source": wanted, "sort": []dsl{{"newterms.first_seen": "desc"}, {"kibana.alert.uuid": "asc"}}}
		if after != nil {
			body["search_after"] = after
		}
		var hits []struct {
			Source map[string]any `json:"_source"`
			Sort   []any          `json:"sort"`
		}
		if _, err := s.client.Hits(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: body}, &hits); elastic.IsMissing(err) {
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf("look up alerts that were closed as true: %w", err)
		}
		for _, hit := range hits {
			found, after = append(found, alert.FieldTexts(hit.Source, fields)), hit.Sort
		}
		if len(hits) < size {
			break
		}
	}
	return found, nil
}
