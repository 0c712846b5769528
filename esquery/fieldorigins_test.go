package esquery_test

import (
	"fmt"
	"testing"

	"newterms/esquery/query"
)

// TestFieldsThatOnlySomeSourcesHave fetches events that have a wanted field in
// their _source, others that have it by copy_to, and others that have none, in
// each order: more than are asked for at first. At last a single one of all has it
// by copy_to, where others were known to have none.
func TestFieldsThatOnlySomeSourcesHave(t *testing.T) {
	kinds := map[byte]string{'s': `"name":"own"`, 'c': `"login":"copied"`, 'n': `"other":1`}
	for _, order := range []string{"scn", "snc", "csn", "cns", "nsc", "ncs", "rare"} {
		var documents []string
		kindOf := func(n int) byte {
			switch {
			case order != "rare":
				return order[n/220]
			case n == 300:
				return 'c'
			case n%7 == 5:
				return 'n'
			}
			return 's'
		}
		for n := range 3 * 220 {
			kind := kinds[kindOf(n)]
			documents = append(documents, fmt.Sprintf(`{"@timestamp":"2026-03-10T12:00:00Z","user":"u%03d",%s}`, n, kind))
		}
		index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"name":{"type":"keyword"},
			"login":{"type":"keyword","copy_to":"name"},"other":{"type":"long"}}}`, documents...)
		source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", Wanted: []string{"name"}})
		all, _ := candidates(t, source)
		events, err := eventsOf(t, source, all)
		if err != nil || len(events) != len(documents) {
			t.Fatal(len(events), err)
		}
		for n, e := range events {
			var ok bool
			switch kindOf(n) {
			case 's':
				ok = sourceOf(t, e)["name"] == "own"
			case 'c':
				ok = len(e.Fields["name"]) == 1 && e.Fields["name"][0] == "copied"
			case 'n':
				ok = sourceOf(t, e)["name"] == nil && e.Fields["name"] == nil
			}
			if !ok {
				t.Fatalf("%s: event %d has name %v in its source, and %v as mapped", order, n, sourceOf(t, e)["name"], e.Fields["name"])
			}
		}
	}
}
