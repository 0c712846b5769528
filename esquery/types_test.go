package esquery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/query"
)

func mappingOf(types map[string]string) string {
	var properties []string
	for name, mapping := range types {
		properties = append(properties, fmt.Sprintf("%q:{%s}", name, mapping))
	}
	return `{"properties":{` + strings.Join(properties, ",") + `}}`
}

// TestTypeErrors maps the field f in two indices, a and b, and asks whether it
// can be a new-terms field, or date the events.
func TestTypeErrors(t *testing.T) {
	kind := func(name string) string { return fmt.Sprintf(`"type":%q`, name) }
	for _, c := range []struct {
		name, a, b string // "" maps nothing
		field      string // "" is f
		dates      bool
		want       string // A and B stand for the indices; "" is no error
	}{
		{"one type", kind("keyword"), kind("keyword"), "", false, ""},
		{"mapped in one index", kind("keyword"), "", "", false, ""},
		{"whole numbers", kind("long"), kind("integer"), "", false, ""},
		{"dates", kind("date"), kind("date_nanos"), "", false, ""},
		{"dates that date", kind("date"), kind("date_nanos"), "", true, ""},
		{"text", kind("text"), "", "", false, "the new-terms field f is of type text: events cannot be grouped by it"},
		{"text in one index", kind("keyword"), kind("text"), "", false, "is of type keyword in A, text in B: events cannot be grouped by it"},
		{"a number and text", kind("long"), kind("keyword"), "", false, "is of type keyword in B, long in A: values of these types cannot be compared, so known pairs would look new"},
		{"two kinds of numbers", kind("long"), kind("double"), "", false, "double in B, long in A: values"},
		{"floats", kind("float"), kind("double"), "", false, "double in B, float in A: values"},
		{"a boolean and text", kind("boolean"), kind("keyword"), "", false, "boolean in A, keyword in B: values"},
		{"a date and text", kind("date"), kind("keyword"), "", false, "date in A, keyword in B: values"},
		{"an address and text", kind("ip"), kind("keyword"), "", false, "ip in A, keyword in B: values"},
		{"no doc values", kind("keyword") + `,"doc_values":false`, "", "", false, "f is of type keyword: it has no doc values to group by"},
		{"no doc values in one index", kind("keyword"), kind("keyword") + `,"doc_values":false`, "", false, "it has no doc values to group by"},
		{"an _id", kind("keyword"), "", "_id", false, "the new-terms field _id is of type _id: events cannot be grouped by it"},
		{"inside a nested field", `"type":"nested","properties":{"g":{"type":"keyword"}}`, "", "f.g", false, "the new-terms field f.g is of type keyword: it is inside the nested field f"},
		{"a timestamp that is text in one index", kind("date"), kind("keyword"), "", true, "f, which dates the events, is of type date in A, keyword in B: events cannot be dated by it"},
		{"a timestamp that is a number", kind("long"), "", "", true, "is of type long: events cannot be dated by it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			indices := map[string]string{}
			for name, mapping := range map[string]string{"A": c.a, "B": c.b} {
				types := map[string]string{"@timestamp": kind("date"), "user": kind("keyword")}
				if mapping != "" {
					types["f"] = mapping
				}
				indices[name] = newIndex(t, mappingOf(types), `{"@timestamp":"2026-03-10T11:00:00Z","user":"ada"}`)
			}
			field := "f"
			if c.field != "" {
				field = c.field
			}
			s := query.Search{Indices: []string{indices["A"], indices["B"]}, Fields: []string{field}, Timestamp: "@timestamp"}
			if c.dates {
				s.Fields, s.Timestamp, s.Fallback = []string{"user"}, field, "@timestamp"
			}
			_, err := esquery.Open(t.Context(), elastic.NewClient(estest.ForTest(t), elastic.Options{}), s)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want := strings.NewReplacer("in A", "in "+indices["A"], "in B", "in "+indices["B"]).Replace(c.want)
			if mistyped := (*query.TypeError)(nil); !errors.As(err, &mistyped) || mistyped.Field != field || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

// TestUnavailableIndicesAreNamed closes an index and names one that is missing.
func TestUnavailableIndicesAreNamed(t *testing.T) {
	const mapping, document = `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`, `{"@timestamp":"2026-03-10T11:00:00Z","user":"ada"}`
	node, open, closed := estest.ForTest(t), newIndex(t, mapping, document), newIndex(t, mapping, document)
	node.Must(t, "POST", "/"+closed+"/_close", nil)
	missing := estest.Name("esquery-missing-")
	client := elastic.NewClient(node, elastic.Options{})
	for _, c := range []struct {
		indices []string
		want    []access.Unavailable
	}{
		{[]string{open}, nil},
		{[]string{open, "esquery-nothing-like-it-*"}, nil},
		{[]string{open, closed}, []access.Unavailable{{Index: closed, Why: "closed"}}},
		{[]string{open, closed[:len(closed)-1] + "*"}, []access.Unavailable{{Index: closed, Why: "closed"}}},
		{[]string{open, missing}, []access.Unavailable{{Index: missing, Why: "missing"}}},
	} {
		source, err := esquery.Open(t.Context(), client, query.Search{Indices: c.indices, Fields: []string{"user"}, Timestamp: "@timestamp"})
		if err != nil {
			t.Errorf("%v: %v", c.indices, err)
			continue
		}
		if got := source.Unavailable(); !slices.Equal(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.indices, got, c.want)
		}
	}
	_, err := esquery.Open(t.Context(), client, query.Search{Indices: []string{closed, missing}, Fields: []string{"user"}, Timestamp: "@timestamp"})
	want := fmt.Sprintf("no index matches %s, %s; %[1]s is closed", closed, missing)
	if nothing := (*access.NotFoundError)(nil); !errors.As(err, &nothing) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestEventsWithSeveralTimes puts times of one event on both sides of the edges.
func TestEventsWithSeveralTimes(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"}}}`,
		`{"@timestamp":["2026-03-01T00:00:00Z","2026-03-10T12:00:05Z","2026-03-20T00:00:00Z"],"user":"ada"}`,
		`{"@timestamp":["2026-03-10T12:00:03Z"],"user":"basil"}`,
		`{"@timestamp":["2026-03-01T00:00:00Z","2026-03-10T12:00:03Z","2026-03-10T12:00:07Z"],"user":["camille","ada"]}`)
	source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", PageSize: 2})
	window := query.Range{From: noon, To: noon.Add(6e9)}
	var all []esquery.Candidate
	for page, err := range source.Candidates(t.Context(), window) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Candidates...)
	}
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprint(c.Terms[0], c.First.Format(" 15:04:05")))
	}
	if want := []string{"ada 12:00:03", "basil 12:00:03", "camille 12:00:03"}; !slices.Equal(got, want) {
		t.Errorf("first seen: got %v, want %v", got, want)
	}
	seen, err := source.LastSeen(t.Context(), window, time.Hour, all)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"12:00:05", "12:00:03", "12:00:03"} {
		if got := seen[i].Format("15:04:05"); got != want {
			t.Errorf("%v was last seen %s, want %s", all[i].Terms, got, want)
		}
	}
	// ada's event of 12:00:05 sorts before the one of 12:00:03, because of its earliest time.
	first, err := eventsOf(t, source, append(all, esquery.Candidate{Terms: []any{"basil"}, First: noon.Add(5e9)}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"2", "1", "2", ""} {
		if first[i].ID != want {
			t.Errorf("candidate %d: got event %q %s, want %q", i, first[i].ID, first[i].Missing, want)
		}
	}
	if first[3].Missing != "it is gone since it was listed" {
		t.Errorf("got %q", first[3].Missing)
	}
}

// TestEventThatIsTooLarge fetches a small event beside one that no answer may
// hold.
func TestEventThatIsTooLarge(t *testing.T) {
	huge := strings.Repeat("x", 35<<20)
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"huge":{"type":"keyword","ignore_above":10}}}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"ada","huge":"`+huge+`"}`, `{"@timestamp":"2026-03-10T12:00:01Z","user":"basil","huge":"x"}`)
	source := open(t, nil, query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp"})
	all, _ := candidates(t, source)
	events, err := eventsOf(t, source, all)
	if err != nil || len(events) != 2 {
		t.Fatalf("got %d events, %v", len(events), err)
	}
	if e := events[0]; e.ID != "0" || e.Source != nil || e.Missing != "it is too large to fetch" {
		t.Errorf("got %q %q", e.ID, e.Missing)
	}
	if e := events[1]; e.ID != "1" || sourceOf(t, e)["huge"] != "x" || e.Missing != "" {
		t.Errorf("got %q %s %q", e.ID, e.Source, e.Missing)
	}
}
