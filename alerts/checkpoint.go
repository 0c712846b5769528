package alerts

import (
	"context"
	"fmt"
	"strconv"
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

// A Followed names the runs that follow each other: those of a rule by a search.
type Followed struct{ RuleID, Search string }

// Checkpoint reads where the scheduled runs of a rule by a search stand.
func (s *Store) Checkpoint(ctx context.Context, ruleID, search string) (Checkpoint, error) {
	all, err := s.Checkpoints(ctx, []Followed{{ruleID, search}})
	if err != nil {
		return Checkpoint{}, err
	}
	return all[0], nil
}

// Checkpoints reads where the scheduled runs of many rules stand, in the order
// asked for and in one search, unless the cluster wants smaller ones.
func (s *Store) Checkpoints(ctx context.Context, of []Followed) ([]Checkpoint, error) {
	all, err := elastic.InHalves(of, func(of []Followed) ([]Checkpoint, error) { return s.checkpoints(ctx, of) })
	if err != nil {
		return nil, fmt.Errorf("look up the last run: %w", err)
	}
	return all, nil
}

func (s *Store) checkpoints(ctx context.Context, of []Followed) ([]Checkpoint, error) {
	all := make([]Checkpoint, len(of))
	if len(of) == 0 {
		return all, nil
	}
	var answer map[string]checkpointAnswer
	err := s.client.Search(ctx, elastic.Search{Indices: []string{s.runsTarget}, Body: checkpointBody(of)}, &answer)
	if isMissing(err) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	clock := answer["clock"].Buckets
	if len(clock) != 1 {
		return nil, fmt.Errorf("search %s: %w: it does not tell the time", s.runsTarget, elastic.ErrIncomplete)
	}
	for i := range of {
		one, ok := answer[strconv.Itoa(i)]
		if !ok {
			return nil, fmt.Errorf("search %s: %w: it lacks a rule", s.runsTarget, elastic.ErrIncomplete)
		}
		all[i] = one.checkpoint()
		all[i].Now = time.UnixMilli(int64(clock[0].From)).UTC()
	}
	return all, nil
}

// checkpointAnswer is of one rule, or of the clock.
type checkpointAnswer struct {
	Buckets []struct{ From float64 } `json:"buckets"`
	Own     standing                 `json:"own"`
	Others  standing                 `json:"others"`
	Future  struct {
		To maximum `json:"to"`
	} `json:"future"`
}

func (a checkpointAnswer) checkpoint() Checkpoint {
	own, others := a.Own, a.Others
	c := Checkpoint{SucceededTo: own.Succeeded.To.time(), StartedFrom: own.Started.From.time(), FutureTo: a.Future.To.time()}
	c.UnfinishedFrom, c.UnfinishedTo = own.unfinished()
	switch {
	case !c.SucceededTo.IsZero():
		if others.Succeeded.At.time().After(own.Succeeded.At.time()) {
			c.Other = others.newestSearch()
		}
	case c.StartedFrom.IsZero():
		c.SucceededTo, c.StartedFrom = others.Succeeded.To.time(), others.Started.From.time()
	}
	return c
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

// checkpointBody asks of each rule, named by its position, for successes up to
// now by the server's clock, and for that clock, as the edge of a range. All but
// the clock are single filters, of which a cluster with a low search.max_buckets
// answers any number.
func checkpointBody(of []Followed) dsl {
	ids := make([]string, len(of))
	aggs := dsl{"clock": dsl{"date_range": dsl{"field": "@timestamp", "ranges": []dsl{{"from": "now"}}}}}
	for i, f := range of {
		ids[i] = f.RuleID
		aggs[strconv.Itoa(i)] = dsl{"filter": dsl{"term": dsl{"kibana.alert.rule.rule_id": f.RuleID}}, "aggs": standingsBody(f.Search)}
	}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"terms": dsl{"kibana.alert.rule.rule_id": ids}}, {"term": dsl{"newterms.run.type": RunScheduled}},
		}}},
		"aggs": aggs,
	}
}

func standingsBody(search string) dsl {
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
			"_source": []string{"newterms.run.state", "newterms.run.terminated", "newterms.search", "newterms.window.from", "newterms.window.to"},
		}},
	}
	same := dsl{"term": dsl{"newterms.search": search}}
	return dsl{
		"own":    dsl{"filter": same, "aggs": standing},
		"others": dsl{"filter": dsl{"bool": dsl{"must_not": []dsl{same}}}, "aggs": standing},
		"future": state(RunSucceeded, dsl{"to": of("max", "newterms.window.to")}, ended("gt")),
	}
}
