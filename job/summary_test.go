package job_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"
	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery/elastic"
)

func isSummary(body []byte) bool { return bytes.Contains(body, []byte(`"earliest"`)) }

// through makes the world's requests go through a transport.
func (w *world) through(t esapi.Transport) {
	w.client = elastic.NewClient(t, elastic.Options{})
	w.store = alerts.NewStore(w.client, w.alertsTarget(), w.runsTarget())
}

// sprayed indexes four logins of an unknown actor, one of which was typed as a password,
// and two quiet users.
func (w *world) sprayed() {
	w.create("events", nil)
	event := func(id, actor, login, ip string, second int) map[string]any {
		return map[string]any{
			"_id": id, "@timestamp": fmt.Sprintf("2026-03-10T12:00:%02d.000Z", second), "okta.actor.id": actor, "cloud.account.id": "acc-1",
			"okta.actor.alternate_id": login, "okta.client.ip": ip, "okta.outcome.result": "FAILURE", "okta.event_type": "user.session.start",
		}
	}
	w.index(
		event("1", "unknown", "ada@example.org", "203.0.113.78", 1), event("2", "unknown", "basil@example.org", "203.0.113.78", 2),
		event("3", "unknown", "correct horse battery", "203.0.113.78", 3), event("4", "unknown", "ada@example.org", "203.0.113.78", 4),
		event("5", "00u1", "zoe@example.org", "192.0.2.1", 5), event("6", "00u2", "yan\x1b[2J@example.org", "192.0.2.2", 6), event("7", "00u2", "yan@example.org", "192.0.2.3", 7),
		event("old", "old", "old@example.org", "192.0.2.1", 0),
	)
	w.Must(w.t, "POST", "/"+w.prefix+"events/_update/old?refresh=true", map[string]any{"doc": map[string]any{"@timestamp": "2026-03-09T12:00:00.000Z"}})
}

func byActor(t *testing.T, found []map[string]any, actor string) map[string]any {
	t.Helper()
	i := slices.IndexFunc(found, func(a map[string]any) bool { return fmt.Sprint(a["kibana.alert.new_terms"]) == "["+actor+" acc-1]" })
	if i < 0 {
		t.Fatalf("%s has no alert in %v", actor, found)
	}
	return found[i]
}

// TestSummary writes what all events of a pair have in common, and asks nothing of pairs
// with one event.
func TestSummary(t *testing.T) {
	w := newWorld(t)
	requests := &refusing{next: w.Node, is: isSummary}
	w.through(requests)
	w.sprayed()
	r := w.rule(pairRule())
	var first, again []map[string]any
	if run, err := w.job(r, &first).Run(t.Context(), uuid.NewString(), noon(t)); err != nil || run.Counts.Written != 3 || requests.n != 1 {
		t.Fatal(run.Counts, requests.n, err)
	}
	a := byActor(t, first, "unknown")
	for key, want := range map[string]string{
		"newterms.events": "4", "newterms.summary.events": "4", "newterms.summary.first": "2026-03-10T12:00:01.000Z", "newterms.summary.last": "2026-03-10T12:00:04.000Z",
		"newterms.summary.text": "4 events: 3 logins from 203.0.113.78, user.session.start, FAILURE",
		"newterms.summary.values": "[map[events:2 field:okta.actor.alternate_id value:ad…rg] map[events:1 field:okta.actor.alternate_id value:ba…rg] map[events:1 field:okta.actor.alternate_id value:co…ry] " +
			"map[events:4 field:okta.client.ip value:203.0.113.78] map[events:4 field:okta.event_type value:user.session.start] map[events:4 field:okta.outcome.result value:FAILURE]]",
	} {
		if got := fmt.Sprint(a[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if shown := fmt.Sprint(a["kibana.alert.reason"], a["newterms.summary.text"], a["newterms.summary.values"]); strings.Contains(shown, "horse") || strings.Contains(shown, "basil") {
		t.Errorf("what was typed is shown: %s", shown)
	}
	if a := byActor(t, first, "00u1"); a["newterms.summary.events"] != nil || a["newterms.summary.missing"] != nil {
		t.Errorf("of one event: %v", a)
	}
	if text := byActor(t, first, "00u2")["newterms.summary.text"]; text != "2 events: 2 logins from 2 addresses, user.session.start, FAILURE" {
		t.Errorf("of a known actor: %v", text)
	}
	// The mapping finds an alert by a value that only a later event has.
	found := w.Documents(t, w.alertsTarget(), map[string]any{"query": map[string]any{"term": map[string]any{"newterms.summary.values.value": "192.0.2.3"}}})
	if len(found) != 1 {
		t.Errorf("%d alerts are found by an address", len(found))
	}
	// A rerun finds the same, and a quiet run asks nothing.
	if run, err := w.job(r, &again).Run(t.Context(), uuid.NewString(), noon(t)); err != nil || run.Counts.Written != 0 || requests.n != 1 {
		t.Error(run.Counts, requests.n, err)
	}
	j := w.job(r, &again)
	j.DryRun, j.Store = true, alerts.NewStore(w.client, w.alertsTarget()+"-none", w.runsTarget())
	if _, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
		t.Fatal(err)
	}
	for key, value := range a {
		if same := byActor(t, again, "unknown")[key]; strings.HasPrefix(key, "newterms.summary") && fmt.Sprint(same) != fmt.Sprint(value) {
			t.Errorf("once more, %s is %v, and was %v", key, same, value)
		}
	}
}

// TestSummaryFails writes the alerts all the same, and says what they lack.
func TestSummaryFails(t *testing.T) {
	for cause, status := range map[string]int{"security_exception": 403, "too_many_buckets_exception": 400, "unavailable": 503} {
		t.Run(cause, func(t *testing.T) {
			w := newWorld(t)
			requests := &refusing{next: w.Node, is: isSummary, status: status, cause: cause}
			w.through(requests)
			w.sprayed()
			var found []map[string]any
			var warned []string
			r := w.rule(pairRule())
			r.Search.PageSize = 2 // two pages, each with a pair of several events
			j := w.job(r, &found)
			j.Warn = func(err error) { warned = append(warned, err.Error()) }
			run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
			if err != nil || run.Counts.Written != 3 {
				t.Fatal(run.Counts, err)
			}
			if halved := cause == "too_many_buckets_exception"; requests.n != 1 && !halved {
				t.Errorf("%d requests: after a failure it asks no more", requests.n)
			}
			if len(warned) != 1 || !strings.HasPrefix(warned[0], "alerts are written without the summary of their events: summarize events: ") {
				t.Errorf("warned %q", warned)
			}
			for _, actor := range []string{"unknown", "00u2"} {
				if a := byActor(t, found, actor); a["newterms.summary.text"] != nil || a["newterms.summary.missing"] == nil {
					t.Errorf("%s: %v", actor, a)
				}
			}
			if a := byActor(t, found, "00u1"); a["newterms.summary.missing"] != nil {
				t.Errorf("of one event: %v", a)
			}
		})
	}
}

// TestSummaryOfPending counts in the window that an alert names, also where MaxAlerts
// keeps alerts of several stretches.
func TestSummaryOfPending(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	var documents []map[string]any
	for n := range 60 {
		for i := range 2 {
			documents = append(documents, map[string]any{
				"_id": fmt.Sprint(n, "-", i), "okta.actor.id": fmt.Sprint("u", n), "cloud.account.id": "acc-1", "okta.client.ip": fmt.Sprintf("192.0.2.%d", i),
				"@timestamp": parseTime(t, "2026-03-10T12:00:00Z").Add(time.Duration(n*20+i*5) * time.Second).Format(time.RFC3339),
			})
		}
	}
	w.index(documents...)
	r := w.rule(pairRule())
	r.Search.PageSize = 3
	for _, most := range []int{0, 1_000} {
		var found []map[string]any
		j := w.job(r, &found)
		j.MaxAlerts, j.DryRun = most, true
		if _, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
			t.Fatal(err)
		}
		windows := map[string]bool{}
		for _, a := range found {
			windows[fmt.Sprint(a["newterms.window.from"])] = true
			if events := fmt.Sprint(a["newterms.events"]); events != "1" && events != fmt.Sprint(a["newterms.summary.events"]) {
				t.Errorf("%v events, and the summary is of %v", events, a["newterms.summary.events"])
			}
		}
		if len(found) != 60 || len(windows) < 2 {
			t.Errorf("%d alerts of %d windows", len(found), len(windows))
		}
	}
}
