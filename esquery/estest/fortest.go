package estest

import (
	"context"
	"os"
	"strings"
	"sync"
)

// shared is the one node without security that a test process needs.
var shared = sync.OnceValues(func() (*Node, error) {
	if url := os.Getenv("ELASTICSEARCH_TEST_URL"); url != "" {
		return &Node{URL: strings.TrimSuffix(url, "/")}, nil
	}
	return Start(context.Background(), Options{})
})

// ForTest returns the node that the tests of this process share: the running
// server that ELASTICSEARCH_TEST_URL names, or one that is started now and
// ends with the process. The test fails if there is none. Since the server may
// be shared, tests use index names of their own.
func ForTest(tb interface {
	Helper()
	Fatal(...any)
}) *Node {
	tb.Helper()
	node, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return node
}
