package alerts

import (
	"context"
	"fmt"
	"time"

	"newterms/esquery/elastic"
)

// RunInfo is what every document of a run carries.
type RunInfo struct {
	ID   string
	Type RunType
}

// A RunType says where a run's window comes from.
type RunType string

// The types of a run.
const (
	RunScheduled RunType = "scheduled" // it follows the run before; a success moves the checkpoint
	RunManual    RunType = "manual"    // a range was given by hand
)

// A RunState is what a run document tells of its run.
type RunState string

// The states of a run.
const (
	RunStarted   RunState = "started"
	RunSucceeded RunState = "success"
	RunFailed    RunState = "failure"
)

// A Run is one run of a rule. It leaves a document when it starts and another
// when it ends, and these are all the state there is.
type Run struct {
	RunInfo
	State            RunState
	RuleID, RuleName string
	From, To         time.Time // the window, To exclusive
	Version          string    // of newterms
	// GapFrom and GapTo are the time before the window that no run has looked
	// at, To exclusive, and Rerun the command that does; zero if there is none.
	GapFrom, GapTo time.Time
	Rerun          string

	StartedAt time.Time
	// The rest is of a run that ended.
	Counts   Counts
	Requests int
	Took     time.Duration // as Elasticsearch measured it
	Duration time.Duration
	Error    string // of one that failed
}

// Counts of a run.
type Counts struct {
	Candidates     int64 // pairs with events in the window
	New            int64 // of these, the first occurrences
	Written        int64 // alerts that this run wrote
	AlreadyAlerted int64 // first occurrences that had an alert
	LackingTerms   int64 // matching events without a pair
}

// A Checkpoint is what the runs target tells of a rule's scheduled runs.
type Checkpoint struct {
	// SucceededTo is where the window of the newest successful one ended;
	// zero if none was successful.
	SucceededTo time.Time
	// StartedFrom is where the window of the first one that started began;
	// zero if there was none.
	StartedFrom time.Time
}

// Checkpoint reads where the scheduled runs of a rule stand.
func (s *Store) Checkpoint(ctx context.Context, ruleID string) (Checkpoint, error) {
	type value struct {
		Value *float64 `json:"value"`
	}
	var answer struct {
		Succeeded struct {
			To value `json:"to"`
		} `json:"succeeded"`
		Started struct {
			From value `json:"from"`
		} `json:"started"`
	}
	search := elastic.Search{Indices: []string{s.runsTarget}, Body: checkpointBody(ruleID)}
	if err := s.client.Search(ctx, search, &answer); err != nil && !isMissing(err) {
		return Checkpoint{}, fmt.Errorf("look up the last run: %w", err)
	}
	at := func(v value) time.Time {
		if v.Value == nil {
			return time.Time{}
		}
		return time.UnixMilli(int64(*v.Value)).UTC()
	}
	return Checkpoint{SucceededTo: at(answer.Succeeded.To), StartedFrom: at(answer.Started.From)}, nil
}

func checkpointBody(ruleID string) dsl {
	state := func(state RunState, aggs dsl) dsl {
		return dsl{"filter": dsl{"term": dsl{"newterms.run.state": state}}, "aggs": aggs}
	}
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"bool": dsl{"filter": []dsl{
			{"term": dsl{"kibana.alert.rule.rule_id": ruleID}}, {"term": dsl{"newterms.run.type": RunScheduled}},
		}}},
		"aggs": dsl{
			"succeeded": state(RunSucceeded, dsl{"to": dsl{"max": dsl{"field": "newterms.window.to"}}}),
			"started":   state(RunStarted, dsl{"from": dsl{"min": dsl{"field": "newterms.window.from"}}}),
		},
	}
}

// RecordRun writes a run document. Its id is the run's with the state, so a
// document that was written already is no error.
func (s *Store) RecordRun(ctx context.Context, run Run, now time.Time) error {
	doc := runDocument(run, now)
	outcomes, err := s.create(ctx, s.runsTarget, []item{{id: run.ID + "-" + string(run.State), document: doc}})
	if err == nil {
		err = rejection(s.runsTarget, outcomes)
	}
	if err != nil {
		return fmt.Errorf("record run %s: %w", run.State, err)
	}
	return nil
}

func runDocument(run Run, now time.Time) map[string]any {
	doc := map[string]any{
		"@timestamp":                timestamp(now),
		"event.kind":                "event",
		"event.action":              "newterms-run",
		"kibana.alert.rule.rule_id": run.RuleID,
		"kibana.alert.rule.name":    run.RuleName,
		"newterms.version":          run.Version,
		"newterms.run.id":           run.ID,
		"newterms.run.type":         run.Type,
		"newterms.run.state":        run.State,
		"newterms.run.started":      timestamp(run.StartedAt),
		"newterms.window.from":      timestamp(run.From),
		"newterms.window.to":        timestamp(run.To),
		"newterms.window.length_ms": run.To.Sub(run.From).Milliseconds(),
	}
	if run.Rerun != "" {
		doc["newterms.gap.from"] = timestamp(run.GapFrom)
		doc["newterms.gap.to"] = timestamp(run.GapTo)
		doc["newterms.gap.length_ms"] = run.GapTo.Sub(run.GapFrom).Milliseconds()
		doc["newterms.gap.rerun"] = run.Rerun
	}
	if run.State == RunStarted {
		return doc
	}
	doc["event.outcome"] = run.State
	doc["newterms.candidates"] = run.Counts.Candidates
	doc["newterms.new"] = run.Counts.New
	doc["newterms.written"] = run.Counts.Written
	doc["newterms.already_alerted"] = run.Counts.AlreadyAlerted
	doc["newterms.lacking_terms"] = run.Counts.LackingTerms
	doc["newterms.requests"] = run.Requests
	doc["newterms.took_ms"] = run.Took.Milliseconds()
	doc["newterms.duration_ms"] = run.Duration.Milliseconds()
	if run.Error != "" {
		doc["error.message"] = run.Error
	}
	return doc
}
