package job_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/build"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"newterms/job"
)

// proxySessions indexes an event for each of these actors at 12:00, and an
// older one of somebody else if there is to be a history.
func (w *world) proxySessions(history bool, actors ...string) {
	w.t.Helper()
	w.create("events", nil)
	var documents []map[string]any
	for i, actor := range actors {
		documents = append(documents, map[string]any{
			"_id": fmt.Sprint(i), "@timestamp": "2026-03-10T12:00:00.000Z", "okta.actor.id": actor, "cloud.account.id": "acc-1",
		})
	}
	if history {
		documents = append(documents, map[string]any{
			"_id": "old", "@timestamp": "2026-03-09T12:00:00.000Z", "okta.actor.id": "old", "cloud.account.id": "acc-1",
		})
	}
	w.index(documents...)
}

func pairRule() map[string]any {
	return map[string]any{
		"query": "*", "history_window_start": "now-7d", "new_terms_fields": []string{"okta.actor.id", "cloud.account.id"},
	}
}

// noon is a window around the events of proxySessions.
func noon(t *testing.T) job.Window {
	return job.Window{From: parseTime(t, "2026-03-10T11:30:00Z"), To: parseTime(t, "2026-03-10T12:30:00Z")}
}

// runDocuments returns the run documents, sorted by their state.
func (w *world) runDocuments() []map[string]any {
	w.t.Helper()
	documents, err := w.node.Sources(w.t.Context(), w.runsTarget(), map[string]any{"size": 100})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(documents, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["newterms.run.state"]), fmt.Sprint(b["newterms.run.state"]))
	})
	return documents
}

func TestRunIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada", "basil")
	r := w.rule(pairRule())
	var found []map[string]any
	summary, err := w.job(r, search(r), &found).Run(t.Context(), uuid.NewString(), noon(t))
	if err != nil {
		t.Fatal(err)
	}
	if summary.Candidates != 2 || summary.New != 2 || summary.Written != 2 || summary.AlreadyAlerted != 0 {
		t.Errorf("got %+v", summary)
	}
	runs := w.runDocuments()
	if len(runs) != 2 || runs[0]["newterms.run.state"] != "started" || runs[1]["newterms.run.state"] != "success" {
		t.Fatalf("got %v", runs)
	}
	if runs[1]["newterms.written"] != 2.0 || runs[1]["newterms.run.id"] != found[0]["newterms.run.id"] {
		t.Errorf("got %v", runs[1])
	}
}

func TestFailedRunIsRecordedWithItsError(t *testing.T) {
	w := newWorld(t)
	r := w.rule(pairRule()) // and no index
	var found []map[string]any
	_, err := w.job(r, search(r), &found).Run(t.Context(), uuid.NewString(), noon(t))
	if err == nil || !strings.Contains(err.Error(), "no index matches "+w.prefix+"events") {
		t.Fatalf("got %v", err)
	}
	runs := w.runDocuments()
	if len(runs) != 2 || runs[0]["newterms.run.state"] != "failure" || runs[0]["error.message"] != err.Error() {
		t.Errorf("got %v", runs)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada")
	r := w.rule(pairRule())
	var found []map[string]any
	j := w.job(r, search(r), &found)
	j.DryRun = true
	for range 2 {
		if summary, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil || summary.Written != 1 {
			t.Fatal(summary, err)
		}
	}
	if len(found) != 2 || found[0]["_id"] != found[1]["_id"] {
		t.Errorf("got %v", found)
	}
	if _, err := w.node.Request(t.Context(), "GET", "/"+w.alertsTarget()+","+w.runsTarget(), nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a target exists: %v", err)
	}
}

func TestMaxAlertsWritesNothingOfThePart(t *testing.T) {
	w := newWorld(t)
	w.proxySessions(true, "ada", "basil", "camille")
	r := w.rule(pairRule())
	s := search(r)
	s.PageSize = 1
	var found []map[string]any
	j := w.job(r, s, &found)
	j.MaxAlerts = 2
	_, err := j.Run(t.Context(), uuid.NewString(), noon(t))
	var tooMany *job.MaxAlertsError
	if !errors.As(err, &tooMany) || tooMany.Max != 2 || len(found) != 0 {
		t.Errorf("got %d alerts, %v", len(found), err)
	}
	j.MaxAlerts = 3
	if summary, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil || summary.Written != 3 {
		t.Errorf("at the limit: got %+v, %v", summary, err)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name    string
		history bool
		event   map[string]any
		want    string // "" is no warning
	}{
		{"a source with a history", true, nil, ""},
		{"a young source", false, nil, "oldest_event=2026-03-10T12:00:00.000Z"},
		{"events that lack a term", true, map[string]any{"okta.actor.id": "basil"}, `events=1 lacking="cloud.account.id: 1"`},
		{"a value that does not fit", true, map[string]any{"okta.actor.id": "aaron", "cloud.account.id": "acc-1", "host": "web-1"}, "fields=host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.proxySessions(c.history, "ada")
			if c.event != nil {
				c.event["_id"], c.event["@timestamp"] = "x", "2026-03-10T12:01:00.000Z"
				w.index(c.event)
			}
			r := w.rule(pairRule())
			var found []map[string]any
			var log bytes.Buffer
			j := w.job(r, search(r), &found)
			j.Log = slog.New(slog.NewTextHandler(&log, nil))
			if _, err := j.Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
				t.Fatal(err)
			}
			if got := log.String(); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestImports holds the parts of the design apart: esquery and alerts import
// nothing of ours but their own packages, and job nothing of cmd.
func TestImports(t *testing.T) {
	allowed := map[string][]string{
		"../esquery":        {"newterms/esquery"},
		"../esquery/kql":    {},
		"../esquery/estest": {},
		"../alerts":         {},
		"../job":            {"newterms/esquery", "newterms/alerts", "newterms/job"},
		"../job/rule":       {"newterms/esquery", "newterms/alerts", "newterms/job"},
		"../job/datemath":   {},
	}
	for dir, prefixes := range allowed {
		p, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range p.Imports {
			ours := strings.HasPrefix(path, "newterms/")
			if ours && !slices.ContainsFunc(prefixes, func(prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") }) {
				t.Errorf("%s imports %s", dir, path)
			}
		}
	}
}
