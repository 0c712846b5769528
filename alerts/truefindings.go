package alerts

import (
	"context"
	"fmt"

	"newterms/alerts/alert"
	"newterms/alerts/workflow"
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
	filters := []dsl{
		{"bool": dsl{"minimum_should_match": 1, "should": reasons}},
		{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}, {"term": dsl{"kibana.alert.workflow_status": workflow.Closed}},
	}
	wanted := append([]string{"newterms.fields", "kibana.alert.new_terms"}, fields...)
	var found []map[string][]string
	_, err := eachNewest(ctx, s, filters, wanted, maxTrue, func(_ string, document map[string]any) error {
		found = append(found, alert.FieldTexts(document, fields))
		return nil
	})
	switch {
	case elastic.IsMissing(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look up alerts that were closed as true: %w", err)
	}
	return found, nil
}
