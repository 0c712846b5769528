package esquery_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

// TestIndexThatGoes closes an index between two questions, of which none is about
// alerts.
func TestIndexThatGoes(t *testing.T) {
	const mapping = `{"properties":{"time":{"type":"date"},"user":{"type":"keyword"}}}`
	document := func(user string) string { return `{"time":"2026-03-10T11:00:00Z","user":"` + user + `"}` }
	ask := map[string]func(context.Context, *esquery.Source) error{
		"a page of candidates": func(ctx context.Context, s *esquery.Source) error {
			for _, err := range s.Candidates(ctx, allTime) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"the history": func(ctx context.Context, s *esquery.Source) error {
			_, err := s.LastSeen(ctx, allTime, time.Hour, []esquery.Candidate{{Terms: []any{"zoe"}}})
			return err
		},
		"the oldest": func(ctx context.Context, s *esquery.Source) error {
			_, _, err := s.Oldest(ctx, allTime)
			return err
		},
		"what is excluded": func(ctx context.Context, s *esquery.Source) error {
			_, _, err := inspect.CountExcluded(ctx, s.Opened, allTime)
			return err
		},
	}
	for name, ask := range ask {
		t.Run(name, func(t *testing.T) {
			node := estest.ForTest(t)
			stays, goes := newIndex(t, mapping, document("ada"), document("bob"), document("eve")), newIndex(t, mapping, document("zoe"))
			source := open(t, nil, query.Search{
				Indices: []string{stays, goes}, Query: parse(t, "*"), Exclude: []kql.Query{parse(t, "user: eve")}, Fields: []string{"user"}, Timestamp: "time", PageSize: 1,
			})
			for _, err := range source.Candidates(t.Context(), allTime) {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			node.Must(t, "POST", "/"+goes+"/_close", nil)
			err := ask(t.Context(), source)
			var changed *query.ChangedError
			if !errors.As(err, &changed) || !errors.Is(err, elastic.ErrIncomplete) || !strings.Contains(changed.What, goes+" is closed") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestUnchanged looks at indices that come: it tells of those that do not fit, and
// asks nobody if none has come.
func TestUnchanged(t *testing.T) {
	mapping := func(user, name string) string {
		return `{"properties":{"time":{"type":"date"},"user":{"type":"` + user + `"},"name":{"type":"` + name + `"}}}`
	}
	for what, c := range map[string]struct{ user, name, want string }{
		"as the others":                     {"keyword", "keyword", ""},
		"another new-terms type":            {"long", "keyword", "values of these types cannot be compared"},
		"another type of the query's field": {"keyword", "text", "in mid-run: now name is of type keyword in "},
	} {
		t.Run(what, func(t *testing.T) {
			prefix, node := estest.Name("changed-"), estest.ForTest(t)
			make := func(index, mapping, document string) {
				node.CreateIndex(t, prefix+index, []byte(`{"mappings":`+mapping+`}`))
				node.Must(t, "POST", "/"+prefix+index+"/_doc?refresh=true", []byte(document))
			}
			make("a", mapping("keyword", "keyword"), `{"time":"2026-03-10T11:00:00Z","user":"ada","name":"x"}`)
			way := &counting{Node: node}
			source := open(t, way, query.Search{Indices: []string{prefix + "*"}, Query: parse(t, "name: *"), Fields: []string{"user"}, Timestamp: "time"})
			ask := func(want int, wantErr string) {
				t.Helper()
				candidates(t, source)
				way.n = 0
				err := source.Unchanged(t.Context())
				if way.n != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
					t.Errorf("%d requests, want %d: %v", way.n, want, err)
				}
			}
			ask(1, "")
			ask(0, "")
			make("b", mapping(c.user, c.name), `{"time":"2026-03-10T11:00:00Z"}`)
			ask(1, c.want)
			if c.want == "" {
				ask(0, "")
			}
		})
	}
}
