package job_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/alerts/novelty"
	"newterms/esquery/before"
	"newterms/esquery/elastic"
	"newterms/job"
)

// isContext reports whether a search is for contexts or for the oldest event.
func isContext(body []byte) bool {
	isOldest := bytes.HasPrefix(body, []byte(`{"aggs":{"time":{"min":`)) && !bytes.Contains(body, []byte(`"query"`))
	return bytes.Contains(body, []byte(`"users":{`)) || isOldest
}

// TestContext asks two questions for the alerts of a run, and none for a run without. A
// rerun says the same. An unknown actor's login is no attribute.
func TestContext(t *testing.T) {
	w := newWorld(t)
	requests := &refusing{next: w.Node, is: isContext}
	w.through(requests)
	w.sprayed()
	r := w.rule(pairRule())
	run := func(most int, dry bool) (found []map[string]any, all, asked int) {
		before := requests.n
		j := w.job(r, &found)
		j.MaxContexts, j.DryRun = most, dry
		made, err := j.Run(t.Context(), uuid.NewString(), noon(t))
		if err != nil {
			t.Fatal(err)
		}
		return found, made.Requests, requests.n - before
	}
	_, without, _ := run(0, true)
	dry, with, asked := run(1000, true)
	if asked != 2 || with != without+2 {
		t.Errorf("%d requests for contexts, %d in all and %d without", asked, with, without)
	}
	first, _, _ := run(1000, false)
	for i, a := range first {
		for key, value := range a {
			if strings.HasPrefix(key, "newterms.context") && fmt.Sprint(dry[i][key]) != fmt.Sprint(value) {
				t.Errorf("%s is %v, and was %v", key, value, dry[i][key])
			}
		}
	}
	if _, quiet, asked := run(1000, true); asked != 0 {
		t.Errorf("%d requests for contexts, %d in all, of a run without alerts", asked, quiet)
	}
	a := byActor(t, first, "unknown")
	for key, want := range map[string]string{
		"newterms.novelty": "3", "newterms.new_fields": "[okta.actor.id]", "newterms.context.young": "true", "newterms.context.history": "1",
		"newterms.context.text":            "actor: no event before; account known: 1 event with 1 other actor; client IP new to everyone; the source is only 1.0 days old",
		"newterms.context.new_to_everyone": "[client IP]", "newterms.context.user": "map[events:0]",
	} {
		if got := fmt.Sprint(a[key]); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if reason := fmt.Sprint(a["kibana.alert.reason"]); !strings.Contains(reason, "not seen in the 7 days before; client IP new to everyone; no event of this actor before. ") {
		t.Error(reason)
	}
	if a := byActor(t, first, "00u1"); fmt.Sprint(a["newterms.context.new_to_user"]) != "[client IP]" {
		t.Errorf("an address of another's: %v", a["newterms.context.attributes"])
	}
	found := w.Documents(t, w.alertsTarget(), map[string]any{"query": map[string]any{"range": map[string]any{"newterms.novelty": map[string]any{"gte": 3}}}})
	if len(found) == 0 {
		t.Error("no alert is found by its novelty")
	}
}

// TestContextFails writes the alerts all the same, says what they lack, and asks no more.
func TestContextFails(t *testing.T) {
	for cause, status := range map[string]int{"security_exception": 403, "too_many_buckets_exception": 400, "unavailable": 503} {
		t.Run(cause, func(t *testing.T) {
			w := newWorld(t)
			requests := &refusing{next: w.Node, is: isContext, status: status, cause: cause}
			w.through(requests)
			w.sprayed()
			var found []map[string]any
			var warned []string
			r := w.rule(pairRule())
			r.Search.PageSize = 2
			j := w.job(r, &found)
			j.MaxContexts = 1000
			j.Warn = func(err error) { warned = append(warned, err.Error()) }
			run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
			if err != nil || run.Counts.Written != 3 || requests.n != 1 {
				t.Fatal(run.Counts, requests.n, err)
			}
			if len(warned) != 1 || !strings.HasPrefix(warned[0], "alerts are written without their context: find the oldest event: ") {
				t.Errorf("warned %q", warned)
			}
			for _, a := range found {
				if missing, _ := a["newterms.context.missing"].(string); missing == "" || strings.Contains(missing, "\n") || a["newterms.novelty"] != nil {
					t.Errorf("%v", a)
				}
			}
		})
	}
}

// TestContextLimit leaves the alerts beyond the limit without, and counts them. To find a
// cause it asks only about what no context says: the second address.
func TestContextLimit(t *testing.T) {
	w := newWorld(t)
	w.create("events", nil)
	var documents []map[string]any
	for n := range 130 {
		documents = append(documents, map[string]any{
			"_id": fmt.Sprint(n), "okta.actor.id": fmt.Sprint("u", n), "cloud.account.id": "acc-1", "okta.client.ip": fmt.Sprint("192.0.2.", 1+n/65),
			"@timestamp": parseTime(t, "2026-03-10T12:00:00Z").Add(time.Duration(n) * time.Second).Format(time.RFC3339),
		})
	}
	w.index(documents...)
	for most, want := range map[int]struct {
		warned   string
		requests int
	}{
		0:   {"", 0},
		20:  {"110 alerts were written without context, because a run gets it for 20 (NEWTERMS_CONTEXT)", 3}, // the oldest event, the contexts, the cause
		120: {"10 alerts were written without context, because a run gets it for 120 (NEWTERMS_CONTEXT)", 2},
		130: {"", 2},
	} {
		var found []map[string]any
		var warned []string
		requests := &refusing{next: w.Node, is: isContext}
		w.through(requests)
		j := w.job(w.rule(pairRule()), &found)
		j.MaxContexts, j.DryRun = most, true
		j.Warn = func(err error) {
			if limit := new(job.ContextLimit); errors.As(err, &limit) {
				warned = append(warned, err.Error())
			}
		}
		if _, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
			t.Fatal(err)
		}
		with := 0
		for _, a := range found {
			if a["newterms.context.text"] != nil {
				with++
			}
		}
		if with != most || strings.Join(warned, "; ") != want.warned || requests.n != want.requests {
			t.Errorf("most %d: %d alerts have a context, %d requests, warned %q", most, with, requests.n, warned)
		}
	}
}

// TestContextOfIgnoredValue says nothing of a value that the mapping does not index:
// however often it was there, no search finds it.
func TestContextOfIgnoredValue(t *testing.T) {
	w := newWorld(t)
	keyword := map[string]any{"type": "keyword", "ignore_above": 10}
	w.create("events", map[string]any{"properties": map[string]any{
		"@timestamp": map[string]any{"type": "date"}, "okta.actor.id": keyword, "cloud.account.id": keyword, "okta.client.ip": keyword, "user_agent.name": keyword,
	}})
	for n, at := range []string{"2026-03-08T12:00:00Z", "2026-03-10T12:00:00Z"} {
		w.index(map[string]any{
			"_id": fmt.Sprint(n), "@timestamp": at, "okta.actor.id": fmt.Sprint("u", n), "cloud.account.id": "acc-1", "okta.client.ip": "192.0.2.1", "user_agent.name": "longer than ten",
		})
	}
	var found []map[string]any
	j := w.job(w.rule(pairRule()), &found)
	j.MaxContexts = 1000
	if _, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
		t.Fatal(err)
	}
	a := byActor(t, found, "u1")
	if text, want := fmt.Sprint(a["newterms.context.text"]), "client IP new to this actor; the source is only 2.0 days old"; !strings.HasSuffix(text, want) || strings.Contains(text, "user agent") {
		t.Errorf("got %s, want %s", text, want)
	}
}

// TestPatience has a clock that shows a minute for each question. After the first one the
// run asks no more, and says why. Where two of twelve alerts get a context, only what the
// others share lacks an answer.
func TestPatience(t *testing.T) {
	for alerts, want := range map[int]string{
		10: "", // the contexts say all
		12: "the run does not know which values that its alerts share were seen before: the questions of this run took more than 1 min",
		60: "alerts are written without their context: the questions of this run took more than 1 min",
	} {
		w := newWorld(t)
		w.create("events", nil)
		documents := []map[string]any{{"_id": "old", "okta.actor.id": "old", "cloud.account.id": "acc-1", "@timestamp": "2026-02-01T12:00:00Z"}}
		for n := range alerts {
			documents = append(documents, map[string]any{
				"_id": fmt.Sprint(n), "okta.actor.id": fmt.Sprint("u", n), "cloud.account.id": "acc-1", "okta.client.ip": fmt.Sprint("192.0.2.", min(n, 2)),
				"@timestamp": fmt.Sprintf("2026-03-10T12:00:%02dZ", n),
			})
		}
		w.index(documents...)
		var found []map[string]any
		var warned []string
		r := w.rule(pairRule())
		r.Search.PageSize = 50
		j := w.job(r, &found)
		if j.MaxContexts = 1000; alerts == 12 {
			j.MaxContexts = 2
		}
		var calls atomic.Int64
		j.Now = func() time.Time {
			return parseTime(t, "2026-03-10T13:00:00Z").Add(time.Duration(calls.Add(1)) * time.Minute)
		}
		j.Warn = func(err error) {
			switch err.(type) {
			case *job.Unanswered:
				warned = append(warned, err.Error())
			}
		}
		run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
		if err != nil || len(found) != alerts || run.Cause == nil || strings.Join(warned, "; ") != want {
			t.Errorf("%d alerts: %v, %d written, %+v, warned %q", alerts, err, len(found), run.Cause, warned)
		}
	}
}

// TestContextHangs answers the question for contexts never, or turns it away. The alerts
// wait ten seconds, or for one more attempt.
func TestContextHangs(t *testing.T) {
	for name, c := range map[string]struct {
		status, asked int
		want          string
	}{
		"hanging": {0, 1, ": it took more than 10 s"},
		"busy":    {429, 2, ": 429 busy: made up in two lines"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			requests := &refusing{next: w.Node, is: isContext, status: c.status, cause: "busy", hangs: c.status == 0}
			w.through(requests)
			w.client = elastic.NewClient(requests, elastic.Options{Retry: elastic.DefaultRetry})
			w.sprayed()
			var found []map[string]any
			var warned []string
			j := w.job(w.rule(pairRule()), &found)
			j.MaxContexts = 1000
			j.Warn = func(err error) { warned = append(warned, strings.Join(strings.Fields(err.Error()), " ")) }
			run, err := j.Run(t.Context(), uuid.NewString(), noon(t))
			if err != nil || run.Counts.Written != 3 || requests.n != c.asked {
				t.Fatal(run.Counts, requests.n, err)
			}
			if len(warned) != 1 || !strings.HasPrefix(warned[0], "alerts are written without their context: ") || !strings.HasSuffix(warned[0], c.want) {
				t.Errorf("warned %q", warned)
			}
		})
	}
}

// TestMaxOthers says "or more" for the number that stands for that many or more.
func TestMaxOthers(t *testing.T) {
	for others, isMore := range map[int]bool{before.MaxOthers - 1: false, before.MaxOthers: true} {
		c := novelty.Context{Terms: []novelty.Term{{Field: "a", Seen: novelty.Seen{Events: 1}, Others: others}, {Field: "b.c"}}}
		if text := c.Text(); strings.Contains(text, fmt.Sprintf(" %d other values or more", before.MaxOthers)) != isMore {
			t.Errorf("%d: %s", others, text)
		}
	}
}
