package alerts_test

import (
	"strings"
	"testing"
	"time"

	"newterms/alerts"
)

// TestFlushMakesAllVisible writes three bulks into an index that does not refresh
// by itself, with a rollover after the first one, and looks for the alerts.
func TestFlushMakesAllVisible(t *testing.T) {
	s, node, target := newStore(t)
	setUp(t, s)
	node.Must(t, "PUT", "/_index_template/"+target+"-not-refreshed", map[string]any{
		"index_patterns": []string{target}, "priority": 501, "data_stream": map[string]any{"hidden": true},
		"template": map[string]any{
			"settings": map[string]any{"refresh_interval": "-1", "number_of_shards": 3},
			"mappings": map[string]any{"dynamic": false, "properties": map[string]any{
				"kibana.alert.uuid": map[string]any{"type": "keyword"}, "newterms.pair": map[string]any{"type": "keyword"},
				"newterms.first_seen": map[string]any{"type": "date"}, "newterms.search": map[string]any{"type": "keyword"},
			}},
		},
	})
	w := s.Writer()
	var keys []alerts.Key
	bulks := 0
	for i := range 12 {
		at := firstSeen.Add(time.Duration(i) * time.Second)
		result, err := w.Add(t.Context(), largeAlert(t, at, 450<<10))
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Written) > 0 {
			if bulks++; bulks == 1 {
				node.Must(t, "POST", "/"+target+"/_rollover", nil)
			}
		}
		keys = append(keys, key(t, "ada"+at.String(), at))
	}
	if _, err := w.Flush(t.Context()); err != nil || bulks != 2 {
		t.Fatalf("%d bulks before the last, %v", bulks, err)
	}
	found, err := s.AlreadyAlerted(t.Context(), keys, alerts.Lookup{History: time.Hour, Fields: []string{"okta.actor.id"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, already := range found {
		if !already {
			t.Errorf("alert %d is not visible", i)
		}
	}
}

// largeAlert is of an actor of its own, with an event of some bytes.
func largeAlert(t *testing.T, at time.Time, size int) alerts.Alert {
	t.Helper()
	maker, err := alerts.NewMaker(sampleRule(), alerts.RunInfo{ID: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	return maker.Alert(alerts.Finding{
		Key: key(t, "ada"+at.String(), at), Terms: []any{"ada"}, Events: 1, From: at, To: at.Add(time.Hour),
		Event: alerts.NewEvent(alerts.SourceEvent{Index: "i", ID: "e", Source: []byte(`{"unmapped":"` + strings.Repeat("x", size) + `"}`)}),
	}, at)
}

// TestRuleIsRecordedOnce records the starts of runs of two editions of a rule.
func TestRuleIsRecordedOnce(t *testing.T) {
	s, node, target := newStore(t)
	setUp(t, s)
	for i, note := range []string{"first", "first", "second", "first"} {
		rule := sampleRule()
		rule["note"] = note
		run := alerts.Run{RunInfo: alerts.RunInfo{ID: "run-" + string(rune('a'+i)), Type: alerts.RunManual}, State: alerts.RunStarted, RuleID: "r", Rule: rule}
		if err := s.RecordRun(t.Context(), run, firstSeen); err != nil {
			t.Fatal(err)
		}
	}
	answer := node.Must(t, "GET", "/"+target+"-runs/_search?q=event.action:newterms-rule", nil)
	if text := string(answer); strings.Count(text, `"kibana.alert.rule.note":"`) != 2 || !strings.Contains(text, `"second"`) || !strings.Contains(text, `"kibana.alert.rule.parameters"`) {
		t.Errorf("got %s", text)
	}
}
