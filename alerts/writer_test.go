package alerts_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/alerts/alertstest"
	"newterms/alerts/runs"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// TestFlushMakesAllVisible writes three bulks into an index that does not refresh
// by itself, with a rollover after the first one, and looks for the alerts.
func TestFlushMakesAllVisible(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
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
	var keys []alert.Key
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

// losing loses the answer to the first bulk request.
type losing struct {
	*estest.Node
	lost bool
}

func (l *losing) Perform(r *http.Request) (*http.Response, error) {
	res, err := l.Node.Perform(r)
	if strings.HasSuffix(r.URL.Path, "/_bulk") && !l.lost {
		l.lost = true
		res.Body.Close()
		return nil, errors.New("the answer is lost")
	}
	return res, err
}

// TestOwnAlertsAfterALostAnswer writes a bulk whose answer is lost, to an index that
// does not refresh by itself. The second attempt conflicts with the first: these
// alerts are the run's own.
func TestOwnAlertsAfterALostAnswer(t *testing.T) {
	node := estest.ForTest(t)
	target := estest.Name(".test-")
	alertstest.SetUp(t, alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs"))
	err := node.ChangeTemplate(t.Context(), target+"-index-template", func(template map[string]any) {
		template["template"].(map[string]any)["settings"].(map[string]any)["index.refresh_interval"] = "-1"
	})
	if err != nil {
		t.Fatal(err)
	}
	again := func() []backoff.RetryOption {
		return []backoff.RetryOption{backoff.WithMaxTries(2), backoff.WithBackOff(&backoff.ZeroBackOff{})}
	}
	s := alerts.NewStore(elastic.NewClient(&losing{Node: node}, elastic.Options{Retry: again}), target, target+"-runs")
	w := s.Writer()
	var sum alerts.Result
	for i := range 3 { // the second is too large for the bulk of the first
		result, err := w.Add(t.Context(), largeAlert(t, firstSeen.Add(time.Duration(i)*time.Second), 1500<<10))
		if err != nil {
			t.Fatal(err)
		}
		sum.Written, sum.Existing = append(sum.Written, result.Written...), sum.Existing+result.Existing
	}
	result, err := w.Flush(t.Context())
	if err != nil || len(sum.Written)+len(result.Written) != 3 || sum.Existing+result.Existing != 0 {
		t.Errorf("written %d and %d, existing %d and %d, %v", len(sum.Written), len(result.Written), sum.Existing, result.Existing, err)
	}
}

// TestRefusedCopyOfAField has a target that refuses a field where alerts have it a
// second time: it goes from both places, and nothing else does.
func TestRefusedCopyOfAField(t *testing.T) {
	for _, c := range []struct{ object, field string }{{"event", "code"}, {"data_stream", "dataset"}} {
		s, node, target := alertstest.NewStore(t)
		alertstest.SetUp(t, s)
		err := node.ChangeTemplate(t.Context(), target+"-index-template", func(template map[string]any) {
			properties := template["template"].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
			for _, name := range []string{"kibana", "alert", "original_" + c.object} {
				properties = properties[name].(map[string]any)["properties"].(map[string]any)
			}
			properties[c.field] = map[string]any{"type": "long", "ignore_malformed": false}
		})
		if err != nil {
			t.Fatal(err)
		}
		maker, err := alert.NewMaker(sampleRule(), runs.Info{ID: "run-1"})
		if err != nil {
			t.Fatal(err)
		}
		source := `{"` + c.object + `":{"` + c.field + `":"E-1","type":"kept"},"okta":{"actor":{"id":"ada"}},"unmapped":{"a":1}}`
		result, err := write(t, s, maker.Alert(alert.Finding{
			Key: key(t, "ada", firstSeen), Terms: []any{"ada"}, From: firstSeen, To: firstSeen.Add(time.Hour),
			Event: alert.NewEvent(alert.SourceEvent{Index: "i", ID: "e", Source: []byte(source)}),
		}, firstSeen))
		if err != nil || len(result.Written) != 1 || !slices.Equal(result.Written[0].LeftOut, []string{c.object + "." + c.field}) {
			t.Fatalf("got %+v, %v", result, err)
		}
		text, err := result.Written[0].JSON()
		if err != nil || strings.Contains(string(text), "E-1") || !strings.Contains(string(text), `"unmapped":{"a":1}`) || !strings.Contains(string(text), `"kibana.alert.original_`+c.object+`.type":"kept"`) {
			t.Errorf("got %s, %v", text, err)
		}
	}
}

// largeAlert is of an actor of its own, with an event of some bytes.
func largeAlert(t *testing.T, at time.Time, size int) alert.Alert {
	t.Helper()
	maker, err := alert.NewMaker(sampleRule(), runs.Info{ID: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	return maker.Alert(alert.Finding{
		Key: key(t, "ada"+at.String(), at), Terms: []any{"ada"}, Events: 1, From: at, To: at.Add(time.Hour),
		Event: alert.NewEvent(alert.SourceEvent{Index: "i", ID: "e", Source: []byte(`{"unmapped":"` + strings.Repeat("x", size) + `"}`)}),
	}, at)
}

// TestRuleIsRecordedOnce records the starts of runs of two editions of a rule.
func TestRuleIsRecordedOnce(t *testing.T) {
	s, node, target := alertstest.NewStore(t)
	alertstest.SetUp(t, s)
	for i, note := range []string{"first", "first", "second", "first"} {
		rule := sampleRule()
		rule["note"] = note
		run := runs.Run{Info: runs.Info{ID: "run-" + string(rune('a'+i)), Type: runs.Manual}, State: runs.Started, RuleID: "r", Rule: rule}
		if err := s.RecordRun(t.Context(), run, firstSeen); err != nil {
			t.Fatal(err)
		}
	}
	answer := node.Must(t, "GET", "/"+target+"-runs/_search?q=event.action:newterms-rule", nil)
	if text := string(answer); strings.Count(text, `"kibana.alert.rule.note":"`) != 2 || !strings.Contains(text, `"second"`) || !strings.Contains(text, `"kibana.alert.rule.parameters"`) {
		t.Errorf("got %s", text)
	}
}
