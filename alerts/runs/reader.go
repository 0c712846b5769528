package runs

import "newterms/esquery/elastic"

type dsl = map[string]any

// A Reader reads the runs target. It is safe for concurrent use.
type Reader struct {
	client *elastic.Client
	target string
}

// NewReader returns a reader that searches through client.
func NewReader(client *elastic.Client, runsTarget string) *Reader {
	return &Reader{client, runsTarget}
}
