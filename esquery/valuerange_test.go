package esquery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
)

// index makes an index with settings and fills it.
func index(t *testing.T, name, body string, documents ...string) {
	t.Helper()
	node := estest.ForTest(t)
	node.CreateIndex(t, name, []byte(body))
	for i, d := range documents {
		node.Must(t, "PUT", fmt.Sprintf("/%s/_doc/%d", name, i), []byte(d))
	}
	refresh(t, name)
}

// lines tells candidates with their history and their events.
func lines(t *testing.T, s *esquery.Source, window, history query.Range) []string {
	t.Helper()
	var all []esquery.Candidate
	for page, err := range s.Candidates(t.Context(), window) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Candidates...)
	}
	seen, err := s.LastSeen(t.Context(), history, time.Hour, all)
	if err != nil {
		t.Fatal(err)
	}
	events, err := eventsOf(t, s, all)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for i, c := range all {
		before := "never"
		if !seen[i].IsZero() {
			before = seen[i].Format(time.RFC3339)
		}
		told = append(told, fmt.Sprint(c.Terms, " ", before, " ", events[i].ID, events[i].Missing))
	}
	slices.Sort(told)
	return told
}

// TestNarrowerTypes has a field that is a long in one index and narrower in others,
// with values in the window and the history of each that the narrower ones cannot
// hold.
func TestNarrowerTypes(t *testing.T) {
	mapping := func(kind string) string {
		return `{"mappings":{"properties":{"time":{"type":"date"},"id":{"type":"` + kind + `"},"user":{"type":"keyword"}}}}`
	}
	at := func(hour int, id string) string {
		return fmt.Sprintf(`{"time":"2026-03-10T%02d:00:00Z","id":%s,"user":"u"}`, hour, id)
	}
	prefix := estest.Name("narrow-")
	index(t, prefix+"-long", mapping("long"), at(10, "7"), at(10, "2147483648"), at(12, "9223372036854775807"), at(12, "-2147483649"), at(12, "2147483648"), at(12, "5"), at(9, "-9223372036854775808"), at(12, "-9223372036854775808"))
	index(t, prefix+"-integer", mapping("integer"), at(10, "5"), at(12, "7"), at(12, "2147483647"), at(12, "-2147483648"), at(10, "2147483647"))
	index(t, prefix+"-byte", mapping("byte"), at(8, "7"), at(12, "1"))
	window := query.Range{From: noon, To: noon.Add(time.Hour)}
	history := query.Range{From: noon.Add(-12 * time.Hour), To: noon}
	for _, fields := range [][]string{{"id"}, {"user", "id"}} {
		s := open(t, nil, query.Search{Indices: []string{prefix + "*"}, Fields: fields, Timestamp: "time", PageSize: 3})
		got := strings.Join(lines(t, s, window, history), "\n")
		want := strings.ReplaceAll(`[-2147483648] never 3
[-2147483649] never 3
[-9223372036854775808] 2026-03-10T09:00:00Z 7
[1] never 1
[2147483647] 2026-03-10T10:00:00Z 2
[2147483648] 2026-03-10T10:00:00Z 4
[5] 2026-03-10T10:00:00Z 5
[7] 2026-03-10T10:00:00Z 1
[9223372036854775807] never 2`, "[", map[bool]string{true: "[u ", false: "["}[len(fields) > 1])
		if got != want {
			t.Errorf("%v: got\n%s\nwant\n%s", fields, got, want)
		}
		for _, value := range []any{"99999999999", "1e15", "2147483648", "7"} { // as people write them
			found := 0
			for page, err := range s.Narrow(query.Values{"id": {value}}).Candidates(t.Context(), window) {
				if err != nil {
					t.Fatal(value, err)
				}
				found += len(page.Candidates)
			}
			if want := map[any]int{"2147483648": 1, "7": 1}[value]; found != want {
				t.Errorf("%v: got %d pairs, want %d", value, found, want)
			}
		}
	}
	// Where all are narrow, nobody has such a value.
	s := open(t, nil, query.Search{Indices: []string{prefix + "-integer"}, Fields: []string{"id"}, Timestamp: "time"})
	for page, err := range s.Narrow(query.Values{"id": {"99999999999"}}).Candidates(t.Context(), window) {
		if err != nil || len(page.Candidates) > 0 {
			t.Errorf("got %v, %v", page.Candidates, err)
		}
	}
	s = open(t, nil, query.Search{Indices: []string{prefix + "-integer", prefix + "-byte"}, Fields: []string{"id"}, Timestamp: "time"})
	for page, err := range s.Narrow(query.Values{"id": {"99999999999", nil}}).Candidates(t.Context(), window) {
		if err != nil || len(page.Candidates) > 0 {
			t.Errorf("got %v, %v", page.Candidates, err)
		}
	}
}

// TestDatesBeyondNanoseconds asks for ranges that reach beyond what date_nanos
// holds: where all indices have it there is nothing beyond, where others have
// events there the range is refused.
func TestDatesBeyondNanoseconds(t *testing.T) {
	mapping := func(kind string) string {
		return `{"mappings":{"properties":{"time":{"type":"` + kind + `"},"user":{"type":"keyword"},"born":{"type":"` + kind + `"}}}}`
	}
	prefix := estest.Name("nanos-")
	index(t, prefix+"-nanos", mapping("date_nanos"), `{"time":"1970-01-01T00:00:00Z","user":"a"}`, `{"time":"1970-01-03T00:00:00.000000001Z","user":"b"}`,
		`{"time":"1970-01-03T00:00:00Z","user":"a"}`, `{"time":"2262-04-11T23:47:16.854775807Z","user":"c"}`, `{"time":"2026-03-10T12:00:00Z","born":"1990-01-01"}`)
	index(t, prefix+"-date", mapping("date"), `{"time":"1969-12-31T23:00:00Z","user":"a"}`, `{"time":"2026-03-10T12:00:00Z","born":"1955-02-03"}`,
		`{"time":"2026-03-10T10:00:00Z","born":"1955-02-03"}`, `{"time":"2026-03-10T12:00:00Z","born":"2300-01-01"}`, `{"time":"2026-03-10T11:00:00Z","born":"1990-01-01"}`)
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	nanos := query.Search{Indices: []string{prefix + "-nanos"}, Fields: []string{"user"}, Timestamp: "time"}
	for _, c := range []struct{ from, to, history, want string }{
		{"1970-01-02", "1970-01-10", "1969-12-20", "[a] 1970-01-01T00:00:00Z 2, [b] never 1"},
		{"1950-01-01", "1970-01-02", "1940-01-01", "[a] never 0"},
		{"1960-01-01", "1970-01-01", "1950-01-01", ""},
		{"2262-04-10", "2262-04-13", "2026-01-01", "[c] never 3"},
		{"2262-04-10", "9999-01-01", "2026-01-01", "[c] never 3"},
		{"2300-01-01", "2400-01-01", "2026-01-01", ""},
		{"0001-01-01", "9999-01-01", "0001-01-01", "[a] never 0, [b] never 1, [c] never 3"},
	} {
		s := open(t, nil, nanos)
		got := strings.Join(lines(t, s, query.Range{From: day(c.from), To: day(c.to)}, query.Range{From: day(c.history), To: day(c.from)}), ", ")
		if got != c.want {
			t.Errorf("[%s, %s): got %s, want %s", c.from, c.to, got, c.want)
		}
	}
	both := nanos
	both.Indices = []string{prefix + "-nanos", prefix + "-date"}
	for _, c := range [][2]string{{"1969-12-01", "1970-01-02"}, {"2262-04-01", "2262-04-12"}} {
		for _, err := range open(t, nil, both).Candidates(t.Context(), query.Range{From: day(c[0]), To: day(c[1])}) {
			var refused *query.TypeError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), "must lie between 1970-01-01 and 2262-04-11") || !strings.Contains(err.Error(), prefix+"-nanos") {
				t.Errorf("%v: got %v", c, err)
			}
		}
	}
	if _, err := inspect.Events(t.Context(), elastic.NewClient(estest.ForTest(t), elastic.Options{}), both, query.Range{From: day("1960-01-01"), To: day("1970-01-10")}); !errors.As(err, new(*query.TypeError)) {
		t.Errorf("inspected: %v", err)
	}
	// As new terms, dates beyond are pairs like others.
	terms := query.Search{Indices: []string{prefix + "-nanos", prefix + "-date"}, Fields: []string{"born"}, Timestamp: "time"}
	got := strings.Join(lines(t, open(t, nil, terms), query.Range{From: noon, To: noon.Add(time.Hour)}, query.Range{From: noon.Add(-6 * time.Hour), To: noon}), ", ")
	if want := "[-470534400000] 2026-03-10T10:00:00Z 1, [10413792000000] never 3, [631152000000] 2026-03-10T11:00:00Z 4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUnreadableEventInTightIndex has an event that cannot be read in an index that
// gives one hit at once. That is no reason to leave out others.
func TestUnreadableEventInTightIndex(t *testing.T) {
	name := estest.Name("tight-")
	var documents []string
	for n := range 160 {
		documents = append(documents, fmt.Sprintf(`{"time":"2026-03-10T12:%02d:%02dZ","user":"%03d"}`, n/60, n%60, n))
	}
	documents[77] = "/**/" + documents[77]
	index(t, name, `{"settings":{"index.max_result_window":1},"mappings":{"properties":{"time":{"type":"date"},"user":{"type":"keyword"}}}}`, documents...)
	s := open(t, nil, query.Search{Indices: []string{name}, Fields: []string{"user"}, Timestamp: "time"})
	all, _ := candidates(t, s)
	events, err := eventsOf(t, s, all)
	if err != nil || len(events) != 160 {
		t.Fatal(len(events), err)
	}
	for i, e := range events {
		if want := i == 77; want != (e.Missing != "") || want != (e.Missing == esquery.Unreadable) {
			t.Errorf("%v: missing because %q", all[i].Terms, e.Missing)
		}
	}
}

// TestTightIndices has indices that allow less than usual of what is asked for.
func TestTightIndices(t *testing.T) {
	for name, settings := range map[string]string{
		"usual":               `{}`,
		"few hits":            `{"index.max_result_window":15}`,
		"a single hit":        `{"index.max_result_window":1}`,
		"few inner hits":      `{"index.max_inner_result_window":3}`,
		"few doc values":      `{"index.max_docvalue_fields_search":1}`,
		"no doc values":       `{"index.max_docvalue_fields_search":0}`,
		"few terms":           `{"index.max_terms_count":4}`,
		"as little as can be": `{"index.max_result_window":1,"index.max_inner_result_window":1,"index.max_docvalue_fields_search":0,"index.max_terms_count":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			prefix := estest.Name("tight-")
			var documents []string
			for n := range 60 {
				documents = append(documents, fmt.Sprintf(`{"time":"2026-03-10T12:00:%02dZ","late":"2026-03-10T12:00:%02dZ","user":"u%02d"}`, n%30, n%30, n))
				documents = append(documents, fmt.Sprintf(`{"time":"2026-03-10T12:30:00Z","late":"2026-03-10T12:30:00Z","user":"u%02d"}`, n))
			}
			index(t, prefix, `{"settings":`+settings+`,"mappings":{"properties":{"time":{"type":"date"},"late":{"type":"date"},"user":{"type":"keyword"},"login":{"type":"alias","path":"user"}}}}`, documents...)
			requests := &watch{next: estest.ForTest(t)}
			search := query.Search{Indices: []string{prefix}, Fields: []string{"user"}, Timestamp: "late", Fallback: "time", Wanted: []string{"login"}}
			s := open(t, requests, search)
			all, _ := candidates(t, s)
			requests.all = 0
			events, err := eventsOf(t, s, all)
			if err != nil || len(events) != 60 {
				t.Fatal(len(events), err)
			}
			for i, e := range events {
				if want := fmt.Sprint(2 * i); e.ID != want || e.Missing != "" || fmt.Sprint(e.Fields["login"], e.Fields["user"]) != fmt.Sprintf("[u%02d] [u%02d]", i, i) {
					t.Errorf("%v: %s with %v, missing because %q", all[i].Terms, e.ID, e.Fields, e.Missing)
				}
			}
			most := map[string]int{"usual": 2, "few hits": 5, "a single hit": 11, "few inner hits": 2, "few doc values": 3, "no doc values": 3, "few terms": 60}[name]
			if t.Logf("%s: %d requests", name, requests.all); most > 0 && requests.all > most {
				t.Errorf("these are more than %d", most)
			}
			places, err := open(t, nil, search).Places(t.Context(), all)
			if err != nil || len(places) != 60 || places[7].ID != "14" {
				t.Errorf("%d places, %v", len(places), err)
			}
			seen, err := open(t, nil, search).LastSeen(t.Context(), allTime, time.Hour, all)
			if err != nil || len(seen) != 60 || seen[3].IsZero() {
				t.Errorf("%v, %v", seen, err)
			}
			h, err := inspect.Events(t.Context(), elastic.NewClient(estest.ForTest(t), elastic.Options{}), search, allTime)
			if err != nil || h.Matching != 120 || len(h.Lags) == 0 {
				t.Errorf("inspected %d events with %d lags, %v", h.Matching, len(h.Lags), err)
			}
		})
	}
}
