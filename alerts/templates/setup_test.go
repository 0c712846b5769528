package templates_test

import (
	"slices"
	"strings"
	"testing"

	"newterms/alerts/templates"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// newTargets returns targets of its own on the real server, and the alerts target's name.
func newTargets(t *testing.T) (*templates.Targets, *estest.Node, string) {
	t.Helper()
	node := estest.ForTest(t)
	target := estest.Name(".test-")
	return templates.NewTargets(elastic.NewClient(node, elastic.Options{}), target, target+"-runs"), node, target
}

// setUp returns the states that Setup found.
func setUp(t *testing.T, s *templates.Targets) []templates.State {
	t.Helper()
	installed, err := s.Setup(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	var states []templates.State
	for _, i := range installed {
		states = append(states, i.Was)
	}
	return states
}

func TestSetupIsIdempotent(t *testing.T) {
	s, node, target := newTargets(t)
	for _, want := range []templates.State{templates.Missing, templates.Current} {
		if did := setUp(t, s); !slices.Equal(did, []templates.State{want, want}) {
			t.Errorf("got %v, want %s", did, want)
		}
	}
	node.Must(t, "POST", "/"+target+"/_create/1", map[string]any{"@timestamp": "2026-03-10T12:00:00Z"})
	if did := setUp(t, s); did[0] != templates.Current {
		t.Errorf("with a data stream: got %v", did)
	}
	// An older version of the template is replaced.
	name := "/_index_template/" + target + "-index-template"
	body := map[string]any{"index_patterns": []string{target}, "priority": 500, "version": 0, "data_stream": map[string]any{"hidden": true}}
	if _, err := node.Request(t.Context(), "PUT", name, body); err != nil {
		t.Fatal(err)
	}
	if did := setUp(t, s); did[0] != templates.Outdated {
		t.Errorf("with an old template: got %v", did)
	}
}

// TestSetUpBy has another version of the program set up the targets. Who may only read
// them is told which one, before and after there is a data stream.
func TestSetUpBy(t *testing.T) {
	s, node, target := newTargets(t)
	reader := templates.NewTargets(elastic.NewClient(blind{node}, elastic.Options{}), target, target+"-runs")
	setUpBy := func(s *templates.Targets) (by [2]string) {
		t.Helper()
		states, err := s.Inspect(t.Context())
		if err != nil || len(states) != 2 {
			t.Fatalf("%+v, %v", states, err)
		}
		return [2]string{states[0].SetUpBy, states[1].SetUpBy}
	}
	long := strings.Repeat("v", 60)
	for i, version := range []string{"0.1.0", "0.2.0-12-gabc+dirty", long} {
		for _, want := range []templates.State{[]templates.State{templates.Missing, templates.Outdated}[min(i, 1)], templates.Current} {
			installed, err := s.Setup(t.Context(), version)
			if err != nil || installed[0].Was != want || installed[1].Was != want {
				t.Errorf("%s: %+v, %v, want %s", version, installed, err, want)
			}
		}
		if got := setUpBy(s); got != [2]string{templates.Mark(version), templates.Mark(version)} {
			t.Errorf("%s: set up by %q", version, got)
		}
		if i == 0 {
			for _, name := range []string{target, target + "-runs"} {
				node.Must(t, "POST", "/"+name+"/_create/1?refresh=true", map[string]any{"@timestamp": "2026-03-10T12:00:00Z"})
			}
		}
		if got := setUpBy(reader); got != [2]string{templates.Mark(version), templates.Mark(version)} {
			t.Errorf("%s: set up by %q, without the right to read index templates", version, got)
		}
	}
}
