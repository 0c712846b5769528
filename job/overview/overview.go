// Package overview lists rules with their last runs and alerts.
package overview

import (
	"context"
	"time"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/job/rule"
)

// A Rule is a rule that would run.
type Rule struct {
	ID         string   `json:"rule_id"`
	Name       string   `json:"name"`
	Source     string   `json:"source"`
	Fields     []string `json:"new_terms_fields"`
	History    string   `json:"history"`
	Indices    []string `json:"index"`
	Exceptions int      `json:"exceptions"` // those in force, of lists and settings
	// The rest comes from the cluster, if there is one.
	LastRun   *time.Time `json:"last_run,omitempty"` // of any type
	LastAlert *time.Time `json:"last_alert,omitempty"`
	State     runs.State `json:"state,omitempty"`
	Error     string     `json:"error,omitempty"`     // of a failed run
	Scheduled *Run       `json:"scheduled,omitempty"` // the newest scheduled run
	ByHand    *Run       `json:"-"`                   // the last run, if it was by hand
}

// A Run is the state of a run, and when it was recorded.
type Run struct {
	At    time.Time  `json:"at"`
	State runs.State `json:"state"`
	Error string     `json:"error,omitempty"`
}

// Stopped is the state of a run by hand that its user has ended.
const Stopped runs.State = "stopped"

// Of lists rules in their order, without anything from the cluster.
func Of(rules []rule.Rule) []Rule {
	all := make([]Rule, len(rules))
	for i, r := range rules {
		all[i] = Rule{
			ID: r.ID, Name: r.Name, Source: r.Source, Fields: r.Search.Fields, History: words.Span(r.History), Indices: r.Search.Indices,
			Exceptions: len(r.Search.Exclude) + len(r.Search.Exceptions),
		}
	}
	return all
}

// AddRuns adds the last run and alert of each rule, in two searches.
func AddRuns(ctx context.Context, store *alerts.Store, all []Rule) error {
	ids := make([]string, len(all))
	for i, r := range all {
		ids[i] = r.ID
	}
	latest, err := store.LastRuns(ctx, ids)
	if err != nil {
		return err
	}
	newest, err := store.LastAlerts(ctx, ids)
	if err != nil {
		return err
	}
	for i := range all {
		last := latest[i]
		if all[i].State, all[i].Error = last.State, last.Error; last.State != "" {
			all[i].LastRun = &last.At
		}
		all[i].Scheduled = runOf(last.Scheduled)
		if last.Type == runs.Manual {
			if last.Terminated { // which its user knows
				last.State, last.Error = Stopped, ""
			}
			all[i].ByHand = runOf(last.StoredRun)
		}
		if !newest[i].IsZero() {
			all[i].LastAlert = &newest[i]
		}
	}
	return nil
}

// runOf returns nil if there was no run.
func runOf(r runs.StoredRun) *Run {
	if r.State == "" {
		return nil
	}
	return &Run{r.At, r.State, r.Error}
}
