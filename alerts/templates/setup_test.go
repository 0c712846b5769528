package templates_test

import (
	"slices"
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
	installed, err := s.Setup(t.Context())
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
