package alerts

import (
	"context"
	"fmt"

	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
)

// maxLookedUp is how many alerts one search looks up, and one bulk changes.
const maxLookedUp = 1000

func idsOf(found []decidedAlert) []string {
	ids := make([]string, len(found))
	for i, a := range found {
		ids[i] = a.ID
	}
	return ids
}

// A decidedAlert is a copy of an alert in a backing index.
type decidedAlert struct {
	revision
	workflow.Alert
}

// lookUp returns the decisions of alerts. It returns an alert twice if two backing
// indices have it.
func (s *Store) lookUp(ctx context.Context, ids []string) ([]decidedAlert, error) {
	var all []decidedAlert
	unknown := &UnknownAlertsError{Target: s.alertsTarget}
	for start := 0; start < len(ids); start += maxLookedUp {
		part := ids[start:min(start+maxLookedUp, len(ids))]
		found, err := elastic.InHalves(part, func(part []string) ([][]decidedAlert, error) { return s.lookUpPart(ctx, part) })
		if err != nil {
			return nil, fmt.Errorf("look up alerts: %w", err)
		}
		for i, id := range part {
			if len(found[i]) == 0 {
				unknown.IDs = append(unknown.IDs, id)
			}
			all = append(all, found[i]...)
		}
	}
	if len(unknown.IDs) > 0 {
		return nil, unknown
	}
	return all, nil
}

func (s *Store) lookUpPart(ctx context.Context, ids []string) ([][]decidedAlert, error) {
	type found struct {
		Index       string         `json:"_index"`
		ID          string         `json:"_id"`
		SeqNo       int64          `json:"_seq_no"`
		PrimaryTerm int64          `json:"_primary_term"`
		Source      map[string]any `json:"_source"`
	}
	var answer struct {
		IDs elastic.Buckets[struct {
			Key    string                 `json:"key"`
			Alerts elastic.TopHits[found] `json:"alerts"`
		}] `json:"ids"`
	}
	copies := maxCopies
	err := elastic.Fewer(&copies, func(copies int) error {
		return s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: lookUpBody(ids, copies)}, &answer)
	})
	if err != nil && !elastic.IsMissing(err) {
		return nil, err
	}
	byID := map[string][]decidedAlert{}
	for _, b := range answer.IDs.Buckets {
		for _, h := range b.Alerts.Hits.Hits {
			byID[b.Key] = append(byID[b.Key], decidedAlert{revision{Index: h.Index, ID: h.ID, SeqNo: h.SeqNo, PrimaryTerm: h.PrimaryTerm}, h.Source})
		}
	}
	all := make([][]decidedAlert, len(ids))
	for i, id := range ids {
		all[i] = byID[id]
	}
	return all, nil
}

// maxCopies is the maximum number of copies of one alert, in as many backing indices.
const maxCopies = 10

func lookUpBody(ids []string, copies int) dsl {
	return elastic.Aggregate(dsl{"ids": dsl{
		"terms": dsl{"field": "kibana.alert.uuid", "size": len(ids)},
		"aggs":  dsl{"alerts": dsl{"top_hits": dsl{"size": copies, "seq_no_primary_term": true, "_source": workflow.Fields()}}},
	}}, dsl{"terms": dsl{"kibana.alert.uuid": ids}})
}
