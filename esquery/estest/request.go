package estest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// Perform sends a request of the packages of newterms, as esapi.Transport: its
// URL names no host. There are no retries.
func (n *Node) Perform(req *http.Request) (*http.Response, error) {
	base, err := url.Parse(n.URL)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = base.Scheme, base.Host
	return http.DefaultClient.Do(req)
}
