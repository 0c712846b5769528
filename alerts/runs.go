package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"newterms/esquery/elastic"
)

// RunInfo is what all documents of a run have in common.
type RunInfo struct {
	ID     string
	Type   RunType
	Search string // identifies what was read: query.Search.Hash
	Scope  string // the same without exclusions: query.Search.Scope
	// TimeLimited reports that the rule itself limits the time of its events, so that
	// its history may be shorter than its length.
	TimeLimited bool
}

// A RunType is the origin of a run's window.
type RunType string

// The types of a run.
const (
	RunScheduled RunType = "scheduled" // continues the run before; a success moves the checkpoint
	RunManual    RunType = "manual"    // a range was given by hand
)

// A RunState is the state of a run in a run document.
type RunState string

// The states of a run.
const (
	RunStarted   RunState = "started"
	RunSucceeded RunState = "success"
	RunFailed    RunState = "failure"
)

// A Run is one run of a rule. Its documents, one at its start and one at its end, are
// all the state there is.
type Run struct {
	RunInfo
	State            RunState
	RuleID, RuleName string
	From, To         time.Time // the window, To exclusive
	Version          string    // of newterms
	// GapFrom and GapTo are the time before the window that no run has covered, To
	// exclusive, and Rerun is the command that covers it. They are zero if there is no
	// gap.
	GapFrom, GapTo time.Time
	Rerun          string

	StartedAt time.Time
	// Rule is recorded with the start, unless it is nil because the runs target has
	// this edition.
	Rule Rule
	// The rest is set when the run ends.
	Counts   Counts
	Excluded []Excluded // the effect of each exclusion, in their order
	Requests int
	Took     time.Duration // as Elasticsearch measured it
	Duration time.Duration
	Error    string // of a failed run
	// Terminated reports that the run failed because it was told to stop.
	Terminated bool
}

// Plus returns the sum of this run and a later one of the same rule.
func (r Run) Plus(later Run) Run {
	sum := later
	if !r.From.IsZero() {
		sum.From, sum.StartedAt = r.From, r.StartedAt
		sum.GapFrom, sum.GapTo, sum.Rerun = r.GapFrom, r.GapTo, r.Rerun
	}
	sum.Counts.Candidates += r.Counts.Candidates
	sum.Counts.New += r.Counts.New
	sum.Counts.Written += r.Counts.Written
	sum.Counts.AlreadyAlerted += r.Counts.AlreadyAlerted
	sum.Counts.LackingTerms += r.Counts.LackingTerms
	sum.Excluded = slices.Clone(later.Excluded)
	for _, e := range r.Excluded {
		if i := slices.IndexFunc(sum.Excluded, func(s Excluded) bool { return s.Name == e.Name }); i >= 0 {
			sum.Excluded[i].Events += e.Events
		} else {
			sum.Excluded = append(sum.Excluded, e)
		}
	}
	sum.Requests += r.Requests
	sum.Took += r.Took
	sum.Duration += r.Duration
	return sum
}

// An Excluded is the number of otherwise matching events in the window that one
// exclusion removes. An event that several remove counts for each.
type Excluded struct {
	Name   string `json:"name"`
	Events int64  `json:"events"`
}

// Counts of a run.
type Counts struct {
	Candidates     int64 // pairs with events in the window
	New            int64 // of these, the first occurrences
	Written        int64 // alerts that this run wrote
	AlreadyAlerted int64 // first occurrences that had an alert
	LackingTerms   int64 // matching events without a pair
}

// RecordRun writes a run document. Its id is the run's with the state, so that a
// document from an attempt whose answer was lost is no error.
func (s *Store) RecordRun(ctx context.Context, run Run, now time.Time) error {
	document, err := json.Marshal(runDocument(run, now))
	items := []item{{id: run.ID + "-" + string(run.State), document: document}}
	if err == nil && run.Rule != nil {
		var rule item
		rule, err = ruleItem(run.Rule, now)
		items = append(items, rule)
	}
	var outcomes []outcome
	if err == nil {
		outcomes, err = s.send(ctx, s.runsTarget, items, true)
	}
	if err == nil {
		err = s.checkRecorded(ctx, run, outcomes[0]) // a run does not fail because of its rule's document
	}
	if err != nil {
		return fmt.Errorf("record run %s: %w", run.State, err)
	}
	return nil
}

// checkRecorded checks the outcome of a run document.
func (s *Store) checkRecorded(ctx context.Context, run Run, o outcome) error {
	switch {
	case o.isCreated(s.runsTarget):
		return nil
	case o.Status == http.StatusConflict:
		found, err := s.conflicting(ctx, []outcome{o}, "newterms.run.id", "newterms.run.state")
		if err != nil {
			return err
		}
		id, _ := elastic.Lookup(found[0], "newterms.run.id")
		state, _ := elastic.Lookup(found[0], "newterms.run.state")
		if id == run.ID && state == string(run.State) {
			return nil
		}
		o = o.idTaken()
	}
	return s.withPipelines(ctx, rejection(s.runsTarget, []outcome{o}))
}

// ruleItem returns the document of a rule, with what is too long for each alert: the
// note, the references, the query. Its id is a hash of the content, so that each
// edition of a rule is stored once.
func ruleItem(rule Rule, now time.Time) (item, error) {
	id, err := rule.Edition()
	if err != nil {
		return item{}, err
	}
	doc := ruleFields(rule)
	for _, name := range ruleNames() {
		if value, ok := rule[name]; ok {
			doc["kibana.alert.rule."+name] = value
		}
	}
	doc["kibana.alert.rule.parameters"] = rule
	doc["@timestamp"] = timestamp(now)
	doc["event.kind"] = "event"
	doc["event.action"] = "newterms-rule"
	document, err := json.Marshal(doc)
	return item{id: id, document: document}, err
}

// Edition returns the id of the rule's document in the runs target.
func (r Rule) Edition() (string, error) {
	content, err := json.Marshal([]Rule{r})
	if err != nil {
		return "", fmt.Errorf("identify the rule: %w", err)
	}
	return "rule-" + hash(string(content)), nil
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
		"newterms.search":           run.Search,
		"newterms.scope":            run.Scope,
		"newterms.format":           documentFormat,
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
		doc["newterms.run.terminated"] = run.Terminated
	}
	return doc
}
