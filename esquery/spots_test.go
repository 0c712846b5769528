package esquery_test

import (
	"fmt"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// TestSpots finds the first and the last event of pairs in ranges, by the primary
// timestamp and the fallback, with other clauses too.
func TestSpots(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"ingested":{"type":"date"},"user":{"type":"keyword"},"host":{"type":"keyword"},"kind":{"type":"keyword"}}}`,
		`{"ingested":"2026-03-10T10:00:00Z","user":"ada","host":"h1","kind":"a"}`,
		`{"ingested":"2026-03-10T11:00:00Z","user":"ada","host":"h1","kind":"a"}`,
		`{"ingested":"2026-03-10T12:00:00Z","user":"ada","host":"h1","kind":"a"}`,
		`{"ingested":"2026-03-10T11:30:00Z","user":"ada","host":"h2","kind":"a"}`,
		`{"ingested":"2026-03-10T11:45:00Z","user":"ada","host":"h1","kind":"b"}`,
		`{"@timestamp":"2026-03-10T11:50:00Z","user":"bo","host":"h1","kind":"a"}`,
		`{"ingested":["2026-03-10T10:30:00Z","2026-03-10T13:00:00Z"],"user":"cy","host":"h1","kind":"a"}`,
		`{"ingested":"2026-03-10T11:10:00Z","user":"di","kind":"a"}`)
	q, err := kql.Parse("kind: a")
	if err != nil {
		t.Fatal(err)
	}
	source := open(t, nil, query.Search{Indices: []string{index}, Query: q, Fields: []string{"user", "host"}, Timestamp: "ingested", Fallback: "@timestamp"})
	at := func(text string) time.Time {
		moment, err := time.Parse("15:04:05.000", text)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 3, 10, moment.Hour(), moment.Minute(), moment.Second(), moment.Nanosecond(), time.UTC)
	}
	var spots []esquery.Spot
	cases := []struct {
		user, host string
		from, to   string
		also       query.DSL
		instead    query.DSL
		want       string
	}{
		{"ada", "h1", "10:00:00.000", "12:00:00.000", nil, nil, "10:00:00.000 11:00:00.000"},
		{"ada", "h1", "10:00:00.001", "12:00:00.001", nil, nil, "11:00:00.000 12:00:00.000"},
		{"ada", "h2", "10:00:00.000", "12:00:00.000", nil, nil, "11:30:00.000 11:30:00.000"},
		{"ada", "h1", "11:00:00.001", "12:00:00.000", nil, nil, "none"},
		{"ada", "h1", "11:00:00.001", "12:00:00.000", nil, query.DSL{"match_all": query.DSL{}}, "11:45:00.000 11:45:00.000"},
		{"ada", "h1", "10:00:00.000", "13:00:00.000", query.DSL{"term": query.DSL{"kind": "b"}}, nil, "none"},
		{"bo", "h1", "11:00:00.000", "12:00:00.000", nil, nil, "11:50:00.000 11:50:00.000"},
		{"cy", "h1", "10:00:00.000", "11:00:00.000", nil, nil, "10:30:00.000 10:59:59.999"}, // it has another time, after the spot
		{"bo", "h2", "10:00:00.000", "13:00:00.000", nil, nil, "none"},
	}
	for _, c := range cases {
		spots = append(spots, esquery.Spot{Terms: esquery.Pair{c.user, c.host}, In: query.Range{From: at(c.from), To: at(c.to)}, Also: c.also, Instead: c.instead})
	}
	for len(spots) < 250 { // more than one search has
		spots = append(spots, spots[len(spots)%len(cases)])
	}
	seen, err := source.Spots(t.Context(), spots)
	if err != nil || len(seen) != len(spots) {
		t.Fatal(len(seen), err)
	}
	for i, found := range seen {
		got := "none"
		if found.Any() {
			got = fmt.Sprint(found.First.Format("15:04:05.000"), " ", found.Last.Format("15:04:05.000"))
		}
		if want := cases[i%len(cases)].want; got != want {
			t.Errorf("spot %d, %+v: got %s, want %s", i, cases[i%len(cases)], got, want)
		}
	}
	if seen, err := source.Spots(t.Context(), nil); len(seen) > 0 || err != nil {
		t.Errorf("no spots: %v, %v", seen, err)
	}
}
