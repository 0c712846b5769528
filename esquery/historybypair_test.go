package esquery_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// grouping counts the lists of users in the last request.
type grouping struct {
	*estest.Node
	lists int
}

func (g *grouping) Perform(r *http.Request) (*http.Response, error) {
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	g.lists = bytes.Count(body, []byte(`{"terms":{"user":`))
	return g.Node.Perform(r)
}

// TestHistoryByPair asks for pairs of values that have many other events with each other:
// as far as that fits in one list of users for each of the other values. Some values are
// absent, and some events have several.
func TestHistoryByPair(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	to := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	names := []string{"user", "account", "ip"}
	valueOf := func(field string, of int) any {
		if n := random.IntN(of + 1); n < of {
			return fmt.Sprint(field, n)
		}
		return nil
	}
	type sighting struct {
		values [3][]any
		at     time.Time
	}
	var documents []string
	var events []sighting
	for i := range 3_000 {
		e := sighting{at: to.Add(-time.Duration(i+1) * time.Minute)}
		document := map[string]any{"@timestamp": e.at}
		for n, of := range []int{40, 6, 30} {
			e.values[n] = []any{valueOf(names[n], of)}
			if e.values[n][0] != nil && random.IntN(10) == 0 {
				e.values[n] = []any{e.values[n][0], fmt.Sprint(names[n], random.IntN(of))}
			}
			if e.values[n][0] != nil {
				document[names[n]] = e.values[n]
			}
		}
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		documents, events = append(documents, string(text)), append(events, e)
	}
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"account":{"type":"keyword"},"ip":{"type":"keyword"}}}`, documents...)
	history := query.Range{From: to.Add(-7 * 24 * time.Hour), To: to}
	for _, c := range []struct {
		fields, pairs int
		byPair        bool
	}{{1, 30, false}, {2, 1, false}, {2, 12, true}, {2, 90, true}, {2, 500, false}, {3, 40, true}, {3, 150, false}} {
		transport := &grouping{Node: estest.ForTest(t)}
		source := open(t, transport, query.Search{
			Indices: []string{index}, Fields: names[:c.fields], Timestamp: "@timestamp", MissingTerms: true,
		})
		var asked []esquery.Candidate
		keys := map[string]bool{}
		for range c.pairs {
			pair := esquery.Pair{valueOf("user", 40), valueOf("account", 6), valueOf("ip", 30)}[:c.fields]
			if !keys[pair.Key()] {
				keys[pair.Key()] = true
				asked = append(asked, esquery.Candidate{Terms: pair})
			}
		}
		seen, err := source.LastSeen(t.Context(), history, time.Hour, asked)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range asked {
			want := time.Time{}
			for _, e := range slices.Backward(events) {
				has := true
				for n, term := range a.Terms {
					has = has && slices.Contains(e.values[n], term)
				}
				if has {
					want = e.at
				}
			}
			if !seen[i].Equal(want) {
				t.Errorf("%d fields: %v was last seen %s, want %s", c.fields, a.Terms, seen[i], want)
			}
		}
		if byPair := transport.lists > 1; byPair != c.byPair {
			t.Errorf("%d fields: %d lists of users for %d pairs", c.fields, transport.lists, len(asked))
		}
	}
}
