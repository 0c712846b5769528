package esquery_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

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
		"many of others":         {0, 9, 4}, // the second is full, and what it lacks is asked for exactly
		"many of both":           {9, 9, 4},
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
			client := elastic.NewClient(estest.ForTest(t), elastic.Options{})
			source, err := esquery.Open(t.Context(), client, esquery.Search{
				Indices: []string{index}, Fields: []string{"user", "host"}, Timestamp: "@timestamp", Wanted: []string{"name"},
			})
			if err != nil {
				t.Fatal(err)
			}
			all, _ := candidates(t, source)
			wanted := slices.DeleteFunc(all, func(c esquery.Candidate) bool {
				var n int
				_, err := fmt.Sscanf(fmt.Sprint(c.Terms...), "u%dh%d", &n, new(int))
				return err != nil || c.Terms[1] != fmt.Sprintf("h%d", n%2)
			})
			slices.SortFunc(wanted, func(a, b esquery.Candidate) int { return a.First.Compare(b.First) })
			before, _ := client.Spent()
			events, err := eventsOf(t, source, wanted)
			if err != nil || len(events) != users {
				t.Fatal(len(events), err)
			}
			for i, e := range events {
				if source := sourceOf(t, e); source["name"] != "first" || source["user"] != wanted[i].Terms[0] {
					t.Errorf("the event of %v is %v", wanted[i].Terms, source)
				}
			}
			if requests, _ := client.Spent(); requests-before > c.maxRequests {
				t.Errorf("%d requests, at most %d were expected", requests-before, c.maxRequests)
			}
		})
	}
}
