package job_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery/kql"
	"newterms/job/rule"
	"newterms/job/where"
)

// flood indexes what is known, a hundred pairs of a minute, and three single attackers.
// of returns the fields of each, by its number; 100 and more are the attackers.
func (w *world) flood(of func(n int) map[string]any) {
	w.create("events", nil)
	var documents []map[string]any
	for n := range 103 {
		e := of(n)
		e["_id"], e["okta.actor.id"] = fmt.Sprint(n), fmt.Sprint("u", n)
		e["okta.client.ip"], e["okta.event_type"] = fmt.Sprintf("192.0.2.%d", n), "user.session.start"
		e["@timestamp"] = parseTime(w.t, "2026-03-10T12:00:00Z").Add(time.Duration(n*7919%10_000) * time.Millisecond).Format(millis)
		documents = append(documents, e)
	}
	for n, network := range []string{"A", "B", "C"} {
		documents = append(documents, map[string]any{
			"_id": fmt.Sprint("known", n), "okta.actor.id": "known", "cloud.account.id": "1", "client.as.organization.name": network,
			"user_agent.name": "Chrome", "@timestamp": "2026-03-01T12:00:00.000Z",
		}, map[string]any{
			"_id": fmt.Sprint("known again", n), "okta.actor.id": "known", "cloud.account.id": "1", "client.as.organization.name": network,
			"user_agent.name": "Chrome", "@timestamp": "2026-03-09T12:00:00.000Z",
		})
	}
	w.index(documents...)
}

// TestFloodHasOneCause names what a hundred alerts share. Its query finds exactly these
// alerts, and its exclusion leaves exactly the attackers'. Pages make no difference.
func TestFloodHasOneCause(t *testing.T) {
	networks := []string{"A", "B", "C"}
	for name, c := range map[string]struct {
		of      func(n int) map[string]any
		missing bool
		text    string
	}{
		"one network": {func(n int) map[string]any {
			e := map[string]any{"cloud.account.id": "1", "client.as.organization.name": "Kestrel \"VPN\"", "user_agent.name": "Chrome"}
			if n >= 100 {
				e["client.as.organization.name"] = fmt.Sprint("Hosting ", n)
			}
			return e
		}, false, `100 of 103 alerts share the network "Kestrel \"VPN\"", new to everyone`},
		"attackers of the same network": {func(n int) map[string]any {
			e := map[string]any{"cloud.account.id": "1", "client.as.organization.name": "VPN", "user_agent.name": []string{"Chrome", "Safari", "Firefox"}[n%3]}
			if n >= 100 {
				e["user_agent.name"] = fmt.Sprint("tool \"", n)
			}
			return e
		}, false, `100 of 103 alerts share the network "VPN", new to everyone`},
		"a tenant": {func(n int) map[string]any {
			e := map[string]any{"cloud.account.id": "new", "client.as.organization.name": networks[n%3], "user_agent.name": "Chrome"}
			if n >= 100 {
				e["cloud.account.id"] = fmt.Sprint("other ", n)
			}
			return e
		}, false, `100 of 103 alerts share the account "new", new to everyone`},
		"a renamed field": {func(n int) map[string]any {
			e := map[string]any{"cloud_account": "1", "client.as.organization.name": networks[n%3], "user_agent.name": "Chrome"}
			if n >= 100 {
				e["cloud.account.id"] = fmt.Sprint("other ", n)
			}
			return e
		}, true, `100 of 103 alerts share the absence of cloud.account.id, new to everyone`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.flood(c.of)
			r := w.rule(pairRule())
			r.Search.MissingTerms = c.missing
			var found []map[string]any
			dryRun := func(r rule.Rule) runs.Run {
				found = nil
				j := w.job(r, &found)
				j.MaxContexts, j.DryRun, j.Store = 1000, true, alerts.NewStore(w.client, w.alertsTarget()+"-none", w.runsTarget())
				run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
				if err != nil {
					t.Fatal(err)
				}
				return run
			}
			j := w.job(r, &found)
			j.MaxContexts = 1000
			run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
			if err != nil || run.Counts.Written != 103 || run.Cause == nil || run.Cause.Text != c.text || run.Cause.Covered != 100 {
				t.Fatalf("%v: %+v, %+v", err, run.Counts, run.Cause)
			}
			absent := 0
			for _, a := range found {
				if strings.Contains(fmt.Sprint(a["newterms.context.text"]), "missing account") {
					absent++
				}
			}
			if absent != map[bool]int{true: 100}[c.missing] {
				t.Errorf("%d alerts say that the account is missing", absent)
			}
			selected, err := where.Compile(t.Context(), w.store, run.Cause.Where)
			if err != nil {
				t.Fatal(err)
			}
			for _, not := range []bool{false, true} {
				query := map[string]any{"bool": map[string]any{"filter": selected}}
				if not {
					query = map[string]any{"bool": map[string]any{"must_not": selected}}
				}
				if n := len(w.Documents(t, w.alertsTarget(), map[string]any{"query": query})); n != map[bool]int{false: 100, true: 3}[not] {
					t.Errorf("%s: %v for %d alerts", run.Cause.Where, !not, n)
				}
			}
			if n := len(w.Documents(t, w.runsTarget(), map[string]any{"query": map[string]any{"term": map[string]any{"newterms.cause.text": c.text}}})); n != 1 {
				t.Errorf("%d run documents have the cause", n)
			}
			small := r
			small.Search.PageSize = 7
			if paged := dryRun(small); paged.Cause == nil || paged.Cause.Text != c.text || paged.Cause.Exclude != run.Cause.Exclude {
				t.Errorf("in small pages: %+v", paged.Cause)
			}
			excluded, err := kql.Parse(run.Cause.Exclude)
			if err != nil {
				t.Fatal(err)
			}
			r.Search.Exclude = []kql.Query{excluded}
			if left := dryRun(r); len(found) != 3 || left.Cause != nil {
				t.Errorf("%s leaves %d alerts, %+v", run.Cause.Exclude, len(found), left.Cause)
			}
			for _, a := range found {
				if terms := fmt.Sprint(a["kibana.alert.new_terms"]); !strings.HasPrefix(terms, "[u10") {
					t.Errorf("%s is left", terms)
				}
			}
		})
	}
}

// TestFloodOfAnotherTerm has alerts of one host each, whose events name a relay in the
// same field. The relay is known, and each host is new.
func TestFloodOfAnotherTerm(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	documents := []map[string]any{{"_id": "known", "host.name": "relay", "@timestamp": "2026-03-09T12:00:00.000Z"}}
	for n := range 12 {
		documents = append(documents, map[string]any{"_id": fmt.Sprint(n), "host.name": []string{fmt.Sprint("h", n), "relay"}, "@timestamp": fmt.Sprintf("2026-03-10T12:00:%02d.000Z", n)})
	}
	w.index(documents...)
	var found []map[string]any
	j := w.job(w.rule(map[string]any{"query": "*", "history_window_start": "now-7d", "new_terms_fields": []string{"host.name"}}), &found)
	j.MaxContexts = 1000
	run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	if want := `12 of 12 alerts share the host "relay"`; err != nil || run.Cause == nil || run.Cause.Text != want {
		t.Errorf("got %v, %+v, want %s", err, run.Cause, want)
	}
}

// TestFloodOfLongValue names no value that is too long for a query to find.
func TestFloodOfLongValue(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	var documents []map[string]any
	for n := range 12 {
		documents = append(documents, map[string]any{
			"_id": fmt.Sprint(n), "okta.actor.id": fmt.Sprint("u", n), "cloud.account.id": "1", "client.as.organization.name": strings.Repeat("x", 1_025),
			"okta.client.ip": "192.0.2.1", "@timestamp": fmt.Sprintf("2026-03-10T12:00:%02d.000Z", n),
		})
	}
	w.index(documents...)
	var found []map[string]any
	j := w.job(w.rule(pairRule()), &found)
	run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	if want := `12 of 12 alerts share the client IP "192.0.2.1"`; err != nil || run.Cause == nil || run.Cause.Text != want {
		t.Errorf("got %v, %+v, want %s", err, run.Cause, want)
	}
}
