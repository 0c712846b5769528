package estest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
)

// Request sends a request to a node without security and returns the answer's
// body. The body sent is []byte as it is, or anything else as JSON; nil is
// none. A status that is not 2xx, and a bulk request with errors, is an error.
func (n *Node) Request(ctx context.Context, method, path string, body any) ([]byte, error) {
	payload, ok := body.([]byte)
	if !ok && body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, n.URL+path, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusMultipleChoices || bytes.HasPrefix(answer, []byte(`{"errors":true`)) {
		return nil, fmt.Errorf("%s %s: %s: %.500s", method, path, res.Status, answer)
	}
	return answer, nil
}

// Transport returns what the packages of newterms send their requests through.
func (n *Node) Transport() (*elastictransport.Client, error) {
	u, err := url.Parse(n.URL)
	if err != nil {
		return nil, err
	}
	return elastictransport.NewClient(elastictransport.WithURLs(u), elastictransport.WithDisableRetry())
}
