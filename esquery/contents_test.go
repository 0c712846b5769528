package esquery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

const formsMapping = `"dynamic":false,"properties":{"time":{"type":"date"},"user":{"type":"keyword"},"login":{"type":"alias","path":"user"},"name":{"type":"keyword"}}}`

func send(t *testing.T, index, id string, f estest.Form) {
	t.Helper()
	estest.ForTest(t).Send(t, index, id, f)
}

func refresh(t *testing.T, index string) {
	t.Helper()
	estest.ForTest(t).Must(t, "POST", "/"+index+"/_refresh", nil)
}

// TestEventsInEachForm fetches events that were sent in each form that
// Elasticsearch takes, of indices that keep the source in each way, among plain
// ones. None keeps another from being fetched.
func TestEventsInEachForm(t *testing.T) {
	for mode, source := range map[string]string{
		"as it was sent": "", "synthetic": `,"settings":{"index.mapping.source.mode":"synthetic"}`, "in part": `"_source":{"excludes":["x"]},`,
	} {
		for _, crowd := range []int{0, 400} { // among which the others have to be located
			t.Run(fmt.Sprint(mode, crowd), func(t *testing.T) {
				var documents []string
				for n := range crowd {
					documents = append(documents, fmt.Sprintf(`{"time":%q,"user":"crowd","name":"%d"}`, noon.Format(time.RFC3339), n))
				}
				for n := range 30 {
					documents = append(documents, fmt.Sprintf(`{"time":%q,"user":"plain %02d","name":"plain"}`, noon.Format(time.RFC3339), n))
				}
				mappings := "{" + source + formsMapping
				if mode == "synthetic" { // a setting: 9.x does not heed the mapping
					mappings = "{" + formsMapping + source
				}
				index := newIndex(t, mappings, documents...)
				forms := map[string]estest.Form{}
				for n, f := range estest.Forms(nil) {
					user := fmt.Sprintf("u%03d", n)
					forms[user] = estest.InForm(f.Name, map[string]string{"time": noon.Format(time.RFC3339), "user": user, "name": "in a form"})
					send(t, index, user, forms[user])
				}
				refresh(t, index)
				requests := &watch{next: estest.ForTest(t)}
				s := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time", Wanted: []string{"login", "name"}})
				all, _ := candidates(t, s)
				requests.all = 0
				events, err := eventsOf(t, s, all)
				if err != nil || len(events) != len(all) {
					t.Fatal(len(events), err)
				}
				missing := 0
				for i, e := range events {
					user := all[i].Terms[0].(string)
					f := forms[user]
					if unreadable := f.Unreadable && source == ""; unreadable != strings.Contains(e.Missing, "Elasticsearch cannot read its source") || unreadable != (e.Missing != "") {
						t.Errorf("%s of %s: missing, because %q", user, f.Name, e.Missing)
					} else if unreadable {
						missing++
					} else if document := sourceOf(t, e); document["user"] != user || fmt.Sprint(e.Fields["login"]) != "["+user+"]" {
						t.Errorf("%s of %s: %s with %v", user, f.Name, e.Source, e.Fields)
					}
					if fmt.Sprint(e.Fields["user"]) != "["+user+"]" || len(e.Fields["time"]) != 1 || f.Name != "" && e.ID != user {
						t.Errorf("%s of %s: at %s with %v", user, f.Name, e.ID, e.Fields)
					}
				}
				t.Logf("%d requests for %d events, of which %d cannot be read", requests.all, len(all), missing)
				if requests.all > 60 || source != "" && requests.all > 4 {
					t.Error("these are too many requests")
				}
				requests.all = 0
				places, err := s.Places(t.Context(), all)
				if err != nil || requests.all > 3 {
					t.Fatal(requests.all, err)
				}
				for i, e := range places {
					if e.Missing != "" || e.Source != nil || e.ID != events[i].ID && all[i].Terms[0] != "crowd" {
						t.Errorf("%v: %q %q %s", all[i].Terms, e.ID, e.Missing, e.Source)
					}
				}
			})
		}
	}
}

// TestBrokenEventBesideAnother fetches the first event of pairs that have a later
// one, which cannot be read.
func TestBrokenEventBesideAnother(t *testing.T) {
	index := newIndex(t, "{"+formsMapping)
	for n := range 12 {
		document := map[string]string{"time": noon.Add(time.Duration(n) * time.Second).Format(time.RFC3339), "user": fmt.Sprint("u", n), "name": "first"}
		send(t, index, fmt.Sprint("first", n), estest.InForm("JSON", document))
		document["time"], document["name"] = strings.Replace(document["time"], "Z", ".500Z", 1), "later"
		send(t, index, fmt.Sprint("later", n), estest.InForm("YAML without its beginning", document))
	}
	refresh(t, index)
	requests := &watch{next: estest.ForTest(t)}
	s := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
	all, _ := candidates(t, s)
	requests.all = 0
	events, err := eventsOf(t, s, all)
	if err != nil || len(events) != 12 || requests.all > 3 {
		t.Fatal(len(events), requests.all, err)
	}
	for i, e := range events {
		if e.Missing != "" || sourceOf(t, e)["name"] != "first" {
			t.Errorf("%v: %q %s", all[i].Terms, e.Missing, e.Source)
		}
	}
}

// TestManyUnreadableEvents has nothing but events that cannot be read, which must
// take no more requests the more of them there are.
func TestManyUnreadableEvents(t *testing.T) {
	index := newIndex(t, "{"+formsMapping)
	const amount = 300
	for n := range amount {
		document := map[string]string{"time": noon.Add(time.Duration(n) * time.Second).Format(time.RFC3339), "user": fmt.Sprintf("u%03d", n)}
		send(t, index, fmt.Sprint(n), estest.InForm("UTF-16, big end first", document))
	}
	refresh(t, index)
	requests := &watch{next: estest.ForTest(t)}
	s := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
	all, _ := candidates(t, s)
	requests.all = 0
	events, err := eventsOf(t, s, all)
	if err != nil || len(events) != amount {
		t.Fatal(len(events), err)
	}
	for i, e := range events {
		if !strings.Contains(e.Missing, "Elasticsearch cannot read") || e.ID != fmt.Sprint(i) || len(e.Fields["user"]) != 1 {
			t.Errorf("%v: %q %q %v", all[i].Terms, e.ID, e.Missing, e.Fields)
		}
	}
	if t.Logf("%d requests", requests.all); requests.all > 700 {
		t.Error("these are too many")
	}
}

// TestSharedUnreadableEvent has two events that cannot be read, of a hundred pairs
// each.
func TestSharedUnreadableEvent(t *testing.T) {
	index := newIndex(t, "{"+formsMapping)
	for _, id := range []string{"a", "b"} {
		var users []string
		for n := range 100 {
			users = append(users, fmt.Sprintf(`"%s%d"`, id, n))
		}
		send(t, index, id, estest.Form{ContentType: "application/json", Body: []byte(fmt.Sprintf(`/**/{"time":%q,"user":[%s]}`, noon.Format(time.RFC3339), strings.Join(users, ",")))})
	}
	refresh(t, index)
	requests := &watch{next: estest.ForTest(t)}
	s := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
	all, _ := candidates(t, s)
	requests.all = 0
	events, err := eventsOf(t, s, all)
	if err != nil || len(events) != 200 {
		t.Fatal(len(events), err)
	}
	for i, e := range events {
		if e.Missing != esquery.Unreadable || e.ID != all[i].Terms[0].(string)[:1] {
			t.Errorf("%v: %s, missing because %q", all[i].Terms, e.ID, e.Missing)
		}
	}
	if requests.all > 120 { // 20 pages of 10 pairs, each of an event or two
		t.Errorf("%d requests", requests.all)
	}
}

// TestRawEvents fetches events that make an answer no JSON, and that Elasticsearch
// can read.
func TestRawEvents(t *testing.T) {
	index := newIndex(t, "{"+formsMapping)
	for n := range 40 {
		document := map[string]string{"time": noon.Format(time.RFC3339), "user": fmt.Sprintf("u%02d", n)}
		send(t, index, fmt.Sprint(n), estest.InForm([]string{"JSON", "JSON with a comment", "UTF-16, little end first"}[n%3], document))
	}
	refresh(t, index)
	requests := &watch{next: estest.ForTest(t)}
	s := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
	all, _ := candidates(t, s)
	requests.all = 0
	events, err := eventsOf(t, s, all)
	if err != nil || len(events) != 40 || requests.all > 4 {
		t.Fatal(len(events), requests.all, err)
	}
	for i, e := range events {
		if e.Missing != "" || sourceOf(t, e)["user"] != all[i].Terms[0] {
			t.Errorf("%v: %s, missing because %q", all[i].Terms, e.Source, e.Missing)
		}
	}
}
