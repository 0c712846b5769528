package kibana_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"newterms/deploy/kibana"
)

// TestEveryPanelShowsSomething asks the node what each panel would ask, and
// wants buckets with values from all of them.
func TestEveryPanelShowsSomething(t *testing.T) {
	a := newAsker(t, newChecklist(t))
	if problems := a.check(objects(t)); len(problems) > 0 {
		t.Fatal(problems)
	}
	panels := 0
	for _, o := range a.objects {
		switch o.Type {
		case "dashboard":
			for _, p := range panelsOf(t, o) {
				panels++
				switch p.Type {
				case "lens":
					for _, l := range a.lensShows(p) {
						for _, r := range l.rows[:min(len(l.rows), 3)] {
							t.Logf("%-38s %2d× %s", p.Title, len(l.rows), l.shown(r))
						}
						if empty := l.empty(); len(empty) > 0 {
							t.Errorf("%s: columns %v are empty", p.Title, empty)
						}
					}
				case "map":
					a.mapShows(p)
				}
			}
		case "search":
			a.sessionShows(o, "")
		}
	}
	if panels < 30 {
		t.Errorf("only %d panels", panels)
	}
	t.Logf("%d panels", panels)
}

// TestBeforeTheFirstAlert asks what each panel would ask of targets that setup
// has just made: no field may be missing, and figures are 0.
func TestBeforeTheFirstAlert(t *testing.T) {
	alerts, runs := ".alerts-newterms.detections-fresh", ".alerts-newterms.runs-fresh"
	a := newAsker(t, newChecklistOf(t, alerts, runs))
	for _, problem := range a.check(objectsWith(t, kibana.Settings{AlertsTarget: alerts, RunsTarget: runs})) {
		t.Error(problem)
	}
	for _, o := range a.objects {
		if o.Type != "dashboard" {
			continue
		}
		for _, p := range panelsOf(t, o) {
			if p.Type != "lens" {
				continue
			}
			l := a.lensShows(p)[0]
			var config lensPanel
			a.decode("", p.EmbeddableConfig, &config)
			if config.Attributes.VisualizationType != "lnsMetric" {
				continue
			}
			t.Logf("%-42s %s", p.Title, l.shown(l.rows[0]))
			for _, id := range l.empty() {
				if slices.Contains([]string{"count", "unique_count"}, l.Columns[id].OperationType) {
					t.Errorf("%s shows N/A instead of 0", p.Title)
				}
			}
		}
	}
}

func panelsOf(t *testing.T, o savedObject) []panel {
	t.Helper()
	var d dashboard
	var panels []panel
	if err := json.Unmarshal(o.Attributes, &d); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(d.PanelsJSON), &panels); err != nil {
		t.Fatal(err)
	}
	return panels
}

// mapShows wants a place on a map, with all that its tooltip tells.
func (a asker) mapShows(p panel) {
	a.Helper()
	var config mapPanel
	if err := json.Unmarshal(p.EmbeddableConfig, &config); err != nil {
		a.Fatal(err)
	}
	for _, l := range a.layers(config) {
		source := l.SourceDescriptor
		if source.Type != "ES_SEARCH" {
			continue
		}
		answer := a.ask("newterms-alerts", source.GeoField+": *", picked(), map[string]any{
			"_source": false, "size": 100,
			"fields": append(source.TooltipProperties, source.GeoField), "aggs": map[string]any{"box": map[string]any{"geo_bounds": map[string]any{"field": source.GeoField}}},
		})
		a.filled(p.Title, answer, append(source.TooltipProperties, source.GeoField))
		a.Logf("%-42s %v places within %v", p.Title, total(answer), answer["aggregations"].(map[string]any)["box"])
	}
}

// sessionShows wants a value in each column of a session from one document. It returns the
// values of a field in the session's order.
func (a asker) sessionShows(o savedObject, field string) (values []string) {
	a.Helper()
	var s session
	var meta struct{ SearchSourceJSON string }
	var source struct{ Query query }
	if err := json.Unmarshal(o.Attributes, &s); err != nil {
		a.Fatal(err)
	}
	if err := json.Unmarshal(s.KibanaSavedObjectMeta, &meta); err != nil {
		a.Fatal(err)
	}
	if err := json.Unmarshal([]byte(meta.SearchSourceJSON), &source); err != nil {
		a.Fatal(err)
	}
	view := o.References[0].ID
	answer := a.ask(view, source.Query.Query, picked(), map[string]any{
		"size": 10, "fields": s.Columns, "_source": false,
		"sort": []any{map[string]any{s.Sort[0][0]: s.Sort[0][1]}},
	})
	a.filled(s.Title, answer, s.Columns)
	for _, hit := range answer["hits"].(map[string]any)["hits"].([]any) {
		if found, ok := hit.(map[string]any)["fields"].(map[string]any)[field].([]any); ok {
			values = append(values, found[0].(string))
		}
	}
	return values
}

// filled wants each field from one of the documents that a search found.
func (a asker) filled(title string, answer map[string]any, fields []string) {
	a.Helper()
	filled := map[string]bool{
		"kibana.alert.workflow_user": true, // nobody has a name here, where security is off: see testdata/secured of cmd/newterms
	}
	hits := answer["hits"].(map[string]any)["hits"].([]any)
	for _, hit := range hits {
		found, _ := hit.(map[string]any)["fields"].(map[string]any)
		for name := range found {
			filled[name] = true
		}
	}
	for _, name := range fields {
		if !filled[name] {
			a.Errorf("%s: no document has %s", title, name)
		}
	}
	a.Logf("%s: %d documents with %s", title, len(hits), strings.Join(fields, ", "))
}
