package kibana_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"newterms/deploy/kibana"
	"newterms/deploy/kibana/kibanatest"
)

func ruleFiles(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("rules/*.json")
	if err != nil || len(paths) != 4 {
		t.Fatal(paths, err)
	}
	files := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".json")] = string(text)
	}
	return files
}

// byHand is the connector that the files name, which is for people to replace.
func byHand() map[string]string { return map[string]string{"CONNECTOR_ID": ".slack"} }

// TestRules holds the rules that notify against Kibana's schema and asks the node
// what Kibana would ask. Of ES|QL, which the node lacks, only the fields are
// looked at.
func TestRules(t *testing.T) {
	a := newAsker(t, newChecklist(t))
	for name, text := range ruleFiles(t) {
		if problem := kibanatest.RuleProblem([]byte(text), false, byHand()); problem != "" {
			t.Errorf("%s: %s", name, problem)
		}
		var rule struct {
			Params struct {
				Index                               []string
				TimeField, TermField, ESQuery       string
				ESQLQuery                           struct{ ESQL string }
				TimeWindowSize, Size, TermSize      int
				TimeWindowUnit, GroupBy, SearchType string
			}
		}
		if err := json.Unmarshal([]byte(text), &rule); err != nil {
			t.Fatal(err)
		}
		p := rule.Params
		if p.SearchType == "esqlQuery" {
			for _, field := range regexp.MustCompile(`@?[a-z_]+(\.[a-z_]+)+|@timestamp`).FindAllString(strings.ReplaceAll(p.ESQLQuery.ESQL, runsTarget, ""), -1) {
				a.field("newterms-runs", field)
			}
			t.Logf("%s: %s", name, p.ESQLQuery.ESQL)
			continue
		}
		view := map[string]string{alertsTarget: "newterms-alerts", runsTarget: "newterms-runs"}[strings.Join(p.Index, ",")]
		a.field(view, p.TimeField, "date")
		var query struct{ Query map[string]any }
		if err := json.Unmarshal([]byte(p.ESQuery), &query); err != nil {
			t.Fatal(err)
		}
		since := map[string]any{"range": map[string]any{p.TimeField: map[string]any{"gte": "now-7d"}}}
		body := map[string]any{"query": map[string]any{"bool": map[string]any{"filter": []any{since, query.Query}}}}
		if p.GroupBy == "top" {
			a.field(view, p.TermField, groupable()...)
			body["aggs"] = map[string]any{"groups": map[string]any{
				"terms": map[string]any{"field": p.TermField, "size": p.TermSize}, "aggs": map[string]any{"hits": map[string]any{"top_hits": map[string]any{"size": p.Size}}},
			}}
		}
		answer := a.search(view, body)
		if total(answer) == 0 {
			t.Errorf("%s finds nothing", name)
		}
		t.Logf("%s: %v documents", name, total(answer))
	}
	for _, problem := range a.problems {
		t.Error(problem)
	}
}

// TestRuleFaults breaks the rules as Kibana would notice, and sees that what
// stands in for it does.
func TestRuleFaults(t *testing.T) {
	files := ruleFiles(t)
	for _, f := range []struct{ name, file, old, new, want string }{
		{"a key that Kibana does not know", "new-alert", `"tags"`, `"labels"`, "labels]: definition for this key is missing"},
		{"a parameter that it does not know", "new-alert", `"size": 10`, `"size": 10, "language": "kuery"`, "params.language]: definition"},
		{"no name", "new-alert", `"name": "newterms: new alert"`, `"name": ""`, "name]: expected a text"},
		{"another type of rule", "new-alert", `".es-query"`, `".index-threshold"`, "rule_type_id]"},
		{"an interval that is none", "new-alert", `"interval": "5m"`, `"interval": "5 minutes"`, "schedule.interval]: expected a duration"},
		{"a query that is no text", "new-alert", `"esQuery": "`, `"esQuery": "x`, "params.esQuery]: expected a query"},
		{"a window without a unit", "no-success", `"timeWindowUnit": "m"`, `"timeWindowUnit": "minutes"`, "params.timeWindowUnit]"},
		{"two thresholds", "no-success", `"threshold": [1]`, `"threshold": [1, 2]`, "params.threshold]: < takes one value"},
		{"too many groups", "new-alert", `"termSize": 100`, `"termSize": 5000`, "params.termSize]: expected a number from 1 to 1000"},
		{"groups of nothing", "new-alert", `"termField": "newterms.run.id",`, ``, "params.termField]"},
		{"a field to group by, and no groups", "new-alert", `"groupBy": "top"`, `"groupBy": "all"`, "definition for this key is missing"},
		{"ES|QL with another comparison", "no-success-of-a-rule", `"thresholdComparator": ">"`, `"thresholdComparator": "<"`, "params.thresholdComparator]"},
		{"ES|QL with an index", "no-success-of-a-rule", `"size": 100`, `"size": 100, "index": ["x"]`, "params.index]: definition"},
		{"an unknown connector", "no-success", `"id": "CONNECTOR_ID"`, `"id": "my-slack"`, "Saved object [action/my-slack] not found"},
		{"a group of another rule type", "no-success", `"group": "recovered"`, `"group": "default"`, "group]: expected one of"},
		{"a throttle of nothing", "new-alert", `"throttle": null`, `"throttle": "1h"`, "only onThrottleInterval has a throttle"},
		{"no throttle where there must be one", "no-success", `"throttle": "1h"`, `"throttle": null`, "throttle]: expected a duration"},
		{"an action without a message", "new-alert", `"params": {"message": "`, `"params": {"text": "`, "text]: definition"},
	} {
		broken := strings.Replace(files[f.file], f.old, f.new, 1)
		if broken == files[f.file] {
			t.Errorf("%s: %s is not in the file", f.name, f.old)
			continue
		}
		found := kibanatest.RuleProblem([]byte(broken), false, byHand())
		if !strings.Contains(found, f.want) {
			t.Errorf("%s: want %q in %q", f.name, f.want, found)
			continue
		}
		t.Logf("%-42s %s", f.name, found)
	}
}

// TestInstalledOnce installs the rules into two spaces of one Kibana, whose ids
// must differ, for several targets, twice.
func TestInstalledOnce(t *testing.T) {
	ids := map[string]bool{}
	for _, space := range []string{"default", "soc"} {
		k := &kibanatest.Kibana{Space: space, Connectors: map[string]string{"c": ".slack"}}
		server := httptest.NewServer(k)
		defer server.Close()
		base, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		s := kibana.Space{URL: base, Name: space, Do: http.DefaultClient.Do}
		c, err := s.Connector(t.Context(), "c", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, namespace := range []string{"default", "tenant"} {
			for _, want := range []string{"installed", "unchanged"} {
				notifiers, err := s.Notifiers(".alerts-newterms.detections-"+namespace, ".alerts-newterms.runs-"+namespace, 0, c)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range notifiers {
					if o, err := s.Install(t.Context(), n); err != nil || o.Did != want {
						t.Errorf("%s of %s: %v, %v", space, namespace, o, err)
					}
				}
			}
		}
		maps.Copy(ids, ruleIDs(k))
	}
	if len(ids) != 12 {
		t.Errorf("%d ids for three rules in two spaces of two tenants: %v", len(ids), ids)
	}
}

func ruleIDs(k *kibanatest.Kibana) map[string]bool {
	ids := map[string]bool{}
	for id := range k.Rules() {
		ids[id] = true
	}
	return ids
}

// TestLeastNovelty leaves out alerts of less, and none whose novelty is not known.
func TestLeastNovelty(t *testing.T) {
	s := kibana.Space{Name: "default"}
	for novelty, want := range map[uint]string{0: "", 2: `{"range":{"newterms.novelty":{"lt":2}}}`} {
		k := &kibanatest.Kibana{Space: "default", Connectors: map[string]string{"c": ".slack"}}
		server := httptest.NewServer(k)
		defer server.Close()
		var err error
		if s.URL, err = url.Parse(server.URL); err != nil {
			t.Fatal(err)
		}
		s.Do = http.DefaultClient.Do
		c, err := s.Connector(t.Context(), "c", nil)
		if err != nil {
			t.Fatal(err)
		}
		notifiers, err := s.Notifiers("alerts", "runs", novelty, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range notifiers {
			if _, err := s.Install(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		found := false
		for _, rule := range k.Rules() {
			text, err := json.Marshal(rule)
			var decoded struct{ Params struct{ ESQuery string } }
			if err == nil {
				err = json.Unmarshal(text, &decoded)
			}
			if err != nil {
				t.Fatal(err)
			}
			has := strings.Contains(decoded.Params.ESQuery, "newterms.novelty")
			if has && !strings.Contains(decoded.Params.ESQuery, want) {
				t.Errorf("%d: %s", novelty, decoded.Params.ESQuery)
			}
			found = found || has
		}
		if found != (novelty > 0) {
			t.Errorf("novelty %d is asked for: %v", novelty, found)
		}
	}
}
