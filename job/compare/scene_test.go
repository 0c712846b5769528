package compare_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/kibana"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/compare"
	"newterms/job/rule"
	"newterms/job/rule/ruletest"
)

// A scene is a day of a rule that runs hourly in Kibana and four times a day here, by hand:
// a test takes away and adds what makes a difference. The history is two days; Kibana looks
// back 70 minutes.
type scene struct {
	name                            string
	events, theirs, log, ours, runs []map[string]any
	parameters                      map[string]any // of our rule, besides the usual ones
	exclude                         string
	exceptions                      []rule.Exception
	missingTerms                    bool
	rule                            rule.Rule
}

// clockAt is a time of the day of scenes, such as 10:20 or 10:20:00.123; -1d10:20 and
// -2d10:20 are before.
func clockAt(text string) time.Time {
	day := 10
	for n := 1; n <= 4; n++ {
		if prefix := fmt.Sprintf("-%dd", n); len(text) > len(prefix) && text[:len(prefix)] == prefix {
			day, text = day-n, text[len(prefix):]
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return time.Date(2026, 3, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		}
	}
	panic(text)
}

func inMillis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// event adds an event that arrives 5 seconds later, or at a given time.
func (s *scene) event(user, at string, arrived ...string) map[string]any {
	came := clockAt(at).Add(5 * time.Second)
	if len(arrived) > 0 {
		came = clockAt(arrived[0])
	}
	e := map[string]any{
		"_id": s.name + user + at, "@timestamp": inMillis(clockAt(at)), "event": map[string]any{"ingested": inMillis(came)}, "scene": s.name, "kind": "session",
		"user": user, "host": "h1",
	}
	s.events = append(s.events, e)
	return e
}

// kibana adds an alert of Kibana's for an event at a time, written by the run of an hour.
func (s *scene) kibana(user, at string, hour int) map[string]any {
	a := map[string]any{
		"_id": fmt.Sprint(s.name, "-k", len(s.theirs)), "kibana.alert.uuid": fmt.Sprint(s.name, "-k", len(s.theirs)), "@timestamp": inMillis(clockAt("0:00").Add(time.Duration(hour)*time.Hour + 3*time.Second)),
		"kibana.alert.new_terms": []string{user, "h1"}, "kibana.alert.original_time": inMillis(clockAt(at)), "kibana.alert.severity": "low", "kibana.space_ids": []string{"default"},
		"kibana.alert.rule.rule_id": s.name, "kibana.alert.rule.uuid": "so-" + s.name, "kibana.alert.rule.revision": 1, "kibana.alert.rule.interval": "1h",
		"kibana.alert.rule.execution.uuid": s.runID(hour), "kibana.alert.rule.execution.type": "scheduled", "kibana.alert.rule.parameters": s.theirParameters(),
	}
	s.theirs = append(s.theirs, a)
	return a
}

func (s *scene) theirParameters() map[string]any {
	return map[string]any{"query": s.query(), "new_terms_fields": []string{"user", "host"}, "history_window_start": "now-2d", "from": "now-70m", "max_signals": 3}
}

func (s *scene) query() string         { return "scene: " + s.name + " and kind: session" }
func (s *scene) runID(hour int) string { return fmt.Sprint(s.name, "-run-", hour) }

// newterms adds an alert of ours, written by the run that ends at an hour.
func (s *scene) newterms(user, at string, hour int) map[string]any {
	a := map[string]any{
		"@timestamp": inMillis(clockAt("0:00").Add(time.Duration(hour) * time.Hour)), "kibana.alert.uuid": s.name + "-n-" + user + at, "kibana.alert.new_terms": []any{user, "h1"},
		"kibana.alert.rule.rule_id": s.name, "kibana.alert.severity": "low", "newterms.first_seen": inMillis(clockAt(at)), "newterms.run.id": fmt.Sprint(s.name, "-ours-", hour),
		"newterms.fields": []string{"user", "host"},
	}
	s.ours = append(s.ours, a)
	return a
}

// logged adds a document of the event log about the run of an hour.
func (s *scene) logged(hour int, action string, more map[string]any) map[string]any {
	start := clockAt("0:00").Add(time.Duration(hour)*time.Hour + 10*time.Millisecond)
	d := map[string]any{
		"@timestamp": inMillis(start.Add(5 * time.Second)), "event.action": action, "event.start": inMillis(start), "rule.id": "so-" + s.name, "rule.name": s.name,
		"rule.category": "siem.newTermsRule", "kibana.alert.rule.revision": 1, "kibana.alert.rule.execution.uuid": s.runID(hour),
	}
	for name, value := range more {
		if d[name] = value; value == nil {
			delete(d, name)
		}
	}
	s.log = append(s.log, d)
	return d
}

// without takes the documents of some hours away from the log.
func (s *scene) without(hours ...int) {
	for _, hour := range hours {
		for i := len(s.log) - 1; i >= 0; i-- {
			if s.log[i]["kibana.alert.rule.execution.uuid"] == s.runID(hour) {
				s.log = append(s.log[:i], s.log[i+1:]...)
			}
		}
	}
}

// failed lets Kibana's run of an hour fail.
func (s *scene) failed(hour int, message string) {
	s.without(hour)
	s.logged(hour, "execute", map[string]any{"event.outcome": "failure", "error.message": message})
}

// ran adds the runs of an ordinary day: an hour is the end of a window.
func (s *scene) ran() {
	for hour := range 31 {
		s.logged(hour, "execute", map[string]any{"event.outcome": "success"})
		s.logged(hour, "status-change", map[string]any{"event.outcome": nil, "kibana.alert.rule.execution.status": "succeeded"})
	}
	for _, hour := range []int{0, 6, 12, 18, 24, 30} {
		s.run(hour, "success")
	}
}

// run sets the run of ours that ends at an hour.
func (s *scene) run(hour int, state string) map[string]any {
	end := clockAt("0:00").Add(time.Duration(hour) * time.Hour)
	d := map[string]any{
		"@timestamp": inMillis(end.Add(2 * time.Second)), "kibana.alert.rule.rule_id": s.name, "newterms.run.id": fmt.Sprint(s.name, "-ours-", hour), "newterms.run.state": state,
		"newterms.run.started": inMillis(end), "newterms.window.from": inMillis(end.Add(-6*time.Hour - 10*time.Minute)), "newterms.window.to": inMillis(end), "newterms.run.type": "scheduled",
	}
	s.noRun(hour)
	s.runs = append(s.runs, d)
	return d
}

func (s *scene) noRun(hour int) {
	for i, d := range s.runs {
		if d["newterms.run.id"] == fmt.Sprint(s.name, "-ours-", hour) {
			s.runs = append(s.runs[:i], s.runs[i+1:]...)
			return
		}
	}
}

// A stage has the documents of all scenes.
type stage struct {
	*estest.Node
	prefix string
	client *elastic.Client
}

// newStage writes the documents of scenes to indices whose texts are all keywords.
func newStage(t *testing.T, scenes []*scene) *stage {
	t.Helper()
	p := &stage{Node: estest.ForTest(t), prefix: estest.Name("scenes") + "-"}
	p.client = elastic.NewClient(p.Node, elastic.Options{})
	body := map[string]any{"mappings": map[string]any{
		"properties":        map[string]any{"kibana.alert.rule.parameters": map[string]any{"type": "flattened"}},
		"dynamic_templates": []map[string]any{{"texts": map[string]any{"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword"}}}},
	}}
	for _, name := range []string{"events", "theirs", "log", "ours", "runs"} {
		p.CreateIndex(t, p.prefix+name, body)
	}
	p.Index(t, p.prefix+"log", map[string]any{"@timestamp": inMillis(clockAt("-4d0:00")), "event.action": "execute", "rule.id": "another"})
	all := map[string][]map[string]any{}
	for _, s := range scenes {
		s.load(t, p)
		for name, documents := range map[string][]map[string]any{"events": s.events, "theirs": s.theirs, "log": s.log, "ours": s.ours, "runs": s.runs} {
			all[name] = append(all[name], documents...)
		}
	}
	for name, documents := range all {
		p.Index(t, p.prefix+name, documents...)
	}
	return p
}

// load makes the rule, and gives our alerts and runs its search unless they have another.
func (s *scene) load(t *testing.T, p *stage) {
	t.Helper()
	parameters := map[string]any{
		"rule_id": s.name, "name": s.name, "index": []string{p.prefix + "events"}, "query": s.query(), "new_terms_fields": []string{"user", "host"},
		"history_window_start": "now-2d", "from": "now-70m", "interval": "1h",
	}
	for name, value := range s.parameters {
		parameters[name] = value
	}
	rules, err := rule.Load(ruletest.Write(t, parameters))
	if err != nil {
		t.Fatal(err)
	}
	settings := rule.Settings{MissingTerms: s.missingTerms}
	if s.exclude != "" {
		q, err := kql.Parse(s.exclude)
		if err != nil {
			t.Fatal(err)
		}
		settings.Exclude = []kql.Query{q}
	}
	s.rule = rules[0]
	s.rule.Exceptions = s.exceptions
	if _, _, err := s.rule.Apply(settings, clockAt("0:00").Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, documents := range [][]map[string]any{s.ours, s.runs} {
		for _, d := range documents {
			r := s.rule
			at, _ := time.Parse(time.RFC3339, d["@timestamp"].(string))
			r.Search.Exceptions = nil
			for _, e := range s.exceptions {
				if !e.Created.After(at) && (e.Expires.IsZero() || e.Expires.After(at)) {
					r.Search.Exceptions = append(r.Search.Exceptions, e.Exception)
				}
			}
			hash, err := r.Search.Hash()
			if err != nil {
				t.Fatal(err)
			}
			if d["newterms.search"] == nil {
				d["newterms.search"] = hash
			}
		}
	}
}

// compareWithout returns the differences of a scene's day, with some of the indices missing.
func (p *stage) compareWithout(ctx context.Context, s *scene, missing string) ([]compare.Difference, compare.Report, error) {
	name := func(of string) string {
		if strings.Contains(missing, of) {
			return p.prefix + "missing"
		}
		return p.prefix + of
	}
	c := compare.Comparison{
		Rule: s.rule, Store: alerts.NewStore(p.client, name("ours"), name("runs")), Kibana: kibana.NewReader(p.client, name("theirs"), name("log")),
		Open: func(ctx context.Context, search query.Search) (*esquery.Source, error) {
			search.Indices = []string{name("events")}
			return esquery.Open(ctx, p.client, search)
		},
		Command: func(terms []any, w job.Window) string { return fmt.Sprint(terms, w) },
	}
	var all []compare.Difference
	report, err := c.Run(ctx, job.Window{From: clockAt("0:00"), To: clockAt("0:00").Add(24 * time.Hour)}, func(d compare.Difference) error {
		all = append(all, d)
		return nil
	})
	return all, report, err
}
