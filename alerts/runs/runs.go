// Package runs holds the documents of runs, and reads them from the runs target: the
// checkpoint, the newest run, the runs that cover a time.
package runs

import (
	"slices"
	"time"

	"newterms/esquery/elastic/words"
)

// Info is what all documents of a run have in common.
type Info struct {
	ID     string
	Type   Type
	Search string // identifies what was read: query.Search.Hash
	Scope  string // the same without exclusions: query.Search.Scope
	// TimeLimited reports that the rule itself limits the time of its events, so that
	// its history may be shorter than its length.
	TimeLimited bool
}

// A Type is the origin of a run's window.
type Type string

// The types of a run.
const (
	Scheduled Type = "scheduled" // continues the run before; a success moves the checkpoint
	Manual    Type = "manual"    // a range was given by hand
)

// A State is the state of a run in a run document.
type State string

// The states of a run.
const (
	Started   State = "started"
	Succeeded State = "success"
	Failed    State = "failure"
)

// A Run is one run of a rule. Its documents, one at its start and one at its end, are
// all the state there is.
type Run struct {
	Info
	State            State
	RuleID, RuleName string
	From, To         time.Time // the window, To exclusive
	Version          string    // of newterms
	// GapFrom and GapTo are the time before the window that no run has covered, To
	// exclusive, and Rerun is the command that covers it. They are zero if there is no
	// gap.
	GapFrom, GapTo time.Time
	Rerun          string

	StartedAt time.Time
	// Rule holds the rule's parameters, which are recorded with the start. It is nil if
	// the runs target has this edition of the rule.
	Rule map[string]any
	// The rest is set when the run ends.
	Counts   Counts
	Excluded []Excluded // the effect of each exclusion, in their order
	Cause    *Cause     // nil if most alerts share nothing
	Requests int
	Took     time.Duration // as Elasticsearch measured it
	Duration time.Duration
	Error    string // of a failed run
	// Terminated reports that the run failed because it was told to stop.
	Terminated bool
}

// A Cause is what most alerts of a run share.
type Cause struct {
	Text    string       `json:"text"`
	Covered int          `json:"covered"` // alerts that share it
	Of      int          `json:"of"`      // alerts that were compared
	Share   float64      `json:"share"`
	Exclude string       `json:"exclude"`         // KQL for the events of these alerts
	Where   string       `json:"where,omitempty"` // KQL that finds these alerts; "" without a run
	Values  []CauseValue `json:"values"`
}

// A CauseValue is a value that alerts share.
type CauseValue struct {
	Kind   string `json:"kind"`
	Field  string `json:"field"`
	Value  string `json:"value"`
	New    bool   `json:"new"` // not seen before
	Alerts int    `json:"alerts"`
}

// Plus returns the sum of this run and a later one of the same rule.
func (run Run) Plus(later Run) Run {
	sum := later
	if !run.From.IsZero() {
		sum.From, sum.StartedAt = run.From, run.StartedAt
		sum.GapFrom, sum.GapTo, sum.Rerun = run.GapFrom, run.GapTo, run.Rerun
	}
	sum.Counts.Candidates += run.Counts.Candidates
	sum.Counts.New += run.Counts.New
	sum.Counts.Written += run.Counts.Written
	sum.Counts.AlreadyAlerted += run.Counts.AlreadyAlerted
	sum.Counts.LackingTerms += run.Counts.LackingTerms
	if run.Cause != nil && (sum.Cause == nil || sum.Cause.Covered < run.Cause.Covered) {
		sum.Cause = run.Cause
	}
	sum.Excluded = slices.Clone(later.Excluded)
	for _, e := range run.Excluded {
		if i := slices.IndexFunc(sum.Excluded, func(s Excluded) bool { return s.Name == e.Name }); i >= 0 {
			sum.Excluded[i].Events += e.Events
		} else {
			sum.Excluded = append(sum.Excluded, e)
		}
	}
	sum.Requests += run.Requests
	sum.Took += run.Took
	sum.Duration += run.Duration
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

// Document returns the run's document for its state. now is the document's time.
func (run Run) Document(now time.Time) map[string]any {
	doc := map[string]any{
		"@timestamp":                words.Stamp(now),
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
		"newterms.run.started":      words.Stamp(run.StartedAt),
		"newterms.window.from":      words.Stamp(run.From),
		"newterms.window.to":        words.Stamp(run.To),
		"newterms.window.length_ms": run.To.Sub(run.From).Milliseconds(),
	}
	if run.Rerun != "" {
		doc["newterms.gap.from"] = words.Stamp(run.GapFrom)
		doc["newterms.gap.to"] = words.Stamp(run.GapTo)
		doc["newterms.gap.length_ms"] = run.GapTo.Sub(run.GapFrom).Milliseconds()
		doc["newterms.gap.rerun"] = run.Rerun
	}
	if run.State == Started {
		return doc
	}
	doc["event.outcome"] = run.State
	doc["newterms.candidates"] = run.Counts.Candidates
	doc["newterms.new"] = run.Counts.New
	doc["newterms.written"] = run.Counts.Written
	doc["newterms.already_alerted"] = run.Counts.AlreadyAlerted
	doc["newterms.lacking_terms"] = run.Counts.LackingTerms
	if run.Cause != nil {
		doc["newterms.cause"] = run.Cause
	}
	doc["newterms.requests"] = run.Requests
	doc["newterms.took_ms"] = run.Took.Milliseconds()
	doc["newterms.duration_ms"] = run.Duration.Milliseconds()
	if run.Error != "" {
		doc["error.message"] = run.Error
		doc["newterms.run.terminated"] = run.Terminated
	}
	return doc
}
