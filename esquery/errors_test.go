package esquery_test

import (
	"errors"
	"strings"
	"testing"

	"newterms/esquery"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

func TestOpenErrors(t *testing.T) {
	index := newIndex(t, `{"properties":{"grants":{"type":"nested","properties":{"role":{"type":"keyword"}}}}}`, `{"grants":{"role":"a"}}`)
	openErr := func(s query.Search) error {
		s.Fields, s.Timestamp = []string{"user"}, "@timestamp"
		_, err := esquery.Open(t.Context(), elastic.NewClient(estest.ForTest(t), elastic.Options{}), s)
		return err
	}
	var missing *access.NotFoundError
	if err := openErr(query.Search{Indices: []string{"nowhere-*", "none"}}); !errors.As(err, &missing) || !strings.Contains(err.Error(), "nowhere-*, none") {
		t.Errorf("got %v", err)
	}
	var field *kql.FieldError
	if err := openErr(query.Search{Indices: []string{index}, Query: parse(t, "grants.role:a")}); !errors.As(err, &field) || field.Field != "grants.role" {
		t.Errorf("got %v", err)
	}
}

// TestMappingErrors asks the real server what its fields do not take.
func TestMappingErrors(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"user":{"type":"keyword"},"note":{"type":"text"},
		"ip":{"type":"ip"},"n":{"type":"long"},"b":{"type":"boolean"},"day":{"type":"date"}}}`, `{"@timestamp":"2026-03-10T11:00:00Z","user":"x","day":"2026-03-10"}`)
	for _, c := range []struct{ query, field, timestamp, want string }{
		{"ip: 10.*", "user", "@timestamp", "search " + index + ": 400 query_shard_exception: Can only use prefix queries on keyword"},
		{"ip: x", "user", "@timestamp", "400 query_shard_exception: failed to create query: 'x' is not an IP string literal"},
		{"n: 4*", "user", "@timestamp", "400 query_shard_exception"},
		{"n: many", "user", "@timestamp", "400 query_shard_exception"},
		{"b: True", "user", "@timestamp", "400 query_shard_exception"},
		{"day: someday", "user", "@timestamp", "400 parse_exception: failed to parse date field [someday]"},
	} {
		s := query.Search{Indices: []string{index}, Query: parse(t, c.query), Fields: []string{c.field}, Timestamp: c.timestamp}
		source, err := esquery.Open(t.Context(), elastic.NewClient(estest.ForTest(t), elastic.Options{}), s)
		if err == nil {
			for _, pageErr := range source.Candidates(t.Context(), allTime) {
				err = pageErr
			}
		}
		t.Logf("%-14s %v", c.query, err)
		if !errors.As(err, new(*query.MappingError)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %s", c.query, c.want)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	index := newIndex(t, `{"properties":{"@timestamp":{"type":"date"},"ip":{"type":"ip"}}}`, `{"@timestamp":"2026-03-10T11:00:00Z","ip":"192.0.2.1"}`)
	source := open(t, nil, query.Search{Indices: []string{index}, Query: parse(t, "ip: 192.*"), Fields: []string{"ip"}, Timestamp: "@timestamp"})
	for _, err := range source.Candidates(t.Context(), allTime) {
		var refused *elastic.ResponseError
		want := "list candidates: query ip: 192.*: search " + index + ": 400 query_shard_exception: "
		if !errors.As(err, &refused) || refused.StatusCode() != 400 || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v\nwant %s…", err, want)
		}
	}
}
