package alerts_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/alerts/alertstest"
	"newterms/alerts/workflow"
	"newterms/esquery/estest"
)

// decisionsOf returns the decisions of an alert as "status user
// reason", and how many were omitted.
func decisionsOf(document map[string]any) (all []string, omitted any) {
	list, _ := document["newterms.decisions"].([]any)
	for _, entry := range list {
		e, _ := entry.(map[string]any)
		all = append(all, strings.TrimSpace(strings.ReplaceAll(fmt.Sprint(e["status"], " ", e["user"], " ", e["reason"]), "<nil>", "-")))
	}
	return all, document["newterms.decisions_omitted"]
}

// change changes an alert as another program does.
func change(t *testing.T, node *estest.Node, target, id string, part any) {
	t.Helper()
	var found struct {
		Hits struct {
			Hits []struct {
				Index string `json:"_index"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(node.Must(t, "GET", "/"+target+"/_search?q=kibana.alert.uuid:"+id, nil), &found); err != nil {
		t.Fatal(err)
	}
	node.Must(t, "POST", "/"+found.Hits.Hits[0].Index+"/_update/"+id+"?refresh=true", map[string]any{"doc": part})
}

// TestDecisionsAreBounded decides on an alert that has been decided on very often: the
// oldest and the newest decisions stay, and the alert says how many it has lost.
func TestDecisionsAreBounded(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	a := newAlert(t, "run-1", "ada", firstSeen)
	if _, err := write(t, s, a); err != nil {
		t.Fatal(err)
	}
	var list []any
	for i := range 100 {
		list = append(list, map[string]any{"at": firstSeen.Add(time.Duration(i) * time.Minute), "status": "open", "user": fmt.Sprint("user", i)})
	}
	change(t, node, target, a.ID, map[string]any{"newterms.decisions": list})
	for i, status := range []workflow.Status{workflow.Closed, workflow.Open} {
		d := workflow.Decision{Status: status, User: "eve", At: firstSeen.Add(time.Duration(200+i) * time.Minute)}
		if did, err := s.Decide(t.Context(), []string{a.ID}, d, nil); err != nil || did != (alerts.Decided{Changed: 1}) {
			t.Fatal(did, err)
		}
	}
	got, omitted := decisionsOf(node.Documents(t, target, nil)[0])
	if fmt.Sprint(omitted) != "2" || len(got) != 100 {
		t.Fatalf("%v omitted, %d are left", omitted, len(got))
	}
	for at, want := range map[int]string{0: "open user0 -", 49: "open user49 -", 50: "open user52 -", 97: "open user99 -", 98: "closed eve -", 99: "open eve -"} {
		if got[at] != want {
			t.Errorf("decision %d is %q, want %q", at, got[at], want)
		}
	}
}

// TestDecideAfterOthers decides on alerts that an earlier version or another program has
// changed, also to what newterms does not write.
func TestDecideAfterOthers(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	at := "2026-03-10T12:30:00.000Z"
	for name, c := range map[string]struct {
		changed, want string // JSON
	}{
		"nobody": {`{}`, `["acknowledged eve -"]`},
		"an earlier version": {
			`{"kibana.alert.workflow_status": "closed", "kibana.alert.workflow_user": "ada", "kibana.alert.workflow_reason": "her VPN", "kibana.alert.workflow_status_updated_at": "` + at + `"}`,
			`["closed ada her VPN", "acknowledged eve -"]`},
		"an update by query": {`{"kibana.alert.workflow_status": "closed"}`, `["closed - -", "acknowledged eve -"]`},
		"after a decision": {
			`{"kibana.alert.workflow_status": "closed", "kibana.alert.workflow_status_updated_at": "` + at + `", "newterms.decisions": {"at": "2026-03-10T12:10:00.000Z", "status": "open"}}`,
			`["open - -", "closed - -", "acknowledged eve -"]`},
		"other types": {
			`{"kibana.alert.workflow_status": ["closed"], "kibana.alert.workflow_user": 1, "kibana.alert.workflow_assignee_ids": "ada", "newterms.decisions": [{"at": 1, "status": 2, "user": 3}, null],
			  "newterms.decisions_omitted": "many", "newterms.time_to_acknowledge_ms": "x", "@timestamp": "2026-03-10"}`,
			`["2 3 -", "- - -", "acknowledged eve -"]`},
		"nothing left": {`{"kibana.alert.workflow_status": null, "newterms.decisions": null}`, `["acknowledged eve -"]`},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAlert(t, "run-1", name, firstSeen)
			if _, err := write(t, s, a); err != nil {
				t.Fatal(err)
			}
			query := map[string]any{"query": map[string]any{"term": map[string]any{"kibana.alert.uuid": a.ID}}}
			change(t, node, target, a.ID, json.RawMessage(c.changed))
			d := workflow.Decision{Status: workflow.Acknowledged, User: "eve", Assignees: []string{"eve"}, At: firstSeen.Add(time.Hour)}
			if did, err := s.Decide(t.Context(), []string{a.ID}, d, nil); err != nil || did != (alerts.Decided{Changed: 1}) {
				t.Fatal(did, err)
			}
			document := node.Documents(t, target, query)[0]
			var want []string
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if got, _ := decisionsOf(document); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := fmt.Sprint(document["kibana.alert.workflow_assignee_ids"]); got != "[eve]" {
				t.Errorf("the assignees are %s", got)
			}
		})
	}
}
