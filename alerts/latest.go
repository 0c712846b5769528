package alerts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
)

// A LastRun is the newest run of a rule, from its newest document.
type LastRun struct {
	State RunState // "" if there is no run
	Type  RunType
	At    time.Time // when the document was written
	Error string    // of a failed run
	// Succeeded is the end of the window of the newest successful scheduled
	// run; zero if there is none.
	Succeeded time.Time
}

// LastRun returns the newest run of a rule; ok is false if there is none.
func (s *Store) LastRun(ctx context.Context, ruleID string) (last LastRun, ok bool, err error) {
	all, err := s.LastRuns(ctx, []string{ruleID})
	if err != nil {
		return LastRun{}, false, err
	}
	return all[0], all[0].State != "", nil
}

// LastRuns returns the newest run of each rule, in their order.
func (s *Store) LastRuns(ctx context.Context, ruleIDs []string) ([]LastRun, error) {
	all := make([]LastRun, len(ruleIDs))
	if len(ruleIDs) == 0 {
		return all, nil
	}
	question := runsQuery{ruleIDs: ruleIDs, types: []RunType{RunScheduled, RunManual}, recent: true, errors: true}
	groups, _, err := s.runGroups(ctx, question)
	if err != nil {
		return nil, fmt.Errorf("look up the last runs: %w", err)
	}
	question.ruleIDs, question.recent = nil, false
	for i, id := range ruleIDs {
		if all[i] = lastRun(id, groups); all[i].Succeeded.IsZero() {
			question.ruleIDs = append(question.ruleIDs, id)
		}
	}
	if len(question.ruleIDs) == 0 {
		return all, nil
	}
	if groups, _, err = s.runGroups(ctx, question); err != nil {
		return nil, fmt.Errorf("look up the last runs: %w", err)
	}
	for i, id := range ruleIDs {
		if slices.Contains(question.ruleIDs, id) {
			all[i] = lastRun(id, groups)
		}
	}
	return all, nil
}

func lastRun(ruleID string, groups []runGroup) LastRun {
	var sum runSummary
	var last LastRun
	for _, g := range groups {
		if g.ruleID != ruleID {
			continue
		}
		sum.add(g)
		if g.kind == RunScheduled {
			last.Succeeded = latest(last.Succeeded, g.succeededTo)
		}
	}
	last.State, last.Type, last.At, last.Error = sum.newest.state, sum.newest.kind, sum.newest.at, sum.newest.errors
	return last
}

// comparedRuns is how many of the newest runs SearchChanges compares.
const comparedRuns = 50

// SearchChanges counts how often the search changed between consecutive scheduled runs,
// among the newest ones of a rule with one scope. A temporary exclusion changes it
// twice; two jobs with the same targets change it constantly.
func (s *Store) SearchChanges(ctx context.Context, of Followed) (changes int, err error) {
	var hits []runHit
	body := dsl{
		"size": comparedRuns, "track_total_hits": false, "_source": false, "docvalue_fields": storedRunFields(),
		"sort": []dsl{{"newterms.run.started": "desc"}},
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"term": dsl{"kibana.alert.rule.rule_id": of.RuleID}}, {"term": dsl{"newterms.scope": of.Scope}},
			{"term": dsl{"newterms.run.type": RunScheduled}}, {"term": dsl{"newterms.run.state": RunStarted}},
		}}},
	}
	_, err = s.client.Hits(ctx, elastic.Search{Indices: []string{s.runsTarget}, Body: body}, &hits)
	if err != nil && !isMissing(err) {
		return 0, fmt.Errorf("look up the searches of the last runs: %w", err)
	}
	for i := 1; i < len(hits); i++ {
		if hits[i].read().search != hits[i-1].read().search {
			changes++
		}
	}
	return changes, nil
}

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
		Rules struct {
			Buckets []struct {
				Key string  `json:"key"`
				At  maximum `json:"at"`
			} `json:"buckets"`
		} `json:"rules"`
	}
	err := s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: lastAlertsBody(ruleIDs)}, &answer)
	if err != nil && !isMissing(err) {
		return nil, err
	}
	for _, b := range answer.Rules.Buckets {
		if i := slices.Index(ruleIDs, b.Key); i >= 0 {
			all[i] = b.At.time()
		}
	}
	return all, nil
}

func lastAlertsBody(ruleIDs []string) dsl {
	rules := dsl{"field": "kibana.alert.rule.rule_id", "size": len(ruleIDs), "include": ruleIDs}
	return dsl{
		"size": 0, "track_total_hits": false, "query": dsl{"terms": dsl{"kibana.alert.rule.rule_id": ruleIDs}},
		"aggs": dsl{"rules": dsl{"terms": rules, "aggs": dsl{"at": dsl{"max": dsl{"field": "@timestamp"}}}}},
	}
}
