package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/uuid"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/job"
	"newterms/job/rule"
)

// A world is a prefix of index names on the real server, for one test.
type world struct {
	t       *testing.T
	node    *estest.Node
	prefix  string
	indices []string // to delete
	store   *alerts.Store
	client  *esquery.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, node: estest.ForTest(t), prefix: "t" + uuid.NewString()[:8] + "-"}
	w.client = esquery.NewClient(w.node)
	w.store = alerts.NewStore(w.node, w.alertsTarget(), w.runsTarget())
	if _, err := w.store.Setup(t.Context()); err != nil {
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
		err := w.node.ChangeTemplate(w.t.Context(), target+"-index-template", func(template map[string]any) {
			settings := template["template"].(map[string]any)["settings"].(map[string]any)["index"].(map[string]any)
			settings["translog"] = map[string]any{"durability": "async"}
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// remove deletes what the test made. The node of estest has no API to delete
// data streams, and so no template of theirs: they end with it.
func (w *world) remove() {
	for _, index := range w.indices {
		if _, err := w.node.Request(context.Background(), "DELETE", "/"+index, nil); err != nil {
			w.t.Error(err)
		}
	}
	for _, path := range []string{"/_data_stream/." + w.prefix + "*", "/_index_template/." + w.prefix + "*"} {
		if _, err := w.node.Request(context.Background(), "DELETE", path, nil); err != nil {
			w.t.Log(err)
		}
	}
}

func (w *world) alertsTarget() string { return "." + w.prefix + "alerts" }
func (w *world) runsTarget() string   { return "." + w.prefix + "runs" }

func (w *world) request(method, path string, body any) []byte {
	w.t.Helper()
	answer, err := w.node.Request(w.t.Context(), method, path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

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
	w.indices = append(w.indices, w.prefix+index)
	w.request("PUT", "/"+w.prefix+index, map[string]any{
		"mappings": mappings, "settings": map[string]any{"number_of_replicas": 0},
	})
}

// index writes documents; each has an _id, and an _index if that is not the
// default.
func (w *world) index(documents ...map[string]any) {
	w.t.Helper()
	var bulk bytes.Buffer
	encoder := json.NewEncoder(&bulk)
	for _, d := range documents {
		source := map[string]any{}
		for name, value := range d {
			if name != "_id" && name != "_index" {
				source[name] = expand(value)
			}
		}
		action := map[string]any{"_id": d["_id"], "_index": w.prefix + indexOf(d)}
		for _, line := range []any{map[string]any{"index": action}, source} {
			if err := encoder.Encode(line); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	w.request("POST", "/_bulk?refresh=true", bulk.Bytes())
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

// rule loads a rule that has these parameters and reads this world's indices.
func (w *world) rule(parameters map[string]any) rule.Rule {
	w.t.Helper()
	table := map[string]any{
		"rule_id": "test-rule", "name": "Test rule", "type": "new_terms", "language": "kuery", "severity": "low", "risk_score": 21,
		"index": []string{w.prefix + "events"},
	}
	for name, value := range parameters {
		table[name] = value
	}
	if indices, ok := parameters["index"].([]any); ok {
		var prefixed []string
		for _, index := range indices {
			prefixed = append(prefixed, w.prefix+index.(string))
		}
		table["index"] = prefixed
	}
	table["new_terms"] = map[string]any{
		"field": "new_terms_fields", "value": table["new_terms_fields"],
		"history_window_start": []map[string]any{{"field": "history_window_start", "value": table["history_window_start"]}},
	}
	text, err := toml.Marshal(map[string]any{"rule": table})
	if err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "rule.toml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	rules, err := rule.Load(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return rules[0]
}

// search is what the job reads for a rule.
func search(r rule.Rule) esquery.Search {
	return esquery.Search{
		Indices: r.Indices, Query: r.Query, Filters: r.Filters, Fields: r.Fields, Timestamp: r.Timestamp, Fallback: r.Fallback,
	}
}

// job returns a job that collects its alerts, as users read them, into found.
func (w *world) job(r rule.Rule, s esquery.Search, found *[]map[string]any) *job.Job {
	return &job.Job{
		Rule: r, Version: "test", Store: w.store,
		Open: func(ctx context.Context) (job.Source, error) { return esquery.Open(ctx, w.client, s) },
		Emit: func(a alerts.Alert) error {
			text, err := json.Marshal(a)
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
		Spent: func() (int, time.Duration) { return 0, w.client.Took + w.store.Took },
		Now:   time.Now,
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
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
