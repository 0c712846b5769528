package job_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job/rule"
)

var conversions = flag.Int("conversions", 300, "how many random queries and filters are compared with Kibana's conversion; a quarter of them with -short")

// TestRandomConversions loads random rules, of KQL with nested groups and of
// filters, and compares the documents that match on the real server with those
// that match what Kibana makes of the same rule. A rule that fails in Kibana must
// be refused.
func TestRandomConversions(t *testing.T) {
	w := newWorld(t)
	w.conversionEvents()
	start := *seed
	if start == 0 {
		start = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", start)
	random := rand.New(rand.NewPCG(start, 0))
	n := *conversions
	if testing.Short() {
		n /= 4
	}
	counts := map[string]int{}
	for i := range n {
		query, filters := tree{kind: "is", field: wildLiteral("*"), value: wildLiteral("*")}, []dsl{}
		if i%2 == 0 {
			query = randomTree(random, "", 3)
		}
		for range random.IntN(3) {
			filters = append(filters, randomFilter(random, 2))
		}
		if i%2 == 1 && len(filters) == 0 {
			filters = append(filters, randomFilter(random, 2))
		}
		want, got := w.asKibana(query, filters), w.asNewterms(query, filters)
		switch {
		case want == got && want == "refused", want == "refused" && got == "refused as mapped":
			counts["refused by both"]++
		// The server does not look at a clause beside one that matches nothing.
		case got == "refused as mapped" && query.hasPlainGroup(""):
			counts["refused where the server does not look"]++
		case got == "" && want == "refused" && slices.ContainsFunc(filters, isEmpty):
			counts["nothing where the server looks"]++
		case want == got:
			counts["equal"]++
			if want != "" && strings.Count(want, " ") < 39 {
				counts["of these with some documents, not all"]++
			}
		default:
			text, _ := json.Marshal(filters)
			t.Errorf("%d: %s\nfilters %s\n   got %s\nKibana %s", i, query.kql(), text, got, want)
		}
	}
	t.Logf("%d conversions: %v", n, counts)
	if odd := counts["refused where the server does not look"] + counts["nothing where the server looks"]; odd > 3+n/50 {
		t.Errorf("too many of %d are something else: %v", n, counts)
	}
	if counts["equal"] < n/3 || counts["of these with some documents, not all"] < n/8 {
		t.Errorf("too few of %d say anything: %v", n, counts)
	}
}

// conversionEvents writes 40 documents of few values.
func (w *world) conversionEvents() {
	properties := map[string]any{}
	at := func(name string) map[string]any { // where the properties of an object stand
		inner := properties
		for parent, rest, ok := strings.Cut(name, "."); ok; parent, rest, ok = strings.Cut(rest, ".") {
			object, _ := inner[parent].(map[string]any)
			if object == nil {
				object = map[string]any{"properties": map[string]any{}}
				if parent != "obj" {
					object["type"] = "nested"
				}
				inner[parent] = object
			}
			inner = object["properties"].(map[string]any)
		}
		return inner
	}
	for name, f := range conversionFields() {
		at(name)[name[strings.LastIndexByte(name, '.')+1:]] = map[string]any{"type": f.kind}
	}
	w.create("events", map[string]any{"properties": properties})
	random := rand.New(rand.NewPCG(7, 7))
	word := func() any {
		return pickOne[any](random, "rome", "oslo", "S3 one", "S3", "one", "oslo rome", "x*y", "a-b", "7", "true", "2026-03-02", []string{"rome", "oslo"}, nil, nil)
	}
	values := func() map[string]any {
		return map[string]any{
			"k": word(), "t": word(), "n": pickOne[any](random, 5, 7, 8, nil), "b": pickOne[any](random, true, false, nil),
			"d": pickOne[any](random, "2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", nil),
		}
	}
	for i := range 40 {
		document := values()
		document["@timestamp"], document["user"], document["_id"] = "2026-03-10T12:00:00Z", "ada", fmt.Sprintf("%02d", i)
		document["ip"] = pickOne[any](random, "10.0.0.7", "10.0.0.1", "192.0.2.1", nil)
		document["obj"] = map[string]any{"k": word(), "n": pickOne[any](random, 5, 7, nil)}
		var objects []any
		for range random.IntN(3) {
			object := values()
			object["null"], object["deep"] = word(), []any{map[string]any{"k": word()}, map[string]any{"k": word()}}
			objects = append(objects, object)
		}
		document["nst"] = objects
		w.index(document)
	}
}

func (w *world) asKibana(query tree, filters []dsl) string {
	names := query.names()
	for _, f := range filters {
		names = append(names, loadedBy(f)...)
	}
	k := kibanaWith(names)
	converted, ok := k.convert(query, "")
	if !ok {
		return "refused"
	}
	joined := k.filters(filters)
	all := joined["bool"].(dsl)
	all["filter"] = append(all["filter"].([]dsl), converted)
	return w.matching(joined)
}

func (w *world) asNewterms(q tree, filters []dsl) string {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{
		"rule_id": "r", "name": "Rule", "type": "new_terms", "severity": "low", "risk_score": 21, "index": []string{w.prefix + "events"},
		"query": q.kql(), "filters": filters, "new_terms_fields": []string{"user"}, "history_window_start": "now-7d",
	})
	path := filepath.Join(w.t.TempDir(), "rule.json")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	rules, err := rule.Load(path)
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	source, err := esquery.Open(w.t.Context(), w.client, rules[0].Search)
	if _, ok := errors.AsType[*kql.FieldError](err); ok {
		return "refused as mapped"
	} else if err != nil {
		w.t.Fatal(err)
	}
	day := query.Range{From: time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)}
	for _, r := range source.Requests(day, day, []esquery.Candidate{{Terms: []any{"ada"}, First: day.From}}) {
		if r.Name == "candidates" {
			return w.matching(r.Body["query"].(map[string]any))
		}
	}
	w.t.Fatal("there is no request for candidates")
	return ""
}

// matching are the ids of the documents that match, or that the server refuses the
// query.
func (w *world) matching(query dsl) string {
	w.t.Helper()
	var answer struct {
		Hits struct {
			Hits []struct {
				ID string `json:"_id"`
			}
		}
	}
	body, err := json.Marshal(dsl{"query": query, "size": 100, "_source": false})
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := w.Request(w.t.Context(), "POST", "/"+w.prefix+"events/_search?allow_partial_search_results=false", body)
	if err != nil && strings.Contains(err.Error(), "400 Bad Request") {
		return "refused"
	}
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(text)).Decode(&answer)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, hit := range answer.Hits.Hits {
		ids = append(ids, hit.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}
