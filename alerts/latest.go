package alerts

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"newterms/esquery/elastic"
)

// A LastRun is the newest run of a rule, as its newest document tells.
type LastRun struct {
	State RunState // "" if there is no run
	Type  RunType
	At    time.Time // when the document was written
	Error string    // of one that failed
	// Succeeded is the end of the window of the newest successful scheduled
	// run; zero if there is none.
	Succeeded time.Time
}

// LastRun reads the newest run of a rule; ok is false if there is none.
func (s *Store) LastRun(ctx context.Context, ruleID string) (last LastRun, ok bool, err error) {
	all, err := s.LastRuns(ctx, []string{ruleID})
	if err != nil {
		return LastRun{}, false, err
	}
	return all[0], all[0].State != "", nil
}

// LastRuns reads the newest run of each rule, in their order.
func (s *Store) LastRuns(ctx context.Context, ruleIDs []string) ([]LastRun, error) {
	all, err := ofRules(ctx, s, s.runsTarget, ruleIDs, lastRunBody(), lastRunAnswer.read)
	if err != nil {
		return nil, fmt.Errorf("look up the last runs: %w", err)
	}
	return all, nil
}

// LastAlerts tells when the newest alert of each rule was made, in their order;
// zero if there is none.
func (s *Store) LastAlerts(ctx context.Context, ruleIDs []string) ([]time.Time, error) {
	newest := dsl{"at": dsl{"max": dsl{"field": "@timestamp"}}}
	all, err := ofRules(ctx, s, s.alertsTarget, ruleIDs, newest, func(a struct {
		At maximum `json:"at"`
	}) time.Time {
		return a.At.time()
	})
	if err != nil {
		return nil, fmt.Errorf("look up the last alerts: %w", err)
	}
	return all, nil
}

// ofRules asks the same of each rule, in one search unless the cluster wants
// smaller ones. In a target that does not exist no rule has anything.
func ofRules[Answer, Result any](ctx context.Context, s *Store, target string, ruleIDs []string, aggs dsl, read func(Answer) Result) ([]Result, error) {
	return elastic.InHalves(ruleIDs, func(ids []string) ([]Result, error) {
		all := make([]Result, len(ids))
		if len(ids) == 0 {
			return all, nil
		}
		asked := dsl{}
		for i, id := range ids {
			asked[strconv.Itoa(i)] = dsl{"filter": dsl{"term": dsl{"kibana.alert.rule.rule_id": id}}, "aggs": aggs}
		}
		var answer map[string]Answer
		err := s.client.Search(ctx, elastic.Search{Indices: []string{target}, Body: dsl{
			"size": 0, "track_total_hits": false, "query": dsl{"terms": dsl{"kibana.alert.rule.rule_id": ids}}, "aggs": asked,
		}}, &answer)
		if err != nil && !isMissing(err) {
			return nil, err
		}
		for i := range ids {
			all[i] = read(answer[strconv.Itoa(i)])
		}
		return all, nil
	})
}

type lastRunAnswer struct {
	Newest struct {
		Hits struct {
			Hits []struct {
				Source struct {
					At    time.Time `json:"@timestamp"`
					State RunState  `json:"newterms.run.state"`
					Type  RunType   `json:"newterms.run.type"`
					Error string    `json:"error.message"`
				} `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	} `json:"newest"`
	Succeeded struct {
		To maximum `json:"to"`
	} `json:"succeeded"`
}

func (a lastRunAnswer) read() LastRun {
	if len(a.Newest.Hits.Hits) == 0 || a.Newest.Hits.Hits[0].Source.State == "" { // "": the document of the rule
		return LastRun{}
	}
	newest := a.Newest.Hits.Hits[0].Source
	return LastRun{newest.State, newest.Type, newest.At, newest.Error, a.Succeeded.To.time()}
}

func lastRunBody() dsl {
	succeeded := []dsl{{"term": dsl{"newterms.run.type": RunScheduled}}, {"term": dsl{"newterms.run.state": RunSucceeded}}}
	return dsl{
		"newest": dsl{"top_hits": dsl{
			"size": 1, "sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}, {"newterms.duration_ms": "desc"}}, // which only the end has
			"_source": []string{"@timestamp", "newterms.run.state", "newterms.run.type", "error.message"},
		}},
		"succeeded": dsl{
			"filter": dsl{"bool": dsl{"filter": succeeded}},
			"aggs":   dsl{"to": dsl{"max": dsl{"field": "newterms.window.to"}}},
		},
	}
}
