package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"newterms/deploy/kibana/kibanatest"
)

// kibanaRules stands in for the part of Kibana that keeps rules, in a space with
// connectors, each as id=type. Among these may be no-esql, forbidden, and id=type!
// for a connector without its secrets.
func kibanaRules(ts *testscript.TestScript, _ bool, args []string) {
	k := &kibanatest.Kibana{Space: args[0], Authorization: "ApiKey " + kibanaKey, Connectors: map[string]string{}, NoSecrets: map[string]bool{}}
	if ts.Getenv("KIBANA_API_KEY") != "" {
		k.Authorization = "ApiKey " + ts.Getenv("KIBANA_API_KEY")
	}
	for _, arg := range args[1:] {
		id, kind, _ := strings.Cut(arg, "=")
		switch arg {
		case "no-esql":
			k.NoESQL = true
		case "forbidden":
			k.Forbidden = true
		default:
			k.Connectors[id], k.NoSecrets[id] = strings.TrimSuffix(kind, "!"), strings.HasSuffix(kind, "!")
		}
	}
	server := httptest.NewServer(http.StripPrefix("/base", k))
	ts.Defer(server.Close)
	ts.Setenv("KIBANA_URL", server.URL+"/base")
	ts.Setenv("KIBANA_API_KEY", strings.TrimPrefix(k.Authorization, "ApiKey "))
	ts.Setenv("KIBANA_SPACE", args[0])
	storyOf(ts).rules = k.Rules
}

// shownRules prints what is in Kibana of the rules: what they ask and what their
// actions say.
func shownRules(ts *testscript.TestScript, _ bool, _ []string) {
	s := storyOf(ts)
	all := s.rules()
	byName := func(a, b string) int { return strings.Compare(all[a]["name"].(string), all[b]["name"].(string)) }
	for _, id := range slices.SortedFunc(maps.Keys(all), byName) {
		rule := all[id]
		params := rule["params"].(map[string]any)
		asks := fmt.Sprint(params["index"], " ", params["esQuery"])
		if esql, ok := params["esqlQuery"].(map[string]any); ok {
			asks = fmt.Sprint(esql["esql"])
		}
		fmt.Fprintf(ts.Stdout(), "%s\n  %s\n", rule["name"], s.tidy(asks))
		for _, a := range rule["actions"].([]any) {
			a := a.(map[string]any)
			says, err := json.Marshal(a["params"])
			ts.Check(err)
			fmt.Fprintf(ts.Stdout(), "  %s: %s %s\n", a["group"], a["id"], says)
		}
	}
}
