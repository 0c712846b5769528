package kibana

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
)

// An Edition is a rule of Kibana's as its alerts of one revision describe it.
type Edition struct {
	Rule, Space string         // id of the saved object, id of the space
	Revision    int64          // -1 if its alerts do not say
	Parameters  map[string]any // in the form of Kibana's API
	Interval    string         // such as "5m"
	Last        time.Time      // when its newest alert was written
}

// maxEditions is how many editions are read.
const maxEditions = 1_000

// Editions lists the rules with a rule_id and their revisions, as far as there are
// alerts, those with the newest alerts first.
func (r *Reader) Editions(ctx context.Context, ruleID string) ([]Edition, error) {
	var answer struct {
		Editions struct {
			Buckets []struct {
				First, Last struct {
					Value *float64 `json:"value"`
				}
				Newest struct {
					Hits struct {
						Hits []alertHit `json:"hits"`
					} `json:"hits"`
				} `json:"newest"`
			} `json:"buckets"`
		} `json:"editions"`
	}
	err := r.client.Search(ctx, elastic.Search{Indices: []string{r.alerts}, IgnoreUnavailable: true, Body: editionsBody(ruleID)}, &answer)
	if err != nil {
		return nil, fmt.Errorf("look up the editions of Kibana's rule: %w", err)
	}
	var editions []Edition
	for _, b := range answer.Editions.Buckets {
		if len(b.Newest.Hits.Hits) == 0 || b.Last.Value == nil {
			continue
		}
		d := document(b.Newest.Hits.Hits[0].Source)
		parameters, _ := d.value("kibana.alert.rule.parameters").(map[string]any)
		editions = append(editions, Edition{
			Rule: d.text("kibana.alert.rule.uuid"), Space: d.text("kibana.space_ids"),
			Revision: d.whole("kibana.alert.rule.revision", -1), Parameters: parameters, Interval: d.text("kibana.alert.rule.interval"),
			Last: time.UnixMilli(int64(*b.Last.Value)).UTC(),
		})
	}
	slices.SortFunc(editions, func(a, b Edition) int { return b.Last.Compare(a.Last) })
	return editions, nil
}

func editionsBody(ruleID string) dsl {
	newest := dsl{"size": 1, "sort": []dsl{{"@timestamp": dsl{"order": "desc", "unmapped_type": "date"}}}, "_source": []string{
		"kibana.alert.rule.uuid", "kibana.space_ids", "kibana.alert.rule.revision", "kibana.alert.rule.parameters",
		"kibana.alert.rule.interval",
	}}
	terms := func(field string) dsl { return dsl{"terms": dsl{"field": field, "missing_bucket": true}} }
	return dsl{
		"size": 0, "track_total_hits": false, "query": dsl{"bool": dsl{"filter": ofRule(ruleID)}},
		"aggs": dsl{"editions": dsl{
			"composite": dsl{"size": maxEditions, "sources": []dsl{{"rule": terms("kibana.alert.rule.uuid")}, {"revision": terms("kibana.alert.rule.revision")}}},
			"aggs":      dsl{"last": dsl{"max": dsl{"field": "@timestamp"}}, "newest": dsl{"top_hits": newest}},
		}},
	}
}
