package kibana_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"newterms/deploy/kibana"
	"newterms/esquery/estest"
)

func newWorld(t *testing.T) *estest.Node {
	t.Helper()
	node, err := world()
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// newChecklist holds the mappings as they are installed.
func newChecklist(t *testing.T) *checklist {
	t.Helper()
	return newChecklistOf(t, alertsTarget, runsTarget)
}

func newChecklistOf(t *testing.T, alerts, runs string) *checklist {
	t.Helper()
	node := newWorld(t)
	c := &checklist{
		mappings: map[string]map[string]string{}, times: map[string]string{},
		titles: map[string]string{"newterms-alerts": alerts, "newterms-decided-alerts": alerts, "newterms-runs": runs},
	}
	for view, target := range c.titles {
		answer, err := node.Request(t.Context(), "GET", "/"+target+"/_field_caps?fields=*", nil)
		if err != nil {
			t.Fatal(err)
		}
		var caps struct {
			Fields map[string]map[string]struct{}
		}
		if err := json.Unmarshal(answer, &caps); err != nil {
			t.Fatal(err)
		}
		c.mappings[view] = map[string]string{}
		for name, types := range caps.Fields {
			for kind := range types {
				c.mappings[view][name] = kind
			}
		}
	}
	return c
}

func objects(t *testing.T) []byte {
	t.Helper()
	return objectsWith(t, kibana.Settings{AlertsTarget: alertsTarget, RunsTarget: runsTarget})
}

func objectsWith(t *testing.T, s kibana.Settings) []byte {
	t.Helper()
	text, err := kibana.Objects(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGenerated(t *testing.T) {
	committed, err := os.ReadFile("newterms.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	made, err := exec.Command("go", "run", "./generate").Output()
	if err != nil || !bytes.Equal(made, committed) {
		t.Errorf("newterms.ndjson is not what the generator makes (%v): run go generate ./deploy/kibana", err)
	}
	if !bytes.Equal(objects(t), committed) {
		t.Error("with the default targets Objects must give what is committed")
	}
}

func TestChecklist(t *testing.T) {
	for _, problem := range newChecklist(t).check(objects(t)) {
		t.Error(problem)
	}
}

// TestSettings fills in what differs from space to space.
func TestSettings(t *testing.T) {
	s := kibana.Settings{AlertsTarget: alertsTarget, RunsTarget: runsTarget, OktaAdmin: "https://example-admin.okta.com/", Notes: []kibana.Note{
		{Rule: "One", Text: "## Triage\n\nAsk \"her\" <first>.\n"}, {Rule: "Two", Text: "Nothing to do."},
	}}
	filled := objectsWith(t, s)
	for _, problem := range newChecklist(t).check(filled) {
		t.Error(problem)
	}
	for _, want := range []string{
		`https://example-admin.okta.com/admin/user/profile/view/{{value}}`,
		`\\n\\n---\\n\\n**One**\\n\\n## Triage\\n\\nAsk \\\"her\\\" <first>.\\n\\n---\\n\\n**Two**\\n\\nNothing to do."`,
	} {
		if !bytes.Contains(filled, []byte(want)) && !bytes.Contains(filled, []byte(strings.ReplaceAll(want, `."`, `.\"`))) {
			t.Errorf("%s is missing", want)
		}
	}
	if bytes.Contains(objects(t), []byte("okta.com")) {
		t.Error("without a console there must be no link to it")
	}
}

// TestOldestKibana holds the one place that says which Kibana the dashboards are
// for against their stamps and what they use.
func TestOldestKibana(t *testing.T) {
	var stated []string
	for _, path := range []string{"../../README.md", "../README.md", "../../.github/CONTRIBUTING.md", "kibana.go", "objects.go", "generate/main.go"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`Kibana (\d+\.\d+)`).FindAllSubmatch(text, -1) {
			stated = append(stated, string(m[1]))
		}
	}
	if len(stated) != 1 {
		t.Fatalf("the oldest Kibana is stated as %v, which should be in one place", stated)
	}
	oldest, needed := version(t, stated[0]), version(t, "0.0")
	text := objects(t)
	for feature, since := range map[string]string{
		`"allowHidden":true`: "8.12", `\"dataType\":\"date\",\"filter\"`: "8.12", `\"type\":\"links\"`: "8.11", `\"colorMapping\":`: "8.11",
	} {
		if !bytes.Contains(text, []byte(feature)) {
			t.Errorf("%s is not used any more", feature)
		}
		needed = max(needed, version(t, since))
	}
	for kind, stamp := range stamps() {
		if version(t, stamp) > oldest {
			t.Errorf("%s is stamped %s, which Kibana %s refuses", kind, stamp, stated[0])
		}
	}
	if needed != oldest {
		t.Errorf("Kibana %s is stated, %d.%d is needed", stated[0], needed/1000, needed%1000)
	}
}

// version makes 8.12.x comparable.
func version(t *testing.T, text string) (number int) {
	t.Helper()
	var major, minor int
	if _, err := fmt.Sscanf(text, "%d.%d", &major, &minor); err != nil {
		t.Fatal(text, err)
	}
	return major*1000 + minor
}
