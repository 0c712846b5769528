package alerts_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"newterms/alerts"
)

// TestDecide closes alerts in two backing indices, one of them twice.
func TestDecide(t *testing.T) {
	s, node, target := newStore(t)
	setUp(t, s)
	written := []alerts.Alert{alert(t, "run-1", "ada", firstSeen), alert(t, "run-1", "basil", firstSeen)}
	for _, a := range written {
		if _, err := write(t, s, a); err != nil {
			t.Fatal(err)
		}
		node.Must(t, "POST", "/"+target+"/_rollover", nil)
	}
	ada, basil := written[0].ID, written[1].ID
	var unknown *alerts.UnknownAlertsError
	decision := alerts.Decision{Status: alerts.Closed, User: "eve", Reason: "known", At: firstSeen.Add(time.Hour)}
	if did, err := s.Decide(t.Context(), []string{ada, "nobody"}, decision); !errors.As(err, &unknown) || !slices.Equal(unknown.IDs, []string{"nobody"}) || did.Changed > 0 {
		t.Errorf("got %v, %v", did, err)
	}
	for _, want := range []alerts.Decided{{Changed: 2}, {Already: 2}} {
		if did, err := s.Decide(t.Context(), []string{ada, basil, ada}, decision); err != nil || did != want {
			t.Errorf("got %+v, %v, want %+v", did, err, want)
		}
	}
	for _, document := range node.Documents(t, target, nil) {
		for field, want := range map[string]string{
			"status": "closed", "user": "eve", "reason": "known", "status_updated_at": "2026-03-10T13:00:00.000Z",
		} {
			if document["kibana.alert.workflow_"+field] != want {
				t.Errorf("workflow_%s is %v, want %s", field, document["kibana.alert.workflow_"+field], want)
			}
		}
	}
	// Its status is no reason to write an alert again.
	alerted, err := s.AlreadyAlerted(t.Context(), []alerts.Key{written[0].Key}, alerts.Lookup{History: time.Hour, Fields: []string{"okta.actor.id"}})
	if err != nil || !alerted[0] {
		t.Errorf("got %v, %v", alerted, err)
	}
	found, err := s.Matching(t.Context(), map[string]any{"term": map[string]any{"kibana.alert.workflow_user": "eve"}})
	if err != nil || len(found) != 2 || found[0].Status != alerts.Closed {
		t.Errorf("got %v, %v", found, err)
	}
}
