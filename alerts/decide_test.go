package alerts_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/alertstest"
	"newterms/alerts/workflow"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// TestDecide closes alerts in two backing indices, one of them twice.
func TestDecide(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	written := []alert.Alert{newAlert(t, "run-1", "ada", firstSeen), newAlert(t, "run-1", "basil", firstSeen)}
	for _, a := range written {
		if _, err := write(t, s, a); err != nil {
			t.Fatal(err)
		}
		node.Must(t, "POST", "/"+target+"/_rollover", nil)
	}
	ada, basil := written[0].ID, written[1].ID
	var unknown *alerts.UnknownAlertsError
	decision := workflow.Decision{Status: workflow.Closed, User: "eve", Reason: "known", At: firstSeen.Add(time.Hour)}
	if did, err := s.Decide(t.Context(), []string{ada, "nobody"}, decision, nil); !errors.As(err, &unknown) || !slices.Equal(unknown.IDs, []string{"nobody"}) || did.Changed > 0 {
		t.Errorf("got %v, %v", did, err)
	}
	for _, want := range []alerts.Decided{{Changed: 2}, {Already: 2}} {
		if did, err := s.Decide(t.Context(), []string{ada, basil, ada}, decision, nil); err != nil || did != want {
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
	alerted, err := s.AlreadyAlerted(t.Context(), []alert.Key{written[0].Key}, alerts.Lookup{History: time.Hour, Fields: []string{"okta.actor.id"}})
	if err != nil || !alerted[0] {
		t.Errorf("got %v, %v", alerted, err)
	}
	found, err := s.Matching(t.Context(), map[string]any{"term": map[string]any{"kibana.alert.workflow_user": "eve"}}, decision)
	if err != nil || len(found.IDs) != 2 || found.Already != 2 || found.ToChange != 0 {
		t.Errorf("got %v, %v", found, err)
	}
	// A copy in another backing index is decided too. What an earlier decision tells
	// of its maker and reason is not true of a later one.
	node.Must(t, "PUT", "/"+target+"/_create/"+ada+"?refresh=true", map[string]any{"@timestamp": firstSeen, "kibana.alert.uuid": ada, "kibana.alert.workflow_status": "open"})
	if did, err := s.Decide(t.Context(), []string{ada, basil}, workflow.Decision{Status: workflow.Acknowledged, At: firstSeen.Add(2 * time.Hour)}, nil); err != nil || did.Changed != 3 {
		t.Errorf("got %+v, %v", did, err)
	}
	for _, document := range node.Documents(t, target, nil) {
		if document["kibana.alert.workflow_status"] != "acknowledged" || document["kibana.alert.workflow_user"] != nil || document["kibana.alert.workflow_reason"] != nil {
			t.Errorf("got %v by %v because %v", document["kibana.alert.workflow_status"], document["kibana.alert.workflow_user"], document["kibana.alert.workflow_reason"])
		}
	}
}

// meddling lets somebody close the alerts after they were looked up and before
// they are changed, and may lose an answer.
type meddling struct {
	*estest.Node
	before func() // the next change
	lose   bool   // the answer to the next change
}

func (m *meddling) Perform(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/_bulk" {
		return m.Node.Perform(r)
	}
	if before := m.before; before != nil {
		m.before = nil
		before()
	}
	res, err := m.Node.Perform(r)
	if m.lose {
		m.lose = false
		res.Body.Close()
		return nil, errors.New("the answer is lost")
	}
	return res, err
}

// TestDecideBesideOthers closes alerts that somebody else closes at the same time,
// and some of which the answer is lost: what counts as changed is our own.
func TestDecideBesideOthers(t *testing.T) {
	node := estest.ForTest(t)
	target := estest.Name(".test-")
	transport := &meddling{Node: node}
	again := func() []backoff.RetryOption {
		return []backoff.RetryOption{backoff.WithMaxTries(2), backoff.WithBackOff(&backoff.ZeroBackOff{})}
	}
	s := alerts.NewStore(elastic.NewClient(transport, elastic.Options{Retry: again}), target, target+"-runs")
	alertstest.SetUp(t, s)
	ada, basil := newAlert(t, "run-1", "ada", firstSeen), newAlert(t, "run-1", "basil", firstSeen)
	if _, err := write(t, s, ada, basil); err != nil {
		t.Fatal(err)
	}
	ids := []string{ada.ID, basil.ID}
	ours := workflow.Decision{Status: workflow.Closed, User: "eve", At: firstSeen.Add(time.Hour)}
	theirs := workflow.Decision{Status: workflow.Closed, User: "mallory", At: firstSeen.Add(2 * time.Hour)}
	transport.before = func() {
		other := alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs")
		if did, err := other.Decide(t.Context(), ids[:1], theirs, nil); err != nil || did.Changed != 1 {
			t.Fatal(did, err)
		}
	}
	if did, err := s.Decide(t.Context(), ids, ours, nil); err != nil || did != (alerts.Decided{Changed: 1, Already: 1}) {
		t.Errorf("beside somebody else: got %+v, %v", did, err)
	}
	transport.lose = true
	acknowledged := workflow.Decision{Status: workflow.Acknowledged, User: "eve", At: firstSeen.Add(3 * time.Hour)}
	if did, err := s.Decide(t.Context(), ids, acknowledged, nil); err != nil || did != (alerts.Decided{Changed: 2}) {
		t.Errorf("with a lost answer: got %+v, %v", did, err)
	}
	// Nobody's decision is lost, and none is there twice.
	for _, document := range node.Documents(t, target, nil) {
		want := "[closed mallory - acknowledged eve -]"
		if document["kibana.alert.uuid"] == basil.ID {
			want = "[closed eve - acknowledged eve -]"
		}
		if got, _ := decisionsOf(document); fmt.Sprint(got) != want {
			t.Errorf("the decisions are %v, want %s", got, want)
		}
	}
}
