package estest

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// TB is what a test has to offer; *testing.T and *testing.B are some. The demo
// imports this package, so that it cannot import testing.
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
	Context() context.Context
}

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
func ForTest(tb TB) *Node {
	tb.Helper()
	node, err := shared()
	if err != nil {
		tb.Fatal(err)
	}
	return node
}

// Name returns a name for indices and targets that no other test uses.
func Name(prefix string) string { return prefix + uuid.NewString()[:8] }

// Must is Request for a test, which an error fails.
func (n *Node) Must(tb TB, method, path string, body any) []byte {
	tb.Helper()
	answer, err := n.Request(tb.Context(), method, path, body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer
}

// CreateIndex makes an index for the time of a test, which may delete it itself. body
// may be nil.
func (n *Node) CreateIndex(tb TB, name string, body any) {
	tb.Helper()
	n.Must(tb, "PUT", "/"+name, body)
	tb.Cleanup(func() {
		if _, err := n.Request(context.Background(), "DELETE", "/"+name+"?ignore_unavailable=true", nil); err != nil {
			tb.Fatal(err)
		}
	})
}

// Index writes documents and makes them searchable. A document's keys _index and
// _id, if it has them, say where it goes instead of into the index given.
func (n *Node) Index(tb TB, index string, documents ...map[string]any) {
	tb.Helper()
	if len(documents) == 0 {
		return
	}
	var bulk bytes.Buffer
	encoder := json.NewEncoder(&bulk)
	for _, d := range documents {
		source, action := map[string]any{}, map[string]any{"_index": index}
		for name, value := range d {
			if name == "_index" || name == "_id" {
				action[name] = value
			} else {
				source[name] = value
			}
		}
		for _, line := range []any{map[string]any{"index": action}, source} {
			if err := encoder.Encode(line); err != nil {
				tb.Fatal(err)
			}
		}
	}
	n.Must(tb, "POST", "/_bulk?refresh=true", bulk.Bytes())
}

// Documents returns what a search finds, in its order and at most 10,000 of it
// unless the search says otherwise: the sources, with their _index and _id. Of
// an index that is missing there are none.
func (n *Node) Documents(tb TB, index string, search map[string]any) []map[string]any {
	tb.Helper()
	body := map[string]any{"size": 10_000}
	maps.Copy(body, search)
	var found struct {
		Hits struct {
			Hits []struct {
				Index  string         `json:"_index"`
				ID     string         `json:"_id"`
				Source map[string]any `json:"_source"`
			}
		}
	}
	answer := n.Must(tb, "POST", "/"+index+"/_search?ignore_unavailable=true", body)
	decoder := json.NewDecoder(bytes.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(&found); err != nil {
		tb.Fatal(err)
	}
	documents := make([]map[string]any, len(found.Hits.Hits))
	for i, h := range found.Hits.Hits {
		documents[i] = h.Source
		documents[i]["_index"], documents[i]["_id"] = h.Index, h.ID
	}
	return documents
}
