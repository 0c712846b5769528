package esquery_test

import (
	"strings"
	"testing"

	"newterms/esquery/estest"
	"newterms/esquery/query"
)

// TestUnmapped names what a search asks for that no index has.
func TestUnmapped(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"event":{"properties":{"kind":{"type":"keyword"}}},
		"n":{"type":"nested","properties":{"a":{"type":"keyword"}}},"labels":{"properties":{"flat":{"type":"flattened"}}}}}`)
	for _, c := range []struct {
		query, fields, timestamp, filter string
		negated, missingTerms            bool
		want                             string
	}{
		{query: "user: ada", fields: "user", timestamp: "@timestamp"},
		{query: "user: ada and not gone: 1 and event.*: x", fields: "user", timestamp: "event.ingested", want: "event.ingested,gone"},
		{query: "gone.*: x or n: { a: 1 } or m: { a: 1 }", fields: "user,account", timestamp: "@timestamp", want: "account,gone.*,m"},
		{query: "user: ada", fields: "account", timestamp: "@timestamp", missingTerms: true},
		{query: "*", fields: "user", timestamp: "@timestamp", filter: "gone", want: "gone"},
		{query: "*", fields: "user", timestamp: "@timestamp", filter: "gone", negated: true},
		{query: "some text", fields: "user", timestamp: "@timestamp"},
		{query: "labels.flat.team: a and labels.team: a and labels.flat.a.b: *", fields: "user,labels.flat.zone", timestamp: "@timestamp", want: "labels.team"},
	} {
		s := query.Search{
			Indices: []string{index}, Query: parse(t, c.query), Fields: strings.Split(c.fields, ","), Timestamp: c.timestamp, Fallback: "@timestamp",
			MissingTerms: c.missingTerms,
		}
		if c.filter != "" {
			s.Filters = []query.Filter{{Query: map[string]any{"exists": map[string]any{"field": c.filter}}, Negate: c.negated}}
		}
		if got := strings.Join(open(t, estest.ForTest(t), s).Unmapped(), ","); got != c.want {
			t.Errorf("%s by %s: %s, want %s", c.query, c.fields, got, c.want)
		}
	}
}
