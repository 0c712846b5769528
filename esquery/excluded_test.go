package esquery_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"newterms/esquery/estest"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// TestCountsOfManyExclusions counts what each takes where there are so many networks
// that they are not asked for one by one, and what exceptions take besides.
func TestCountsOfManyExclusions(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"ip":{"type":"ip"}}}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"ada","ip":"10.0.0.1"}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"ada","ip":"10.0.0.1"}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"basil","ip":"10.0.0.77"}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"camille","ip":"10.0.2.1"}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"dana","ip":"2001:db8::7"}`,
		`{"@timestamp":"2026-03-10T12:00:00Z","user":"emil"}`,
		`{"@timestamp":"2026-03-01T12:00:00Z","user":"ada","ip":"10.0.0.1"}`,
	)
	want := map[string]int64{
		"ip: 10.0.0.1": 2, "ip: 10.0.0.9/24": 3, "ip: 10.0.0.0/8": 4, `ip: "::ffff:10.0.2.1"`: 1, "ip: (10.0.2.1 or 10.0.0.77)": 2, `ip: "2001:db8::/32"`: 1,
		"ip: 0.0.0.0/0": 4, "user: (dana or emil)": 2, "user: d*": 1, "ip: 203.0.113.7": 0,
	}
	search := query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", Query: parse(t, "*"), Exceptions: []query.Exception{
		{Name: "emil", Entries: []query.Entry{{Field: "user", Kind: "match", Values: []string{"emil"}}}},
		{Name: "no address", Entries: []query.Entry{{Field: "ip", Kind: "exists", Excluded: true}}},
		{Name: "ada and basil", Entries: []query.Entry{{Field: "user", Kind: "match_any", Values: []string{"ada", "basil"}}}},
	}}
	want["emil"], want["no address"], want["ada and basil"] = 1, 1, 3
	var few []kql.Query
	for text := range want {
		if q, err := kql.Parse(text); err == nil && len(q.Clauses()) > 0 && q.Clauses()[0].Field != "" {
			few = append(few, q)
		}
	}
	many := append([]kql.Query{}, few...)
	for i := range 120 {
		many = append(many, parse(t, fmt.Sprintf("ip: 198.51.100.%d", i)))
	}
	for name, exclude := range map[string][]kql.Query{"few": few, "many": many} {
		search.Exclude = exclude
		counts, of, err := inspect.CountExcluded(t.Context(), open(t, nil, search).Opened, allTime)
		if err != nil || of != 6 || len(counts) != len(exclude)+3 {
			t.Fatalf("%s: %d counts of %d, %v", name, len(counts), of, err)
		}
		for _, c := range counts {
			if c.Events != want[c.Name] {
				t.Errorf("%s: %s takes %d, want %d", name, c.Name, c.Events, want[c.Name])
			}
		}
	}
}

// cutShort tells of more values than a list has.
type cutShort struct{ *estest.Node }

func (c cutShort) Perform(r *http.Request) (*http.Response, error) {
	res, err := c.Node.Perform(r)
	if err != nil {
		return res, err
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(text, []byte(`"sum_other_doc_count":0`), []byte(`"sum_other_doc_count":3`))))
	return res, err
}

// TestMoreAddressesThanAreListed are not counted, rather than counted too low.
func TestMoreAddressesThanAreListed(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"ip":{"type":"ip"}}}`, `{"@timestamp":"2026-03-10T12:00:00Z","user":"ada","ip":"10.0.0.1"}`)
	search := query.Search{Indices: []string{index}, Fields: []string{"user"}, Timestamp: "@timestamp", Query: parse(t, "*")}
	for i := range 120 {
		search.Exclude = append(search.Exclude, parse(t, fmt.Sprintf("ip: 10.0.0.%d", i)))
	}
	_, _, err := inspect.CountExcluded(t.Context(), open(t, cutShort{estest.ForTest(t)}, search).Opened, allTime)
	if err == nil || !strings.Contains(err.Error(), "count what is excluded: ip has more than 10000 excluded addresses") {
		t.Errorf("got %v", err)
	}
}
