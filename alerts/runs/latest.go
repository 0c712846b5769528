package runs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/elastic"
)

// A LastRun is the newest run of a rule, from its newest document.
type LastRun struct {
	StoredRun           // its State is "" if the rule has no run
	Scheduled StoredRun // the newest scheduled one
	// Succeeded is the end of the window of the newest successful scheduled run; zero if
	// there is none.
	Succeeded time.Time
}

// LastRun returns the newest run of a rule; ok is false if there is none.
func (r *Reader) LastRun(ctx context.Context, ruleID string) (last LastRun, ok bool, err error) {
	all, err := r.LastRuns(ctx, []string{ruleID})
	if err != nil {
		return LastRun{}, false, err
	}
	return all[0], all[0].State != "", nil
}

// LastRuns returns the newest run of each rule, in their order.
func (r *Reader) LastRuns(ctx context.Context, ruleIDs []string) ([]LastRun, error) {
	all := make([]LastRun, len(ruleIDs))
	if len(ruleIDs) == 0 {
		return all, nil
	}
	query := groupsQuery{ruleIDs: ruleIDs, types: []Type{Scheduled, Manual}, recent: true, errors: true}
	groups, _, err := r.groups(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("look up the last runs: %w", err)
	}
	query.ruleIDs, query.recent = nil, false
	for i, id := range ruleIDs {
		if all[i] = lastRun(id, groups); all[i].Succeeded.IsZero() {
			query.ruleIDs = append(query.ruleIDs, id)
		}
	}
	if len(query.ruleIDs) == 0 {
		return all, nil
	}
	if groups, _, err = r.groups(ctx, query); err != nil {
		return nil, fmt.Errorf("look up the last runs: %w", err)
	}
	for i, id := range ruleIDs {
		if slices.Contains(query.ruleIDs, id) {
			all[i] = lastRun(id, groups)
		}
	}
	return all, nil
}

func lastRun(ruleID string, groups []group) LastRun {
	var sum, scheduled group
	for _, g := range groups {
		if g.ruleID != ruleID {
			continue
		}
		sum.add(g)
		if g.kind == Scheduled {
			scheduled.add(g)
		}
	}
	return LastRun{StoredRun: sum.newest, Scheduled: scheduled.newest, Succeeded: scheduled.succeededTo}
}

// comparedRuns is how many of the newest runs SearchChanges compares.
const comparedRuns = 50

// SearchChanges counts how often the search changed between consecutive scheduled runs,
// among the newest ones of a series. A temporary exclusion changes it
// twice; two jobs with the same targets change it constantly.
func (r *Reader) SearchChanges(ctx context.Context, s Series) (changes int, err error) {
	var hits []runHit
	body := dsl{
		"size": comparedRuns, "track_total_hits": false, "_source": false, "docvalue_fields": storedRunFields(),
		"sort": []dsl{{"newterms.run.started": "desc"}},
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"term": dsl{"kibana.alert.rule.rule_id": s.RuleID}}, {"term": dsl{"newterms.scope": s.Scope}},
			{"term": dsl{"newterms.run.type": Scheduled}}, {"term": dsl{"newterms.run.state": Started}},
		}}},
	}
	_, err = r.client.Hits(ctx, elastic.Search{Indices: []string{r.target}, Body: body}, &hits)
	if err != nil && !elastic.IsMissing(err) {
		return 0, fmt.Errorf("look up the searches of the last runs: %w", err)
	}
	for i := 1; i < len(hits); i++ {
		if hits[i].run().Search != hits[i-1].run().Search {
			changes++
		}
	}
	return changes, nil
}
