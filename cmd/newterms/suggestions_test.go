package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/exclusion"
)

// hostileNetworks are names of networks that are hard to write in KQL and in a shell.
func hostileNetworks() []string {
	return []string{
		`quote " and 'single'`, `back\slash\`, "colon: a or b: c", "\x1b[2Jtab\tline\n\u202eXOFERIF\u2066", strings.Repeat(`"x: `, 500), "* (not) {all}", "Kestrel VPN",
	}
}

// sessionsByNetwork are sessions of 37 days. Most are of people who come through a
// network with a hostile name, and seldom otherwise.
func sessionsByNetwork() []map[string]any {
	random := rand.New(rand.NewPCG(11, 5))
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	networks := hostileNetworks()
	var documents []map[string]any
	for range 2_000 {
		at := start.Add(time.Duration(random.Int64N(int64(37 * 24 * time.Hour)))).Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		group := random.IntN(len(networks) + 3)
		session := proxySession(fmt.Sprintf("00u%d-%d", group, random.IntN(60)), fmt.Sprint("acc-", random.IntN(2)), at)
		if group < len(networks) && random.IntN(10) > 0 {
			security := session["okta"].(map[string]any)["security_context"].(map[string]any)
			security["as"] = map[string]any{"organization": map[string]any{"name": networks[group]}}
		}
		client := session["okta"].(map[string]any)["client"].(map[string]any)
		client["ip"] = fmt.Sprintf("192.0.2.%d", random.IntN(200))
		documents = append(documents, session)
	}
	return documents
}

// networkCluster has an index with these sessions, whose long names are found too.
func networkCluster(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t)
	c.environ = append(c.environ, "NEWTERMS_CONTEXT=0") // hundreds of alerts, which only are counted
	mapping := `{"properties":{"okta":{"properties":{"security_context":{"properties":{"as":{"properties":{"organization":{"properties":{"name":{"type":"keyword","ignore_above":8191}}}}}}}}}}}`
	c.node.Must(t, "PUT", "/"+c.name+"/_mapping", []byte(mapping))
	c.index(sessionsByNetwork()...)
	call(t, c.environ, "setup")
	return c
}

type suggestionsAnswer struct {
	FirstOccurrences int64 `json:"first_occurrences"`
	Suggestions      struct {
		Exclusions []struct {
			Query          string `json:"query"`
			Alerts         int64  `json:"alerts"`
			Creates        int64  `json:"creates"`
			Events         int64  `json:"events"`
			AlertsBesides  int64  `json:"alerts_besides_others"`
			CreatesBesides int64  `json:"creates_besides_others"`
		} `json:"exclusions"`
		Left     int64    `json:"first_occurrences_left"`
		Withheld []string `json:"withheld"`
	} `json:"suggestions"`
}

func suggestionsOf(t *testing.T, c *cluster, args ...string) suggestionsAnswer {
	t.Helper()
	stdout, stderr, code := call(t, c.environ, append([]string{"backtest", "--output", "json"}, args...)...)
	var answer suggestionsAnswer
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || code != 0 {
		t.Fatalf("exit %d: %v\n%s", code, err, stderr)
	}
	return answer
}

// TestSuggestionsAreWhatDryRunsFind pastes each suggested exclusion into dry runs: alone,
// and with all but it. What is to be pasted is one line, and means the same.
func TestSuggestionsAreWhatDryRunsFind(t *testing.T) {
	t.Parallel() // with the other long tests
	c := networkCluster(t)
	window := []string{"--from", "2026-03-08", "--to", "2026-04-07"}
	total := func(exclude ...string) (n int64) {
		t.Helper()
		args := slices.Clone(window)
		for _, q := range exclude {
			args = append(args, "--exclude", q)
		}
		for _, count := range dryRunDays(t, c, args...) {
			n += count
		}
		return n
	}
	got := suggestionsOf(t, c, window...)
	none := total()
	var queries []string
	for _, e := range got.Suggestions.Exclusions {
		queries = append(queries, e.Query)
	}
	if all := total(queries...); got.FirstOccurrences != none || got.Suggestions.Left != all || all >= none || len(queries) != 5 {
		t.Errorf("%d of %d are left after %q, and dry runs find %d of %d", got.Suggestions.Left, got.FirstOccurrences, queries, all, none)
	}
	creates := int64(0)
	for i, e := range got.Suggestions.Exclusions {
		q, err := exclusion.Parse(e.Query)
		field, values, ok := q.Values()
		if err != nil || !ok || len(values) != 1 || field == "okta.security_context.as.organization.name" && !slices.Contains(hostileNetworks(), values[0]) {
			t.Errorf("%s is %s: %q, %v", e.Query, field, values, err)
		}
		if alone := none - total(e.Query); e.Alerts-e.Creates != alone {
			t.Errorf("%s takes %d alerts and creates %d, and a dry run has %d fewer", e.Query, e.Alerts, e.Creates, alone)
		}
		if besides := total(slices.Delete(slices.Clone(queries), i, i+1)...) - got.Suggestions.Left; e.AlertsBesides-e.CreatesBesides != besides {
			t.Errorf("%s takes %d alerts besides the others and creates %d, and a dry run has %d fewer", e.Query, e.AlertsBesides, e.CreatesBesides, besides)
		}
		creates += e.Creates
	}
	if creates == 0 {
		t.Error("no suggestion creates an alert: these data do not test that")
	}
	pasted := pastedSuggestions(t, c, window)
	if !slices.Equal(pasted, queries) {
		t.Errorf("people read %q, and programs %q", pasted, queries)
	}
	file := filepath.Join(t.TempDir(), "pasted.kql")
	if err := os.WriteFile(file, []byte(strings.Join(pasted, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := suggestionsOf(t, c, append([]string{"--exclude-file", file}, window...)...); again.FirstOccurrences != got.Suggestions.Left {
		t.Errorf("a file of them leaves %d, want %d", again.FirstOccurrences, got.Suggestions.Left)
	}
}

// pastedSuggestions are the lines of a report that are to be pasted.
func pastedSuggestions(t *testing.T, c *cluster, window []string) []string {
	t.Helper()
	stdout, stderr, code := call(t, c.environ, append([]string{"backtest"}, window...)...)
	_, text, ok := strings.Cut(stdout, "\nexclusions to consider")
	if code != 0 || !ok {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	var pasted []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "okta.") || strings.HasPrefix(line, "cloud.") {
			pasted = append(pasted, strings.TrimSuffix(line, "\n"))
		}
	}
	return pasted
}

// TestNoSuggestionTakesATruePositive closes an alert of the best suggestion.
func TestNoSuggestionTakesATruePositive(t *testing.T) {
	t.Parallel() // with the other long tests
	c := networkCluster(t)
	window := []string{"--from", "2026-03-08", "--to", "2026-04-07"}
	call(t, c.environ, append([]string{"run", "--output", "none"}, window...)...)
	const vpn = `okta.security_context.as.organization.name: "Kestrel VPN"`
	isSuggested := func(a suggestionsAnswer) bool {
		return strings.Contains(fmt.Sprint(a.Suggestions.Exclusions), vpn)
	}
	if got := suggestionsOf(t, c, window...); !isSuggested(got) || len(got.Suggestions.Withheld) > 0 {
		t.Fatalf("suggested are %+v", got.Suggestions)
	}
	found := c.node.Must(t, "GET", "/"+c.alertsTarget()+`/_search?size=1&q=okta.security_context.as.organization.name:"Kestrel+VPN"`, nil)
	var answer struct {
		Hits struct {
			Hits []struct {
				Index string `json:"_index"`
				ID    string `json:"_id"`
			} `json:"hits"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(found, &answer); err != nil || len(answer.Hits.Hits) != 1 {
		t.Fatal(err, string(found))
	}
	id := answer.Hits.Hits[0].ID
	for _, reason := range []struct {
		text     string
		withheld bool
	}{{"false_positive", false}, {"benign_positive", false}, {"her new VPN", false}, {"True Positive", true}, {"true_positive", true}} {
		if _, stderr, code := call(t, c.environ, "close", id); code != 0 {
			t.Fatal(stderr)
		}
		doc := map[string]any{"kibana.alert.workflow_reason": reason.text} // an earlier version took any text
		c.node.Must(t, "POST", "/"+answer.Hits.Hits[0].Index+"/_update/"+id+"?refresh=true", map[string]any{"doc": doc})
		if got := suggestionsOf(t, c, window...); isSuggested(got) == reason.withheld || slices.Contains(got.Suggestions.Withheld, vpn) != reason.withheld {
			t.Errorf("closed as %s: suggested are %+v", reason.text, got.Suggestions)
		}
	}
	doc := map[string]any{"kibana.alert.workflow_status": "open"} // by another program, which kept the reason
	c.node.Must(t, "POST", "/"+answer.Hits.Hits[0].Index+"/_update/"+id+"?refresh=true", map[string]any{"doc": doc})
	if got := suggestionsOf(t, c, window...); !isSuggested(got) {
		t.Errorf("open again: suggested are %+v", got.Suggestions)
	}
}
