package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic"
)

// A WorkflowStatus is the status of an alert's triage.
type WorkflowStatus string

// The workflow statuses that people set. A new alert is "open".
const (
	Acknowledged WorkflowStatus = "acknowledged"
	Closed       WorkflowStatus = "closed"
)

// A Decision is a new status of alerts, by whom and why.
type Decision struct {
	Status WorkflowStatus
	User   string // who decides; "" if the user has no name
	Reason string // "" if none is given
	At     time.Time
}

// Decided is the result of a Decision.
type Decided struct {
	Changed int
	Already int // alerts that had the status before
}

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

// maxStatuses is how many alerts one search looks up.
const maxStatuses = 1000

// maxConflicts is how often an alert is looked up again because it changed
// before its update.
const maxConflicts = 3

// Decide sets the workflow status of alerts, like Kibana's Security: with user, time
// and reason. An alert that has the status already stays as it is. Decide looks up all
// alerts first. If one is unknown, the error is an *UnknownAlertsError and nothing was
// changed. With another error the result still has the counts.
func (s *Store) Decide(ctx context.Context, ids []string, d Decision) (Decided, error) {
	var decided Decided
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	left, err := s.statuses(ctx, ids)
	if err == nil {
		left, err = s.decideOnce(ctx, left, d, &decided)
	}
	for conflicts := 0; err == nil && len(left) > 0; conflicts++ {
		if conflicts == maxConflicts {
			err = &ConflictError{left[0].ID}
			break
		}
		if left, err = s.statuses(ctx, idsOf(left)); err == nil {
			left = decided.withoutLost(left, d)
			left, err = s.decideOnce(ctx, left, d, &decided)
		}
	}
	if err != nil {
		return decided, fmt.Errorf("set the status %s: %w", d.Status, err)
	}
	return decided, nil
}

// withoutLost counts alerts that we changed in an attempt whose answer was lost, and
// returns the others.
func (decided *Decided) withoutLost(found []storedStatus, d Decision) []storedStatus {
	return slices.DeleteFunc(found, func(l storedStatus) bool {
		ours := l.status == d.Status && l.decidedAt == elastic.Timestamp(d.At)
		if ours {
			decided.Changed++
		}
		return ours
	})
}

// decideOnce returns the alerts that others have changed since they were looked up.
func (s *Store) decideOnce(ctx context.Context, found []storedStatus, d Decision, decided *Decided) (changedByOthers []storedStatus, err error) {
	var items []item
	var sent []storedStatus
	document, err := json.Marshal(decisionDocument(d))
	if err != nil {
		return nil, err
	}
	for _, l := range found {
		if l.status == d.Status {
			decided.Already++
			continue
		}
		sent = append(sent, l)
		items = append(items, item{id: l.ID, replaces: &l.revision, document: document})
	}
	outcomes, err := s.send(ctx, "", items, true)
	if err != nil {
		return nil, err
	}
	var rejected []outcome
	for i, o := range outcomes {
		switch {
		case o.isChanged():
			decided.Changed++
		case o.Status == http.StatusConflict:
			changedByOthers = append(changedByOthers, sent[i])
		default:
			rejected = append(rejected, o)
		}
	}
	return changedByOthers, s.withPipelines(ctx, rejection(s.alertsTarget, rejected))
}

// decisionDocument returns the part of an alert that a decision replaces. It clears the
// reason of an earlier decision.
func decisionDocument(d Decision) map[string]any {
	document := map[string]any{
		"kibana.alert.workflow_status":            d.Status,
		"kibana.alert.workflow_status_updated_at": elastic.Timestamp(d.At),
		"kibana.alert.workflow_user":              nil,
		"kibana.alert.workflow_reason":            nil,
	}
	if d.User != "" {
		document["kibana.alert.workflow_user"] = d.User
	}
	if d.Reason != "" {
		document["kibana.alert.workflow_reason"] = d.Reason
	}
	return document
}

// A storedStatus is the workflow status in a revision of an alert.
type storedStatus struct {
	revision
	status    WorkflowStatus
	decidedAt string
}

func idsOf(found []storedStatus) []string {
	ids := make([]string, len(found))
	for i, l := range found {
		ids[i] = l.ID
	}
	return ids
}

// statuses looks up the status of alerts. It returns an alert twice if two backing indices have it.
func (s *Store) statuses(ctx context.Context, ids []string) ([]storedStatus, error) {
	var all []storedStatus
	unknown := &UnknownAlertsError{Target: s.alertsTarget}
	for start := 0; start < len(ids); start += maxStatuses {
		part := ids[start:min(start+maxStatuses, len(ids))]
		found, err := elastic.InHalves(part, func(part []string) ([][]storedStatus, error) { return s.statusesOf(ctx, part) })
		if err != nil {
			return nil, fmt.Errorf("look up alerts: %w", err)
		}
		for i, id := range part {
			if len(found[i]) == 0 {
				unknown.IDs = append(unknown.IDs, id)
			}
			all = append(all, found[i]...)
		}
	}
	if len(unknown.IDs) > 0 {
		return nil, unknown
	}
	return all, nil
}

func (s *Store) statusesOf(ctx context.Context, ids []string) ([][]storedStatus, error) {
	var answer struct {
		IDs struct {
			Buckets []struct {
				Key    string `json:"key"`
				Alerts struct {
					Hits struct {
						Hits []struct {
							Index       string `json:"_index"`
							ID          string `json:"_id"`
							SeqNo       int64  `json:"_seq_no"`
							PrimaryTerm int64  `json:"_primary_term"`
							Source      struct {
								Status    WorkflowStatus `json:"kibana.alert.workflow_status"`
								DecidedAt string         `json:"kibana.alert.workflow_status_updated_at"`
							} `json:"_source"`
						} `json:"hits"`
					} `json:"hits"`
				} `json:"alerts"`
			} `json:"buckets"`
		} `json:"ids"`
	}
	copies := maxCopies
	err := elastic.Fewer(&copies, func(copies int) error {
		return s.client.Search(ctx, elastic.Search{Indices: []string{s.alertsTarget}, Body: statusesBody(ids, copies)}, &answer)
	})
	if err != nil && !elastic.IsMissing(err) {
		return nil, err
	}
	byID := map[string][]storedStatus{}
	for _, b := range answer.IDs.Buckets {
		for _, h := range b.Alerts.Hits.Hits {
			revision := revision{Index: h.Index, ID: h.ID, SeqNo: h.SeqNo, PrimaryTerm: h.PrimaryTerm}
			byID[b.Key] = append(byID[b.Key], storedStatus{revision, h.Source.Status, h.Source.DecidedAt})
		}
	}
	found := make([][]storedStatus, len(ids))
	for i, id := range ids {
		found[i] = byID[id]
	}
	return found, nil
}

// maxCopies is the maximum number of copies of one alert, in as many backing indices.
const maxCopies = 10

func statusesBody(ids []string, copies int) dsl {
	return dsl{
		"size": 0, "track_total_hits": false,
		"query": dsl{"terms": dsl{"kibana.alert.uuid": ids}},
		"aggs": dsl{"ids": dsl{
			"terms": dsl{"field": "kibana.alert.uuid", "size": len(ids)},
			"aggs": dsl{"alerts": dsl{"top_hits": dsl{
				"size": copies, "seq_no_primary_term": true,
				"_source": []string{"kibana.alert.workflow_status", "kibana.alert.workflow_status_updated_at"},
			}}},
		}},
	}
}
