package esquery_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// newIndex makes an index on the real server and fills it; the documents' ids are
// their positions.
func newIndex(t *testing.T, mappings string, documents ...string) string {
	t.Helper()
	node, name := estest.ForTest(t), estest.Name("esquery-")
	node.CreateIndex(t, name, []byte(`{"mappings":`+mappings+`}`))
	var parsed []map[string]any
	for i, d := range documents {
		document := map[string]any{}
		if err := json.Unmarshal([]byte(d), &document); err != nil {
			t.Fatal(err)
		}
		document["_id"] = fmt.Sprint(i)
		parsed = append(parsed, document)
	}
	node.Index(t, name, parsed...)
	return name
}

func parse(t *testing.T, query string) kql.Query {
	t.Helper()
	q, err := kql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// open opens a source over an index, through a transport or the server's own.
func open(t *testing.T, through esapi.Transport, s query.Search) *esquery.Source {
	t.Helper()
	if through == nil {
		through = estest.ForTest(t)
	}
	source, err := esquery.Open(t.Context(), elastic.NewClient(through, elastic.Options{}), s)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

var (
	noon    = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	allTime = query.Range{From: noon.Add(-24 * time.Hour), To: noon.Add(24 * time.Hour)}
)

func eventsOf(t *testing.T, source *esquery.Source, candidates []esquery.Candidate) ([]*esquery.Event, error) {
	t.Helper()
	var all []*esquery.Event
	for events, err := range source.Events(t.Context(), candidates) {
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	return all, nil
}

func sourceOf(t *testing.T, e *esquery.Event) map[string]any {
	t.Helper()
	var source map[string]any
	if err := json.Unmarshal(e.Source, &source); err != nil {
		t.Fatalf("%s: %v", e.Source, err)
	}
	return source
}

// candidates lists all candidates' first terms, in the order they come.
func candidates(t *testing.T, source *esquery.Source) ([]esquery.Candidate, []string) {
	t.Helper()
	var all []esquery.Candidate
	var names []string
	for page, err := range source.Candidates(t.Context(), allTime) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Candidates {
			all, names = append(all, c), append(names, fmt.Sprint(c.Terms[0]))
		}
	}
	return all, names
}

// TestKQLMatches asks the real server which documents a query matches: each
// document has a pair of its own.
func TestKQLMatches(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"doc":{"type":"keyword"},"user":{"type":"keyword"},"note":{"type":"text"},
		"ip":{"type":"ip"},"bytes":{"type":"long"},"proxy":{"type":"boolean"},"labels":{"type":"flattened"},
		"grants":{"type":"nested","properties":{"role":{"type":"keyword"},"site":{"type":"keyword"}}}}}`,
		`{"@timestamp":"2026-03-10T11:00:00Z","doc":"a","user":"ada","note":"Proxy session opened","ip":"192.0.2.7","bytes":42,"proxy":true,"labels":{"env":"prod"},
			"grants":[{"role":"admin","site":"oslo"},{"role":"guest","site":"rome"}]}`,
		`{"@timestamp":"2026-03-10T11:00:00Z","doc":"b","user":["basil","S3 Browser 9"],"note":"session closed","ip":["198.51.100.1","2001:db8::1"],"bytes":7,"proxy":false}`,
		`{"@timestamp":"2026-03-10T13:00:00Z","doc":"c","user":"a?b","bytes":1000}`,
		`{"@timestamp":"2026-03-10T13:00:00Z","doc":"d","user":""}`,
		`{"@timestamp":"2026-03-10T13:00:00Z","doc":"e","user":"C:\\Windows\\x","labels":{"env":"dev"}}`)
	for text, want := range map[string]string{
		"":                                     "abcde",
		"*":                                    "abcde",
		"*:*":                                  "abcde",
		"user:ada":                             "a",
		"user:(ada or basil)":                  "ab",
		"not user:ada":                         "bcde",
		"user:* and not user:(ada or basil)":   "cde",
		"user:(* and not a*)":                  "bde",
		"user:S3 Bro*":                         "b",
		"user:*rowser*":                        "b",
		"user:a?b":                             "c",
		"user:a?*":                             "c",
		`user:""`:                              "d",
		`user:"C:\Windows\x"`:                  "e",
		`user:C\:\\Win*`:                       "e",
		"note:session":                         "ab",
		`note:"session opened"`:                "a",
		`note:"opened session"`:                "",
		"note:Open*":                           "a",
		"ip:192.0.2.0/24":                      "a",
		`ip:"2001:db8::/32"`:                   "b",
		"bytes:42":                             "a",
		"bytes >= 42":                          "ac",
		"bytes > 7 and bytes < 1000":           "a",
		"proxy:true":                           "a",
		"not proxy:true":                       "bcde",
		"labels.env:prod":                      "a",
		"us*:ada":                              "a",
		"nowhere:x":                            "",
		"not nowhere:x":                        "abcde",
		"@timestamp < \"2026-03-10T12:00:00\"": "ab",
		"@timestamp:2026-03-10T11\\:00\\:00Z":  "ab",
		"grants:{ role:admin and site:oslo }":  "a",
		"grants:{ role:admin and site:rome }":  "",
		"grants.ro*:admin":                     "a",
		"user:ada or proxy:false and bytes:7":  "ab",
	} {
		source := open(t, nil, query.Search{
			Indices: []string{index}, Query: parse(t, text), Fields: []string{"doc"}, Timestamp: "@timestamp",
		})
		if _, got := candidates(t, source); strings.Join(got, "") != want {
			t.Errorf("%s matches %v, want %s", text, got, want)
		}
	}
}

// TestFilters asks the real server which documents a rule's filters match.
func TestFilters(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"doc":{"type":"keyword"},"user":{"type":"keyword"},"note":{"type":"text"},
		"grants":{"type":"nested","properties":{"role":{"type":"keyword"}}}}}`,
		`{"@timestamp":"2026-03-10T11:00:00Z","doc":"a","user":"ada","note":"session opened","grants":[{"role":"admin"}]}`,
		`{"@timestamp":"2026-03-10T11:00:00Z","doc":"b","user":"basil","note":"opened session","grants":[{"role":"guest"}]}`,
		`{"@timestamp":"2026-03-10T11:00:00Z","doc":"c","user":"camille"}`)
	on := func(kind, field string, value any) map[string]any {
		return map[string]any{kind: map[string]any{field: value}}
	}
	admin := query.Filter{Query: on("match_phrase", "grants.role", "admin"), Field: "grants.role", Key: "grants.role"}
	notAdmin := admin
	notAdmin.Negate = true
	phrases := query.Filter{Query: map[string]any{"bool": map[string]any{"should": []any{admin.Query, on("match_phrase", "grants.role", "owner")}}}}
	phrases.Field = "grants.role"
	loads := query.Filter{Query: on("exists", "field", "doc"), Key: "grants.role"}
	ada := query.Filter{Query: on("term", "user", "ada")}
	notBasil := query.Filter{Query: on("match_phrase", "user", "basil"), Negate: true}
	for _, c := range []struct {
		name    string
		filters []query.Filter
		want    string
	}{
		{"none", nil, "abc"},
		{"a phrase", []query.Filter{{Query: on("match_phrase", "note", "session opened")}}, "a"},
		{"in a nested field", []query.Filter{admin}, "a"},
		{"not in a nested field", []query.Filter{notAdmin}, "bc"},
		{"exists in a nested field", []query.Filter{{Query: on("exists", "field", "grants.role"), Field: "grants.role", Key: "grants.role"}}, "ab"},
		{"phrases in a nested field, which another filter loads", []query.Filter{phrases, loads}, "a"},
		{"which none loads", []query.Filter{phrases}, ""},
		{"of no known field", []query.Filter{{Query: admin.Query}, loads}, ""},
		{"a member loads it", []query.Filter{phrases, {Any: true, Of: []query.Filter{loads}}}, "a"},
		{"every event", []query.Filter{{}}, "abc"},
		{"no event", []query.Filter{{Negate: true}}, ""},
		{"one of several, or every event", []query.Filter{{Of: []query.Filter{admin, {}}, Any: true}}, "abc"},
		{"several", []query.Filter{notBasil, ada}, "a"},
		{"one of several", []query.Filter{{Of: []query.Filter{admin, {Query: on("term", "user", "camille")}}, Any: true}}, "ac"},
		{"all of several, one negated", []query.Filter{{Of: []query.Filter{notBasil, {Query: on("exists", "field", "note")}}}}, "a"},
		{"joined and negated", []query.Filter{{Of: []query.Filter{ada, notBasil}, Any: true, Negate: true}}, "b"},
	} {
		source := open(t, nil, query.Search{Indices: []string{index}, Filters: c.filters, Fields: []string{"doc"}, Timestamp: "@timestamp"})
		if _, got := candidates(t, source); strings.Join(got, "") != c.want {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
	}
}
