package esquery_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// A watch counts requests, and those that locate events by buckets.
type watch struct {
	next          esapi.Transport
	all, locating int
}

func (w *watch) Perform(r *http.Request) (*http.Response, error) {
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	w.all++
	if bytes.Contains(body, []byte("top_hits")) {
		w.locating++
	}
	return w.next.Perform(r)
}

// TestEventsAmongOthers fetches the first events of 120 users' pairs, each of one
// of two hosts, of which the same pairs have more, or the same users on the other
// host.
func TestEventsAmongOthers(t *testing.T) {
	const users = 120
	for name, c := range map[string]struct {
		later, elsewhere int // events of each user
		maxRequests      int
	}{
		"one each":               {0, 0, 2},
		"a second one each":      {1, 0, 2},
		"many of the same pairs": {9, 0, 2},
		"many of others":         {0, 9, 3}, // the second is full, and what it lacks is asked for exactly
		"many of both":           {9, 9, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var documents []string
			for n := range users {
				add := func(id string, at int, host int) {
					documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,"user":"u%03d","host":"h%d","name":%q}`,
						noon.Add(time.Duration(at)*time.Millisecond).Format(time.RFC3339Nano), n, host, id))
				}
				add("first", n*1000, n%2)
				for i := range c.later {
					add("later", n*1000+7+i, n%2)
				}
				for i := range c.elsewhere {
					add("elsewhere", i*users*100+3, 1-n%2)
				}
			}
			index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"host":{"type":"keyword"},"name":{"type":"keyword"}}}`, documents...)
			requests := &watch{next: estest.ForTest(t)}
			source := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user", "host"}, Timestamp: "@timestamp", Wanted: []string{"name"}})
			all, _ := candidates(t, source)
			wanted := slices.DeleteFunc(all, func(c esquery.Candidate) bool {
				var n int
				_, err := fmt.Sscanf(fmt.Sprint(c.Terms...), "u%dh%d", &n, new(int))
				return err != nil || c.Terms[1] != fmt.Sprintf("h%d", n%2)
			})
			slices.SortFunc(wanted, func(a, b esquery.Candidate) int { return a.First.Compare(b.First) })
			requests.all = 0
			events, err := eventsOf(t, source, wanted)
			if err != nil || len(events) != users {
				t.Fatal(len(events), err)
			}
			for i, e := range events {
				if source := sourceOf(t, e); source["name"] != "first" || source["user"] != wanted[i].Terms[0] {
					t.Errorf("the event of %v is %v", wanted[i].Terms, source)
				}
			}
			if requests.all > c.maxRequests || requests.locating > 0 {
				t.Errorf("%d requests, at most %d were expected; %d located events", requests.all, c.maxRequests, requests.locating)
			}
		})
	}
}

// TestPairsOfOneEvent has events of several pairs, of which one term is a date
// that the source has by another name; with a crowd at the same time they have to
// be located.
func TestPairsOfOneEvent(t *testing.T) {
	for _, crowd := range []int{0, 400} {
		var documents []string
		for range crowd {
			documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,"user":"a00","joined":"2026-03-02"}`, noon.Format(time.RFC3339)))
		}
		for n := range 30 {
			documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,"user":["a%02d","b%02d"],"joined":"2026-03-%02d"}`, noon.Format(time.RFC3339), n, n, 1+n%28))
		}
		index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"joined":{"type":"date"},"day":{"type":"alias","path":"joined"}}}`, documents...)
		requests := &watch{next: estest.ForTest(t)}
		source := open(t, requests, query.Search{Indices: []string{index}, Fields: []string{"user", "day"}, Timestamp: "@timestamp", Wanted: []string{"day"}})
		all, _ := candidates(t, source)
		all = slices.DeleteFunc(all, func(c esquery.Candidate) bool { return c.Events > 1 }) // the crowd's
		events, err := eventsOf(t, source, all)
		if err != nil || len(events) != 60 {
			t.Fatal(len(events), err)
		}
		for i, e := range events {
			joined := sourceOf(t, e)["joined"].(string) + "T00:00:00.000Z"
			if got := e.Fields["day"]; len(got) != 1 || got[0] != joined || !strings.Contains(string(e.Source), all[i].Terms[0].(string)) {
				t.Errorf("%v: %s with %v", all[i].Terms, e.Source, e.Fields)
			}
		}
		if crowd == 0 != (requests.locating == 0) {
			t.Errorf("with a crowd of %d, %d requests located events", crowd, requests.locating)
		}
	}
}
