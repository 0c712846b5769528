package job_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"newterms/esquery/kql"
	"newterms/job"
)

// A testCase is a file of testdata/cases: events before and in a window, and
// the alerts that each run newly writes.
type testCase struct {
	Name            string
	Rule            map[string]any
	Mappings        map[string]any
	IndexMappings   map[string]map[string]any `json:"index_mappings"` // of indices that have others
	History, Window []map[string]any
	// Exceptions are the items of an exception list that the rule names, and
	// ValueLists the text files beside it.
	Exceptions []map[string]any
	ValueLists map[string]string `json:"value_lists"`
	Runs       []struct {
		From, To string
		Want     []struct {
			Terms     json.RawMessage
			FirstSeen string   `json:"first_seen"`
			Events    []string // any of which may be the alert's
			Count     int
		}
	}
}

func TestCases(t *testing.T) {
	files, err := filepath.Glob("../testdata/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases in ../testdata/cases", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		decoder.DisallowUnknownFields()
		var c testCase
		if err := decoder.Decode(&c); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), c.run)
	}
}

func (c testCase) run(t *testing.T) {
	w := newWorld(t)
	events := append(slices.Clone(c.History), c.Window...)
	created := map[string]bool{}
	for _, e := range events {
		if index := indexOf(e); !created[index] {
			created[index] = true
			mappings := c.Mappings
			if own, ok := c.IndexMappings[index]; ok {
				mappings = own
			}
			w.create(index, mappingsOrNil(mappings))
		}
	}
	w.index(events...)
	r := w.rule(c.Rule, c.exceptionFiles(t)...)
	r.Search.Exceptions, _ = r.ExceptionsAt(parseTime(t, c.Runs[0].To))
	r.Search.MissingTerms = c.Rule["missing_terms"] == "include"
	if exclude, ok := c.Rule["exclude"].(string); ok {
		q, err := kql.Parse(exclude)
		if err != nil {
			t.Fatal(err)
		}
		r.Search.Exclude = []kql.Query{q}
	}
	for _, run := range c.Runs {
		var alerts []map[string]any
		window := job.Window{From: parseTime(t, run.From), To: parseTime(t, run.To)}
		if _, err := w.job(r, &alerts).Run(t.Context(), uuid.NewString(), window); err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, a := range alerts {
			got = append(got, found(a))
		}
		for _, x := range run.Want {
			var terms bytes.Buffer
			if err := json.Compact(&terms, x.Terms); err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprintf("%s first seen %s, %d events", &terms, x.FirstSeen, x.Count)
			want = append(want, line)
			if i := slices.Index(got, line); i >= 0 {
				ancestor := alerts[i]["kibana.alert.ancestors"].([]any)[0].(map[string]any)
				if !slices.Contains(x.Events, ancestor["id"].(string)) {
					t.Errorf("%s: made from event %v, want one of %v", line, ancestor["id"], x.Events)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: run %s\n got %s\nwant %s", c.Name, window, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// exceptionFiles writes the list as an export, and has the rule name it.
func (c testCase) exceptionFiles(t *testing.T) []string {
	t.Helper()
	if len(c.Exceptions) == 0 {
		return nil
	}
	c.Rule["exceptions_list"] = []map[string]any{{"list_id": "case", "type": "detection", "namespace_type": "single"}}
	dir := t.TempDir()
	export := []map[string]any{{"list_id": "case", "name": "A case", "type": "detection"}}
	for i, item := range c.Exceptions {
		item["list_id"], item["item_id"], item["type"] = "case", fmt.Sprint(i), "simple"
		export = append(export, item)
	}
	var text bytes.Buffer
	for _, line := range export {
		if err := json.NewEncoder(&text).Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "exceptions.ndjson")
	files := map[string]string{path: text.String()}
	for name, text := range c.ValueLists {
		files[filepath.Join(dir, name)] = text
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{path}
}

// mappingsOrNil turns a nil map into no value at all.
func mappingsOrNil(mappings map[string]any) any {
	if mappings == nil {
		return nil
	}
	return mappings
}
