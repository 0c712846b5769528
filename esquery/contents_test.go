package esquery_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery"
	"newterms/esquery/estest"
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
	for mode, source := range map[string]string{"as it was sent": "", "synthetic": `"_source":{"mode":"synthetic"},`, "in part": `"_source":{"excludes":["x"]},`} {
		for _, crowd := range []int{0, 400} { // among which the others have to be located
			t.Run(fmt.Sprint(mode, crowd), func(t *testing.T) {
				var documents []string
				for n := range crowd {
					documents = append(documents, fmt.Sprintf(`{"time":%q,"user":"crowd","name":"%d"}`, noon.Format(time.RFC3339), n))
				}
				for n := range 30 {
					documents = append(documents, fmt.Sprintf(`{"time":%q,"user":"plain %02d","name":"plain"}`, noon.Format(time.RFC3339), n))
				}
				index := newIndex(t, "{"+source+formsMapping, documents...)
				forms := map[string]estest.Form{}
				for n, f := range estest.Forms(nil) {
					user := fmt.Sprintf("u%03d", n)
					forms[user] = estest.InForm(f.Name, map[string]string{"time": noon.Format(time.RFC3339), "user": user, "name": "in a form"})
					send(t, index, user, forms[user])
				}
				refresh(t, index)
				requests := &watch{next: estest.ForTest(t)}
				s := open(t, requests, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time", Wanted: []string{"login", "name"}})
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
	s := open(t, requests, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
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
	s := open(t, requests, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
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
	s := open(t, requests, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
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
	s := open(t, requests, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time"})
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

// A spoiler answers some searches in the server's place.
type spoiler struct {
	next   esapi.Transport
	answer func(asks asking) string // "" for those that pass
	all    int                      // requests since the first one that did not pass
}

// asking is what a search for events asks for.
type asking struct{ events, sources, fields, byPlace bool }

func (s *spoiler) Perform(r *http.Request) (*http.Response, error) {
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	asks := asking{events: bytes.Contains(body, []byte("docvalue_fields"))}
	asks.sources = asks.events && !bytes.Contains(body, []byte(`"_source":false`))
	asks.fields = asks.sources && !bytes.Contains(body, []byte(`"fields":[]`))
	asks.byPlace = asks.events && bytes.Contains(body, []byte(`"_id"`))
	answer := s.answer(asks)
	if answer != "" || s.all > 0 {
		s.all++
	}
	res, err := s.next.Perform(r)
	if err != nil || answer == "" {
		return res, err
	}
	res.Body.Close()
	if res.StatusCode = 200; answer == shardFailed {
		res.StatusCode = 500
	}
	res.Body = io.NopCloser(strings.NewReader(answer))
	return res, nil
}

const (
	spoiled     = `{"took":1,"hits":{`
	shardFailed = `{"error":{"type":"search_phase_execution_exception","reason":"","phase":"fetch","failed_shards":[{"shard":0,"index":"i","reason":{"type":"made_up_exception","reason":"made up"}}]},"status":500}`
	inPart      = `{"took":1,"_shards":{"total":2,"failed":1},"hits":{"hits":[]}}`
	noHits      = `{"took":1,"_shards":{"total":2,"failed":0},"hits":{"hits":[]}}`
)

// TestBrokenWay spoils answers between Elasticsearch and newterms: of all that ask
// for events, of those that ask for their sources, and of those that ask for fields.
func TestBrokenWay(t *testing.T) {
	var documents []string
	for n := range 60 {
		documents = append(documents, fmt.Sprintf(`{"time":%q,"user":"u%02d","name":"x"}`, noon.Format(time.RFC3339), n))
	}
	index := newIndex(t, "{"+formsMapping, documents...)
	when := func(condition bool, answer string) string {
		if condition {
			return answer
		}
		return ""
	}
	for name, c := range map[string]struct {
		answer      func(asks asking) string
		fails       bool
		missing     string // why each event is; "" if it is there
		maxRequests int
	}{
		"each answer is spoiled":              {func(a asking) string { return when(a.events, spoiled) }, true, "", 2},
		"each answer with sources is spoiled": {func(a asking) string { return when(a.sources, spoiled) }, true, "", 2},
		"each answer is that a shard failed":  {func(a asking) string { return when(a.events, shardFailed) }, true, "", 2},
		"each answer is in part":              {func(a asking) string { return when(a.events, inPart) }, true, "", 2},
		"the sources are spoiled at last": {func(a asking) string {
			return when(a.byPlace && a.sources, spoiled) + when(a.sources && !a.byPlace, shardFailed)
		}, true, "", 3},
		"nothing answers by place": {func(a asking) string { return when(a.sources || a.byPlace, shardFailed) }, true, "", 200},
		"sources make shards fail": {func(a asking) string { return when(a.sources, shardFailed) }, false, "cannot read", 500},
		"sources are in part":      {func(a asking) string { return when(a.sources && !a.byPlace, inPart) }, false, "", 500},
		"fields make shards fail":  {func(a asking) string { return when(a.fields, shardFailed) }, false, "", 500},
		"the events are gone": {func(a asking) string {
			return when(a.byPlace, noHits) + when(a.sources && !a.byPlace, shardFailed)
		}, false, "gone", 20},
	} {
		t.Run(name, func(t *testing.T) {
			way := &spoiler{next: estest.ForTest(t), answer: func(asking) string { return "" }}
			s := open(t, way, esquery.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time", Wanted: []string{"name", "login"}})
			all, _ := candidates(t, s)
			way.answer = c.answer
			events, err := eventsOf(t, s, all)
			if c.fails != (err != nil) || !c.fails && len(events) != len(all) {
				t.Fatalf("got %d events, %v", len(events), err)
			}
			if t.Logf("%d requests: %v", way.all, err); way.all > c.maxRequests {
				t.Error("these are too many")
			}
			for i, e := range events {
				switch {
				case c.missing == "" && (e.Missing != "" || sourceOf(t, e)["name"] != "x"), c.missing != "" && !strings.Contains(e.Missing, c.missing):
					t.Errorf("%v: %s, missing because %q", all[i].Terms, e.Source, e.Missing)
				case (name == "fields make shards fail") != strings.Contains(e.Lacks, "its mapping"):
					t.Errorf("%v lacks %q", all[i].Terms, e.Lacks)
				}
			}
		})
	}
}
