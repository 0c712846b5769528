// Package alertstest makes stores for tests.
package alertstest

import (
	"newterms/alerts"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
)

// NewStore returns a store with targets of its own on the real server, and the name of
// the alerts target.
func NewStore(tb estest.TB) (*alerts.Store, *estest.Node, string) {
	tb.Helper()
	node := estest.ForTest(tb)
	target := estest.Name(".test-")
	return alerts.NewStore(elastic.NewClient(node, elastic.Options{}), target, target+"-runs"), node, target
}

// SetUp installs the index templates of a store.
func SetUp(tb estest.TB, s *alerts.Store) {
	tb.Helper()
	if _, err := s.Setup(tb.Context(), "test"); err != nil {
		tb.Fatal(err)
	}
}
