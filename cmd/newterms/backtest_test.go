package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/job/backtest"
)

// TestBacktestCountsWhatDryRunsFind compares a backtest of 30 days with dry runs
// over them: of all, and with and without each exclusion.
func TestBacktestCountsWhatDryRunsFind(t *testing.T) {
	t.Parallel() // with the other long tests
	documents := monthOfSessions()
	c := newCluster(t, documents...)
	c.environ = append(c.environ, "NEWTERMS_CONTEXT=0") // hundreds of alerts, which only are counted
	call(t, c.environ, "setup")
	exclusions := []string{"okta.client.ip:192.0.2.1", "okta.client.zone:(zone-1 or zone-2)", "okta.client.ip:(192.0.2.1 or 192.0.2.2)"}
	window := []string{"--from", "2026-03-08", "--to", "2026-04-07"}
	dryRun := func(of ...int) map[string]int64 {
		t.Helper()
		args := slices.Clone(window)
		for _, i := range of {
			args = append(args, "--exclude", exclusions[i])
		}
		return dryRunDays(t, c, args...)
	}
	total := func(days map[string]int64) (n int64) {
		for _, one := range days {
			n += one
		}
		return n
	}
	got := backtestJSON(t, c, append([]string{"--exclude", exclusions[0], "--exclude", exclusions[1], "--exclude", exclusions[2], "--history", "7d,30d"}, window...)...)
	all := dryRun(0, 1, 2)
	days := map[string]int64{}
	for _, d := range got.Days {
		if d.Count > 0 {
			days[d.Day] = d.Count
		}
	}
	if total(all) == 0 || got.FirstOccurrences != total(all) || !maps.Equal(days, all) || len(got.Days) != 30 {
		t.Errorf("got %d, %v, and a dry run %d, %v", got.FirstOccurrences, days, total(all), all)
	}
	none := total(dryRun())
	if got.Without != none {
		t.Errorf("without exclusions %d, and a dry run %d", got.Without, none)
	}
	for i, e := range got.Exclusions {
		others := slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return n == i })
		alone, besides := none-total(dryRun(i)), total(dryRun(others...))-total(all)
		if e.Alerts-e.Creates != alone || e.AlertsBesides-e.CreatesBesides != besides || e.Query != exclusions[i] {
			t.Errorf("%s takes %d alerts and besides the others %d, and dry runs say %d and %d", e.Query, e.Alerts-e.Creates, e.AlertsBesides-e.CreatesBesides, alone, besides)
		}
		if wantAlone, wantOnly := eventsTaken(documents, i); e.Events != wantAlone || e.EventsBesides != wantOnly {
			t.Errorf("%s takes %d events and besides the others %d, want %d and %d", e.Query, e.Events, e.EventsBesides, wantAlone, wantOnly)
		}
	}
	if len(got.Exclusions) != 3 || len(got.Histories) != 2 || got.Histories[0].FirstOccurrences != total(all) || got.Histories[1].FirstOccurrences >= total(all) {
		t.Errorf("got %d exclusions, and histories %+v", len(got.Exclusions), got.Histories)
	}
	t.Logf("30 days: %d first occurrences, %d without exclusions; %+v", got.FirstOccurrences, got.Without, got.Exclusions)
	call(t, c.environ, append([]string{"run", "--output", "none"}, window...)...)
	if again := backtestJSON(t, c, window...); again.FirstOccurrences != none || again.AlreadyAlerted != none {
		t.Errorf("after a run %d of %d are alerted, want %d", again.AlreadyAlerted, again.FirstOccurrences, none)
	}
}

// monthOfSessions are sessions of 37 days, some from each of a few addresses and
// zones.
func monthOfSessions() []map[string]any {
	random := rand.New(rand.NewPCG(14, 30))
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var documents []map[string]any
	for range 3_000 {
		at := start.Add(time.Duration(random.Int64N(int64(37 * 24 * time.Hour)))).Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
		session := proxySession(fmt.Sprint("00u", random.IntN(300)), fmt.Sprint("acc-", random.IntN(2)), at)
		client := session["okta"].(map[string]any)["client"].(map[string]any)
		client["ip"] = fmt.Sprintf("192.0.2.%d", random.IntN(8))
		client["zone"] = fmt.Sprint("zone-", random.IntN(4))
		documents = append(documents, session)
	}
	return documents
}

// dryRunDays counts the alerts that a dry run shows, by the day of first_seen.
func dryRunDays(t *testing.T, c *cluster, args ...string) map[string]int64 {
	t.Helper()
	stdout, stderr, code := call(t, c.environ, append([]string{"run", "--dry-run", "--output", "ndjson"}, args...)...)
	if code != 0 {
		t.Fatal(stderr)
	}
	days := map[string]int64{}
	for line := range strings.Lines(stdout) {
		var alert map[string]any
		if err := json.Unmarshal([]byte(line), &alert); err != nil {
			t.Fatal(err)
		}
		days[alert["newterms.first_seen"].(string)[:len(time.DateOnly)]]++
	}
	return days
}

// eventsTaken are the events that the exclusion takes, and those of them that no
// other takes.
func eventsTaken(documents []map[string]any, i int) (alone, only int64) {
	for _, d := range documents {
		if at := d["@timestamp"].(string); at < "2026-03-08" || at >= "2026-04-07" {
			continue
		}
		client := d["okta"].(map[string]any)["client"].(map[string]any)
		ip, zone := client["ip"].(string), client["zone"].(string)
		takes := []bool{ip == "192.0.2.1", zone == "zone-1" || zone == "zone-2", ip == "192.0.2.1" || ip == "192.0.2.2"}
		if !takes[i] {
			continue
		}
		alone++
		takes[i] = false
		if !slices.Contains(takes, true) {
			only++
		}
	}
	return alone, only
}

type backtestAnswer struct {
	FirstOccurrences int64          `json:"first_occurrences"`
	AlreadyAlerted   int64          `json:"already_alerted"`
	Without          int64          `json:"without_exclusions"`
	Days             []backtest.Day `json:"days"`
	Exclusions       []struct {
		Query          string `json:"query"`
		Alerts         int64  `json:"alerts"`
		Creates        int64  `json:"creates"`
		AlertsBesides  int64  `json:"alerts_besides_others"`
		CreatesBesides int64  `json:"creates_besides_others"`
		Events         int64  `json:"events"`
		EventsBesides  int64  `json:"events_besides_others"`
	} `json:"exclusions"`
	Histories []struct {
		FirstOccurrences int64 `json:"first_occurrences"`
	} `json:"histories"`
}

func backtestJSON(t *testing.T, c *cluster, args ...string) backtestAnswer {
	t.Helper()
	stdout, stderr, code := call(t, c.environ, append([]string{"backtest", "--output", "json"}, args...)...)
	var answer backtestAnswer
	if err := json.Unmarshal([]byte(stdout), &answer); err != nil || code != 0 {
		t.Fatalf("exit %d: %v\n%s", code, err, stderr)
	}
	return answer
}
