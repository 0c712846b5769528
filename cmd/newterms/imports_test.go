package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports holds the parts apart: cmd → job → {esquery, alerts} →
// esquery/elastic, and esquery and alerts never import each other. A new
// package must be entered here.
func TestImports(t *testing.T) {
	const module = "newterms/"
	allowed := map[string][]string{ // what of ours a package may import
		"esquery/elastic":          {},
		"esquery/kql":              {},
		"esquery":                  {"esquery/elastic", "esquery/kql"},
		"alerts":                   {"esquery/elastic"},
		"alerts/keys":              {"esquery/elastic"},
		"job/datemath":             {},
		"job/rule":                 {"alerts", "esquery", "esquery/kql", "job/datemath"},
		"job/words":                {},
		"job/grant":                {"alerts", "alerts/keys", "esquery", "esquery/elastic", "job/rule", "job/words"},
		"job":                      {"alerts", "esquery", "esquery/kql", "job/rule", "job/words"},
		"job/backtest":             {"alerts", "esquery", "esquery/kql", "job", "job/rule", "job/words"},
		"job/batch":                {"alerts", "esquery", "esquery/elastic", "job", "job/rule"},
		"job/check":                {"alerts", "esquery", "esquery/elastic", "job", "job/rule", "job/words"},
		"job/explain":              {"alerts", "esquery", "job", "job/rule", "job/words"},
		"deploy/kibana":            {"esquery/elastic"},
		"deploy/kibana/generate":   {},
		"deploy/kibana/kibanatest": {},
		"cmd/newterms/terminal":    {},
		"cmd/newterms/failure":     {"alerts", "alerts/keys", "deploy/kibana", "esquery", "esquery/elastic", "esquery/kql", "job", "job/check", "job/grant", "job/rule", "cmd/newterms/settings"},
		"cmd/newterms/settings":    {"esquery/elastic", "esquery/kql", "job/datemath", "job/rule"},
		"cmd/newterms/show":        {"alerts", "cmd/newterms/terminal", "esquery", "esquery/kql", "job", "job/backtest", "job/batch", "job/check", "job/explain", "job/rule", "job/words"},
		"cmd/newterms":             {"alerts", "alerts/keys", "cmd/newterms/failure", "cmd/newterms/settings", "cmd/newterms/show", "cmd/newterms/terminal", "deploy/kibana", "esquery", "esquery/elastic", "esquery/kql", "job", "job/backtest", "job/batch", "job/check", "job/datemath", "job/explain", "job/grant", "job/rule", "job/words"},
		"cmd/demo":                 {"cmd/demo/sample", "esquery/estest"},
		"cmd/demo/sample":          {"job/datemath"},
		"esquery/estest":           {},
		"job/rule/ruletest":        {},
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module)
		may, known := allowed[name]
		if !known {
			t.Errorf("%s is not entered here", name)
		}
		for _, path := range p.Imports {
			if ours, ok := strings.CutPrefix(path, module); ok && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s", name, ours)
			}
		}
	}
}
