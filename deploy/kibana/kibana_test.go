package kibana_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/cmd/demo/sample"
	"newterms/deploy/kibana"
	"newterms/esquery/estest"
)

const alertsTarget, runsTarget = ".alerts-newterms.detections-default", ".alerts-newterms.runs-default"

// world is a node with the sample's alerts and with runs of every kind, made
// by the program.
var world = sync.OnceValues(func() (*estest.Node, error) {
	ctx := context.Background()
	node, err := estest.Start(ctx, estest.Options{})
	if err != nil {
		return nil, err
	}
	if err := sample.Load(ctx, node, "../../testdata/okta", time.Now()); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "newterms-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "newterms")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/newterms").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	for _, call := range []struct {
		setting string
		code    int
		args    []string
	}{
		{"", 0, []string{"setup"}},
		{"", 0, []string{"run"}},
		{"", 0, []string{"run", "--from", "now-1d"}},
		{"", 0, []string{"run", "--from", "now-1d"}}, // finds the same
		{"NEWTERMS_INDEX=nothing-here", 1, []string{"run"}},
		{"NEWTERMS_MAX_CATCHUP=2ms", 0, []string{"run"}}, // leaves a gap
	} {
		cmd := exec.Command(program, call.args...)
		cmd.Env = append(os.Environ(), "ELASTICSEARCH_URL="+node.URL, "NEWTERMS_OVERLAP=1ms", call.setting)
		if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != call.code {
			return nil, fmt.Errorf("newterms %v: %w: %s", call.args, err, out)
		}
	}
	return node, nil
})

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
	node := newWorld(t)
	c := &checklist{mappings: map[string]map[string]string{}, titles: map[string]string{"newterms-alerts": alertsTarget, "newterms-runs": runsTarget}}
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
	text, err := kibana.Objects(alertsTarget, runsTarget)
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

// TestSeededFaults breaks the objects, a fault at a time.
func TestSeededFaults(t *testing.T) {
	c, fine := newChecklist(t), objects(t)
	for _, f := range []struct{ name, old, new, want string }{
		{"a field that is not mapped", `\"sourceField\":\"okta.actor.id\"`, `\"sourceField\":\"okta.actor.uid\"`, "has no field okta.actor.uid"},
		{"a histogram of a keyword", `\"sourceField\":\"newterms.first_seen\"`, `\"sourceField\":\"newterms.pair\"`, "newterms.pair of newterms-alerts is of type keyword"},
		{"a sum of a keyword", `\"sourceField\":\"newterms.candidates\"`, `\"sourceField\":\"newterms.run.id\"`, "newterms.run.id of newterms-runs is of type keyword"},
		{"values of a text field", `\"sourceField\":\"okta.event_type\"`, `\"sourceField\":\"kibana.alert.reason.text\"`, "is of type text"},
		{"a control of an unknown field", `\"fieldName\":\"cloud.account.id\"`, `\"fieldName\":\"cloud.account\"`, "cloud.account of newterms-alerts is of type object"},
		{"a column of an unknown field", `"okta.client.ip"`, `"okta.client.ipv4"`, "has no field okta.client.ipv4"},
		{"an unknown field in a query", `kibana.alert.workflow_status: open`, `kibana.alert.workflow: open`, "kibana.alert.workflow"},
		{"a query that is no KQL", `newterms.run.state: failure\"`, `newterms.run.state: (failure\"`, "query: KQL"},
		{"another time field", `"timeFieldName":"newterms.first_seen"`, `"timeFieldName":"newterms.firstseen"`, "has no field newterms.firstseen"},
		{"a data view over another target", `"title":".alerts-newterms.runs-default"`, `"title":".alerts-newterms.jobs-default"`, "the target is .alerts-newterms.runs-default"},
		{"a hidden target not allowed", `"allowHidden":true`, `"allowHidden":false`, "allowHidden is missing"},
		{"a dangling reference", `"id":"newterms-newest-alerts","name"`, `"id":"newterms-new-alerts","name"`, "which is not in the file"},
		{"an outer reference lost", `{"id":"newterms-alerts","name":"countries:indexpattern-datasource-layer-countries","type":"index-pattern"},`, ``, "reference countries:indexpattern-datasource-layer-countries is missing"},
		{"an outer reference to another data view", `{"id":"newterms-alerts","name":"countries:`, `{"id":"newterms-runs","name":"countries:`, "inside it is to newterms-alerts"},
		{"a control's reference lost", `{"id":"newterms-runs","name":"controlGroup_type:optionsListDataView","type":"index-pattern"}`, `{"id":"newterms-runs","name":"controlGroup_kind:optionsListDataView","type":"index-pattern"}`, "controlGroup_kind:optionsListDataView is used by nothing"},
		{"a layer without its reference", `\"name\":\"indexpattern-datasource-layer-outcomes\"`, `\"name\":\"indexpattern-datasource-layer-results\"`, "layer outcomes has no inner reference"},
		{"an accessor of no column", `\"metricAccessor\":\"n\"`, `\"metricAccessor\":\"m\"`, "the visualization shows m"},
		{"an order by no column", `\"columnId\":\"n\",\"type\":\"column\"`, `\"columnId\":\"nn\",\"type\":\"column\"`, `is ordered by "nn"`},
		{"a metric before a bucket", `\"columnOrder\":[\"country\",\"n\"]`, `\"columnOrder\":[\"n\",\"country\"]`, "bucket country comes after a metric"},
		{"a column that is not ordered", `\"columnOrder\":[\"country\",\"n\"]`, `\"columnOrder\":[\"country\"]`, "is not the columns"},
		{"panels over each other", `\"h\":12,\"i\":\"countries\",\"w\":12`, `\"h\":12,\"i\":\"countries\",\"w\":13`, "it lies over panel countries"},
		{"a panel off the grid", `\"i\":\"outcomes\",\"w\":12`, `\"i\":\"outcomes\",\"w\":13`, "it is not on the grid"},
		{"an index that is another", `\"i\":\"outcomes\"`, `\"i\":\"outcome\"`, `panelIndex "outcomes", i "outcome"`},
		{"by value and by reference", `\"panelIndex\":\"outcomes\"`, `\"panelIndex\":\"outcomes\",\"panelRefName\":\"panel_outcomes\"`, "either by value or by reference"},
		{"an attribute that Kibana refuses", `"timeRestore":true`, `"timeRestored":true`, "unknown field"},
		{"a filter of another data view", `\"filters\":[]`, `\"filters\":[{}]`, "filters, ad hoc data views"},
		{"a stamp of a later Kibana", `"typeMigrationVersion":"8.9.0"`, `"typeMigrationVersion":"10.3.0"`, "is stamped"},
		{"no stamp", `,"typeMigrationVersion":"8.9.0"`, ``, "is stamped"},
		{"an object twice", `"id":"newterms-gaps","managed"`, `"id":"newterms-failed-runs","managed"`, "search/newterms-failed-runs stands twice"},
		{"JSON that is none", `"panelsJSON":"[`, `"panelsJSON":"`, "panelsJSON"},
		{"a blank line", "\n{", "\n\n{", "object: EOF"},
	} {
		broken := bytes.Replace(fine, []byte(f.old), []byte(f.new), 1)
		if bytes.Equal(broken, fine) {
			t.Errorf("%s: %s is not in the file", f.name, f.old)
			continue
		}
		found := strings.Join(c.check(broken), "\n")
		if !strings.Contains(found, f.want) {
			t.Errorf("%s: want %q in %q", f.name, f.want, found)
			continue
		}
		t.Logf("%-40s %s", f.name, strings.Split(found, "\n")[0])
	}
}
