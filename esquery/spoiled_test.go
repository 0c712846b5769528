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

	"newterms/esquery/estest"
	"newterms/esquery/query"
)

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
			s := open(t, way, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "time", Wanted: []string{"name", "login"}})
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
