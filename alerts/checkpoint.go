package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// A Checkpoint is what the runs target tells of the scheduled runs of a rule by
// one search. Times are UTC, and zero if there is none.
type Checkpoint struct {
	// SucceededTo is where the window of the newest success ended: by the same
	// search, or if that has none and has not started either, of the rule.
	SucceededTo time.Time
	// StartedFrom is where the first window began, by the same search or else of
	// the rule.
	StartedFrom time.Time
	// Unfinished is the window of the newest run by the same search, if that has
	// not ended or was told to stop.
	UnfinishedFrom, UnfinishedTo time.Time
	// FutureTo is where a window ended that succeeded and is later than now: a
	// clock was wrong.
	FutureTo time.Time
	// Other is the search of another success that is newer than the newest one
	// by the same search: somebody else runs the rule as well.
	Other string
	// Now is the time by the server's clock, zero if the target does not exist.
	Now time.Time
}

// Checkpoint reads where the scheduled runs of a rule by a search stand.
func (s *Store) Checkpoint(ctx context.Context, ruleID, search string) (Checkpoint, error) {
	var answer struct {
		Now struct {
			Buckets []struct{ From float64 } `json:"buckets"`
		} `json:"clock"`
		Own    standing `json:"own"`
		Others standing `json:"others"`
		Future struct {
			To maximum `json:"to"`
		} `json:"future"`
	}
	request := elastic.Search{Indices: []string{s.runsTarget}, Body: checkpointBody(ruleID, search)}
	err := s.client.Search(ctx, request, &answer)
	switch {
	case isMissing(err):
		return Checkpoint{}, nil
	case err == nil && len(answer.Now.Buckets) != 1:
		err = fmt.Errorf("search %s: %w: it does not tell the time", s.runsTarget, elastic.ErrIncomplete)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("look up the last run: %w", err)
	}
	own, others := answer.Own, answer.Others
	c := Checkpoint{
		SucceededTo: own.Succeeded.To.time(), StartedFrom: own.Started.From.time(), FutureTo: answer.Future.To.time(),
		Now: time.UnixMilli(int64(answer.Now.Buckets[0].From)).UTC(),
	}
	c.UnfinishedFrom, c.UnfinishedTo = own.unfinished()
	switch {
	case !c.SucceededTo.IsZero():
		if others.Succeeded.At.time().After(own.Succeeded.At.time()) {
			c.Other = others.newestSearch()
		}
	case c.StartedFrom.IsZero():
		c.SucceededTo, c.StartedFrom = others.Succeeded.To.time(), others.Started.From.time()
	}
	return c, nil
}

// Succeeded returns where the window of the newest successful scheduled run
// ended, for each rule_id that has one, whatever its search was.
func (s *Store) Succeeded(ctx context.Context) (map[string]time.Time, error) {
	succeeded := map[string]time.Time{}
	pager := elastic.Pager{
		Client: s.client, Search: elastic.Search{Indices: []string{s.runsTarget}}, Size: 1000,
		Body: func(size int, after json.RawMessage) any { return succeededBody(size, after) },
	}
	for {
		var answer struct {
			Rules elastic.Composite[struct {
				Key struct {
					Rule string `json:"rule"`
				} `json:"key"`
				To maximum `json:"to"`
			}] `json:"rules"`
		}
		ok, err := pager.Next(ctx, &answer, &answer.Rules)
		switch {
		case isMissing(err) || err == nil && !ok:
			return succeeded, nil
		case err != nil:
			return nil, fmt.Errorf("look up the last runs: %w", err)
		}
		for _, b := range answer.Rules.Buckets {
			succeeded[b.Key.Rule] = b.To.time()
		}
	}
}

func succeededBody(size int, after json.RawMessage) dsl {
	composite := dsl{"size": size, "sources": []dsl{{"rule": dsl{"terms": dsl{"field": "kibana.alert.rule.rule_id"}}}}}
	if after != nil {
		composite["after"] = after
	}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"term": dsl{"newterms.run.type": RunScheduled}}, {"term": dsl{"newterms.run.state": RunSucceeded}},
		}}},
		"aggs": dsl{"rules": dsl{"composite": composite, "aggs": dsl{"to": dsl{"max": dsl{"field": "newterms.window.to"}}}}},
	}
}

// standing is what checkpointBody asks of one search, or of the others.
type standing struct {
	Succeeded struct {
		To maximum `json:"to"` // of the window
		At maximum `json:"at"` // of the document
	} `json:"succeeded"`
	Started struct {
		From maximum `json:"from"`
	} `json:"started"`
	Newest struct {
		Hits struct {
			Hits []struct {
				Source struct {
					State      RunState  `json:"newterms.run.state"`
					Terminated bool      `json:"newterms.run.terminated"`
					Search     string    `json:"newterms.search"`
					From       time.Time `json:"newterms.window.from"`
					To         time.Time `json:"newterms.window.to"`
				} `json:"_source"`
			} `json:"hits"`
		} `json:"hits"`
	} `json:"newest"`
}

func (s standing) unfinished() (from, to time.Time) {
	for _, hit := range s.Newest.Hits.Hits {
		if run := hit.Source; run.State == RunStarted || run.Terminated {
			return run.From.UTC(), run.To.UTC()
		}
	}
	return from, to
}

// newestSearch names the search of the newest run; one of version 0.1 has none.
func (s standing) newestSearch() string {
	for _, hit := range s.Newest.Hits.Hits {
		if hit.Source.Search != "" {
			return hit.Source.Search
		}
	}
	return "unknown"
}

// maximum is the value of a max or min aggregation over dates, in milliseconds.
type maximum struct {
	Value *float64 `json:"value"`
}

func (m maximum) time() time.Time {
	if m.Value == nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(*m.Value)).UTC()
}

// checkpointBody asks for successes up to now by the server's clock, and for
// that clock, as the edge of a range.
func checkpointBody(ruleID, search string) dsl {
	state := func(state RunState, aggs dsl, more ...dsl) dsl {
		filter := append(more, dsl{"term": dsl{"newterms.run.state": state}})
		return dsl{"filter": dsl{"bool": dsl{"filter": filter}}, "aggs": aggs}
	}
	ended := func(operator string) dsl { return dsl{"range": dsl{"newterms.window.to": dsl{operator: "now"}}} }
	of := func(metric, field string) dsl { return dsl{metric: dsl{"field": field}} }
	standing := dsl{
		"succeeded": state(RunSucceeded, dsl{"to": of("max", "newterms.window.to"), "at": of("max", "@timestamp")}, ended("lte")),
		"started":   state(RunStarted, dsl{"from": of("min", "newterms.window.from")}),
		"newest": dsl{"top_hits": dsl{
			"size": 1, "sort": []dsl{{"newterms.run.started": "desc"}, {"@timestamp": "desc"}, {"newterms.run.state": "asc"}},
		}},
	}
	same := dsl{"term": dsl{"newterms.search": search}}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}, {"term": dsl{"newterms.run.type": RunScheduled}},
		}}},
		"aggs": dsl{
			"clock":  dsl{"date_range": dsl{"field": "@timestamp", "ranges": []dsl{{"from": "now"}}}},
			"own":    dsl{"filter": same, "aggs": standing},
			"others": dsl{"filter": dsl{"bool": dsl{"must_not": []dsl{same}}}, "aggs": standing},
			"future": state(RunSucceeded, dsl{"to": of("max", "newterms.window.to")}, ended("gt")),
		},
	}
}
