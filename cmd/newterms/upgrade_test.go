package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/rule/ruletest"
)

// TestUpgrade goes on over what earlier builds have written, before and after
// setup has updated the mappings: nothing is alerted twice, and no time is left
// out. testdata/upgrade has a folder for each build, with its templates and
// documents: the runs at noon of a rule without exclusions, of one with an
// exclusion, and of one whose exclusion has ended since; and a first run that
// failed. A new folder is made with the build before the format changes.
func TestUpgrade(t *testing.T) {
	builds, err := filepath.Glob("../../testdata/upgrade/*")
	if err != nil || len(builds) == 0 {
		t.Fatal("there are no builds in ../../testdata/upgrade", err)
	}
	for _, build := range builds {
		for _, setup := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, setup %t", filepath.Base(build), setup), func(t *testing.T) { upgrade(t, build, setup) })
		}
	}
}

func upgrade(t *testing.T, build string, setup bool) {
	const index = "newterms-upgrade-events" // its name is in the hashes of searches
	c := newCluster(t)
	c.node.CreateIndex(t, index, oktaTemplate(t)["template"])
	c.name = index
	c.environ = append(c.environ, "NEWTERMS_INDEX="+index)
	c.index(session("known", 48*time.Hour), session("known", 10*time.Minute), session("ada", 30*time.Minute), session("basil", 25*time.Minute), session("eve", 20*time.Minute))
	c.restore(t, build, "alerts", c.alertsTarget())
	c.restore(t, build, "runs", c.runsTarget())
	if setup {
		if _, stderr, code := call(t, c.environ, "setup"); code != 0 {
			t.Fatal(stderr)
		}
	}
	c.index(session("zoe", -3*time.Minute), session("eve", -3*time.Minute))
	all := []string{"ada", "basil", "eve", "zoe"}
	for _, rule := range []struct {
		id, exclude string
		want        []string
	}{
		{"plain", "", all},
		{"begun", "okta.actor.id: nobody", all},
		{"excluding", "okta.actor.id: eve", []string{"ada", "basil", "zoe"}},
		{"ended", "", []string{"ada", "basil", "zoe"}},
		{"failed", "", all},
	} {
		path := ruletest.Write(t, map[string]any{ // as faultRule, without its overlap of 55 minutes
			"rule_id": rule.id, "name": "Rule " + rule.id, "from": "now-1h", "interval": "1h", "timestamp_override": "event.ingested",
			"query": "data_stream.dataset: okta.system", "new_terms_fields": []string{"okta.actor.id", "cloud.account.id"}, "history_window_start": "now-7d",
		})
		for _, minutes := range []int{5, 10} {
			environ := c.environ
			if rule.exclude != "" {
				environ = append(slices.Clone(environ), "NEWTERMS_EXCLUDE="+rule.exclude)
			}
			_, stderr, code := c.callWith(t, programAt(noon.Add(time.Duration(minutes)*time.Minute)), environ, "run", "--rule", path)
			if code != 0 || strings.Contains(stderr, "no run has covered") || strings.Contains(stderr, "also runs") {
				t.Errorf("%s: exit %d: %s", rule.id, code, stderr)
			}
			if got := c.alerts(rule.id); !slices.Equal(got, rule.want) {
				t.Errorf("%s after %d minutes: got alerts %v, want %v", rule.id, minutes, got, rule.want)
			}
		}
	}
	c.decideOnOld(t)
	if _, stderr, code := call(t, c.environ, "run", "--rule", faultRule(t, "plain"), "--from", "2026-03-10", "--to", "2026-03-11"); code != 0 || !strings.Contains(stderr, `"written":0,"already_alerted":4`) {
		t.Errorf("by hand: exit %d: %s", code, stderr)
	}
}

// decideOnOld acknowledges alerts that an earlier build has written, and closed some of.
func (c *cluster) decideOnOld(t *testing.T) {
	t.Helper()
	search := map[string]any{"query": map[string]any{"match": map[string]any{"kibana.alert.rule.rule_id": "plain"}}}
	before := map[any]any{}
	for _, alert := range c.node.Documents(t, c.alertsTarget(), search) {
		before[alert["kibana.alert.uuid"]] = alert["kibana.alert.workflow_reason"]
	}
	stdout, stderr, code := c.callWith(t, programAt(noon.Add(20*time.Minute)), c.environ, "acknowledge", "--where", "kibana.alert.rule.rule_id: plain", "--assign", "zoe", "--yes")
	if code != 0 {
		t.Fatal(stdout, stderr)
	}
	for _, alert := range c.node.Documents(t, c.alertsTarget(), search) {
		decisions, _ := alert["newterms.decisions"].([]any)
		first, _ := decisions[0].(map[string]any)
		if want := before[alert["kibana.alert.uuid"]]; first["reason"] != want || alert["kibana.alert.workflow_status"] != "acknowledged" {
			t.Errorf("the first of the decisions %v has not the reason %v", decisions, want)
		}
	}
}

// restore makes a target as a build has left it.
func (c *cluster) restore(t *testing.T, build, kind, target string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(build, kind+"-template.json"))
	if err != nil {
		t.Fatal(err)
	}
	var template map[string]any
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	template["index_patterns"] = []string{target}
	c.node.Must(t, "PUT", "/_index_template/"+target+"-index-template", template)
	documents, err := os.ReadFile(filepath.Join(build, kind+".ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var bulk bytes.Buffer
	for line := range strings.Lines(string(documents)) {
		var document map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &document); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&bulk, "{\"create\":{\"_id\":%s}}\n", document["_id"])
		delete(document, "_id")
		source, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		bulk.Write(append(source, '\n'))
	}
	c.node.Must(t, "POST", "/"+target+"/_bulk?refresh=true", bulk.Bytes())
}
