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
	History, Window []map[string]any
	Runs            []struct {
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
			w.create(index, mappingsOrNil(c.Mappings))
		}
	}
	w.index(events...)
	r := w.rule(c.Rule)
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

// mappingsOrNil turns a nil map into no value at all.
func mappingsOrNil(mappings map[string]any) any {
	if mappings == nil {
		return nil
	}
	return mappings
}
