package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"testing"
	"time"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/explain"
	"newterms/job/rule"
	"newterms/job/rule/ruletest"
)

// A world is a prefix of index names on the real server, for one test.
type world struct {
	*estest.Node
	t      *testing.T
	prefix string
	client *elastic.Client
	store  *alerts.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, Node: estest.ForTest(t), prefix: estest.Name("t") + "-"}
	w.client = elastic.NewClient(w.Node, elastic.Options{Retry: elastic.DefaultRetry}) // a new data stream may not answer yet
	w.store = alerts.NewStore(w.client, w.alertsTarget(), w.runsTarget())
	if _, err := w.store.Setup(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	w.hurry()
	t.Cleanup(w.remove)
	return w
}

// hurry lets the targets answer before their data is on the disk. No test here
// takes the server down, and most of their time would go into waiting for it.
func (w *world) hurry() {
	w.t.Helper()
	for _, target := range []string{w.alertsTarget(), w.runsTarget()} {
		err := w.ChangeTemplate(w.t.Context(), target+"-index-template", func(template map[string]any) {
			settings := template["template"].(map[string]any)["settings"].(map[string]any)["index"].(map[string]any)
			settings["translog"] = map[string]any{"durability": "async"}
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// remove deletes the targets. The node of estest has no API to delete data
// streams, and so no template of theirs: they end with it.
func (w *world) remove() {
	for _, path := range []string{"/_data_stream/." + w.prefix + "*", "/_index_template/." + w.prefix + "*"} {
		if _, err := w.Request(context.Background(), "DELETE", path, nil); err != nil {
			w.t.Log(err)
		}
	}
}

func (w *world) alertsTarget() string { return "." + w.prefix + "alerts" }
func (w *world) runsTarget() string   { return "." + w.prefix + "runs" }

// create makes an index. Without mappings of its own strings are keywords,
// fields named ip are IP addresses, and both timestamps are dates.
func (w *world) create(index string, mappings any) {
	w.t.Helper()
	if mappings == nil {
		mappings = map[string]any{
			"dynamic_templates": []any{
				map[string]any{"ip": map[string]any{"match": "ip", "match_mapping_type": "string", "mapping": map[string]any{"type": "ip"}}},
				map[string]any{"text": map[string]any{"match_mapping_type": "string", "mapping": map[string]any{"type": "keyword"}}},
			},
			"properties": map[string]any{"@timestamp": map[string]any{"type": "date"}, "event.ingested": map[string]any{"type": "date"}},
		}
	}
	w.CreateIndex(w.t, w.prefix+index, map[string]any{"mappings": mappings, "settings": map[string]any{"number_of_replicas": 0}})
}

// index writes documents to the index that they name in _index, or to events.
func (w *world) index(documents ...map[string]any) {
	w.t.Helper()
	var expanded []map[string]any
	for _, d := range documents {
		e := map[string]any{}
		for name, value := range d {
			e[name] = expand(value)
		}
		e["_index"] = w.prefix + indexOf(d)
		expanded = append(expanded, e)
	}
	w.Index(w.t, "", expanded...)
}

func indexOf(document map[string]any) string {
	if index, ok := document["_index"].(string); ok {
		return index
	}
	return "events"
}

var series = regexp.MustCompile(`^(.*)\{(\d+)\.\.(\d+)\}$`)

// expand writes out host-{1..3} as a list.
func expand(value any) any {
	text, ok := value.(string)
	m := series.FindStringSubmatch(text)
	if !ok || m == nil {
		return value
	}
	first, _ := strconv.Atoi(m[2]) // digits by the pattern
	last, _ := strconv.Atoi(m[3])
	var list []string
	for i := first; i <= last; i++ {
		list = append(list, m[1]+strconv.Itoa(i))
	}
	return list
}

// rule loads a rule that has these parameters and reads this world's indices, with
// more files that it may need.
func (w *world) rule(parameters map[string]any, more ...string) rule.Rule {
	w.t.Helper()
	parameters = maps.Clone(parameters)
	indices, ok := parameters["index"].([]any)
	if !ok {
		indices = []any{"events"}
	}
	var prefixed []string
	for _, index := range indices {
		prefixed = append(prefixed, w.prefix+index.(string))
	}
	parameters["index"] = prefixed
	rules, err := rule.Load(append(more, ruletest.Write(w.t, parameters))...)
	if err != nil {
		w.t.Fatal(err)
	}
	return rules[0]
}

// job returns a job that collects its alerts, as users read them, into found.
func (w *world) job(r rule.Rule, found *[]map[string]any) *job.Job {
	return &job.Job{
		Rule: r, Version: "test", Store: w.store,
		Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) {
			return esquery.Open(ctx, w.client, s)
		},
		Emit: func(a alert.Alert) error {
			text, err := a.JSON()
			if err != nil {
				return err
			}
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			var document map[string]any
			*found = append(*found, nil)
			err = decoder.Decode(&document)
			(*found)[len(*found)-1] = document
			return err
		},
		Warn:  func(error) {},
		Usage: w.client.Usage,
		Now:   time.Now,
	}
}

// explainer returns one for a rule.
func (w *world) explainer(r rule.Rule) *explain.Explainer {
	return &explain.Explainer{
		Rule: r, Store: w.store, Warn: func(error) {}, Rerun: job.Window.String,
		Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) {
			return esquery.Open(ctx, w.client, s)
		},
	}
}

// answers are what an Explainer prints.
type answers struct {
	pair    func(explain.Pair) error
	nothing *explain.Nothing // nil if something matches
}

func (a *answers) Pair(p explain.Pair) error { return a.pair(p) }

func (a *answers) Found(explain.Found) error { return nil }

func (a *answers) Nothing(n explain.Nothing) error {
	a.nothing = &n
	return nil
}

func parseTime(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// found tells an alert in one line: its terms with their types, and its time.
func found(alert map[string]any) string {
	terms, err := json.Marshal(alert["kibana.alert.new_terms"])
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s first seen %s, %v events", terms, alert["newterms.first_seen"], alert["newterms.events"])
}
