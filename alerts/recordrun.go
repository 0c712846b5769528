package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/runs"
	"newterms/esquery/elastic"
)

// RecordRun writes a run document. Its id is the run's with the state, so that a
// document from an attempt whose answer was lost is no error.
func (s *Store) RecordRun(ctx context.Context, run runs.Run, now time.Time) error {
	document, err := json.Marshal(run.Document(now))
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
func (s *Store) checkRecorded(ctx context.Context, run runs.Run, o outcome) error {
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

// ruleItem returns the document of an edition of a rule.
func ruleItem(rule alert.Rule, now time.Time) (item, error) {
	id, err := rule.Edition()
	if err != nil {
		return item{}, err
	}
	text, err := rule.Document(now)
	return item{id: id, document: text}, err
}
