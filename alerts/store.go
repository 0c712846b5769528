package alerts

import (
	"context"
	"fmt"
	"net/http"

	"newterms/esquery/elastic"
)

// A Store writes to the two targets, both hidden data streams. It is safe for
// concurrent use.
type Store struct {
	client                   *elastic.Client
	alertsTarget, runsTarget string
}

// NewStore returns a store that sends through client.
func NewStore(client *elastic.Client, alertsTarget, runsTarget string) *Store {
	return &Store{client, alertsTarget, runsTarget}
}

// A Result says what became of the alerts of a Write.
type Result struct {
	Written []Alert
	// Existing counts those that another run wrote in the meantime.
	Existing int
}

// Write creates the alerts. It judges each by itself: what the target refuses is
// written again with less of its event, at last without it, and tells in LeftOut
// what it lacks. If some are rejected even so the result still holds the others,
// and the error is a *RejectedError.
func (s *Store) Write(ctx context.Context, batch []Alert) (Result, error) {
	var result Result
	var rejected []outcome
	for len(batch) > 0 {
		items := make([]item, len(batch))
		for i, a := range batch {
			text, err := a.encoded(nil)
			if err != nil {
				return result, fmt.Errorf("write alerts: encode %s: %w", a.ID, err)
			}
			items[i] = item{id: a.ID, document: text}
		}
		outcomes, err := s.write(ctx, s.alertsTarget, items)
		if err != nil {
			return result, fmt.Errorf("write alerts: %w", err)
		}
		var conflicts, again []Alert
		for i, o := range outcomes {
			smaller, ok := batch[i], false
			if o.isRefused() {
				smaller, ok = batch[i].smaller(o)
			}
			switch {
			case o.isCreated():
				result.Written = append(result.Written, batch[i])
			case o.Status == http.StatusConflict:
				conflicts = append(conflicts, batch[i])
			case ok:
				again = append(again, smaller)
			default:
				rejected = append(rejected, o)
			}
		}
		if err := s.judgeConflicts(ctx, conflicts, &result); err != nil {
			return result, fmt.Errorf("write alerts: %w", err)
		}
		batch = again
	}
	if err := rejection(s.alertsTarget, rejected); err != nil {
		return result, fmt.Errorf("write alerts: %w", err)
	}
	return result, nil
}

// judgeConflicts tells alerts that this run wrote itself, in an attempt whose
// answer was lost, from those of another run.
func (s *Store) judgeConflicts(ctx context.Context, conflicts []Alert, result *Result) error {
	if len(conflicts) == 0 {
		return nil
	}
	ids := make([]string, len(conflicts))
	for i, a := range conflicts {
		ids[i] = a.ID
	}
	own, err := s.writtenBy(ctx, conflicts[0].maker.runID, ids)
	if err != nil {
		return err
	}
	for i, a := range conflicts {
		if own[i] {
			result.Written = append(result.Written, a)
		} else {
			result.Existing++
		}
	}
	return nil
}
