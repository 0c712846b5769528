package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"newterms/alerts/workflow"
)

// Decided is the result of a Decision.
type Decided struct {
	Changed  int // alerts with a new status
	Assigned int // alerts that had the status before, and have new assignees
	Already  int // alerts that had the status before, and stay as they are
}

func (decided Decided) sum() int { return decided.Changed + decided.Assigned + decided.Already }

// An UnknownAlertsError lists alerts that do not exist.
type UnknownAlertsError struct {
	Target string
	IDs    []string
}

func (e *UnknownAlertsError) Error() string {
	return fmt.Sprintf("%s has no alert %s; nothing was changed", e.Target, strings.Join(e.IDs, ", "))
}

// A ConflictError reports that others kept changing an alert.
type ConflictError struct{ ID string }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("alert %s was changed by others each time", e.ID)
}

// maxConflicts is how often an alert is looked up again because it changed
// before its update.
const maxConflicts = 3

// Decide sets the workflow status of alerts, like Kibana's Security: with user, time
// and reason. It sets the assignees too, unless those of the Decision are nil. Each alert keeps its
// earlier decisions. One that has the status and the assignees stays as it is. Decide
// looks up all alerts first. If one is unknown, the error is an *UnknownAlertsError and
// nothing was changed. With another error the result still has the counts. Decide calls
// progress with the number of alerts done; it may be nil.
func (s *Store) Decide(ctx context.Context, ids []string, d workflow.Decision, progress func(done int)) (Decided, error) {
	var result Decided
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	found, err := s.lookUp(ctx, ids)
	for part := range slices.Chunk(found, maxLookedUp) {
		if err == nil {
			err = s.decide(ctx, part, d, &result)
		}
		if err == nil && progress != nil {
			progress(result.sum())
		}
	}
	if err != nil {
		return result, fmt.Errorf("set the status %s: %w", d.Status, err)
	}
	return result, nil
}

// decide looks an alert up again if others have changed it meanwhile.
func (s *Store) decide(ctx context.Context, found []decidedAlert, d workflow.Decision, result *Decided) error {
	left, err := s.decideOnce(ctx, found, d, result)
	for conflicts := 0; err == nil && len(left) > 0; conflicts++ {
		if conflicts == maxConflicts {
			return &ConflictError{left[0].ID}
		}
		if left, err = s.lookUp(ctx, idsOf(left)); err == nil {
			left = result.withoutLost(left, d)
			left, err = s.decideOnce(ctx, left, d, result)
		}
	}
	return err
}

// withoutLost counts alerts that we changed in an attempt whose answer was lost, and
// returns the others.
func (result *Decided) withoutLost(found []decidedAlert, d workflow.Decision) []decidedAlert {
	return slices.DeleteFunc(found, func(a decidedAlert) bool {
		ours := d.IsLast(a.Alert)
		if ours {
			result.Changed++
		}
		return ours
	})
}

// decideOnce returns the alerts that others have changed since they were looked up.
func (s *Store) decideOnce(ctx context.Context, found []decidedAlert, d workflow.Decision, result *Decided) (changedByOthers []decidedAlert, err error) {
	var items []item
	var sent []decidedAlert
	for _, a := range found {
		if changes, _ := d.IsNew(a.Alert); !changes {
			result.Already++
			continue
		}
		document, err := json.Marshal(d.Document(a.Alert))
		if err != nil {
			return nil, err
		}
		sent = append(sent, a)
		items = append(items, item{id: a.ID, replaces: &a.revision, document: document})
	}
	outcomes, err := s.send(ctx, "", items, true)
	if err != nil {
		return nil, err
	}
	var rejected []outcome
	for i, o := range outcomes {
		_, status := d.IsNew(sent[i].Alert)
		switch {
		case o.isChanged() && status:
			result.Changed++
		case o.isChanged():
			result.Assigned++
		case o.Status == http.StatusConflict:
			changedByOthers = append(changedByOthers, sent[i])
		default:
			rejected = append(rejected, o)
		}
	}
	return changedByOthers, s.withPipelines(ctx, rejection(s.alertsTarget, rejected))
}
