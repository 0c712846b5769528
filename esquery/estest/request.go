package estest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// Request sends a request, as Username to a node with security, and returns the
// answer's body. The body sent is []byte as it is, or anything else as JSON; nil is
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
	if n.secured {
		req.SetBasicAuth(Username, Password)
	}
	res, err := cmp.Or(n.client, http.DefaultClient).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusMultipleChoices || bytes.HasPrefix(answer, []byte(`{"errors":true`)) {
		return nil, fmt.Errorf("%s %s: %s: %.500s", method, path, res.Status, firstError(answer))
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
	return cmp.Or(n.client, http.DefaultClient).Do(req)
}

// At makes a request's body take a time for the server's, wherever it asks for
// "now" or for a time so long before. No clock of this machine can be set.
func At(body []byte, now time.Time) []byte {
	anchor := now.UTC().Format(`"2006-01-02T15:04:05.000Z||`)
	body = bytes.ReplaceAll(body, []byte(`"now"`), []byte(anchor+`"`))
	return bounds.ReplaceAll(body, []byte(`${1}`+anchor+`${2}`))
}

var bounds = regexp.MustCompile(`("gte":)"now(-\w+")`)

// ChangeTemplate puts an index template back as change made it.
func (n *Node) ChangeTemplate(ctx context.Context, name string, change func(template map[string]any)) error {
	answer, err := n.Request(ctx, "GET", "/_index_template/"+name, nil)
	if err != nil {
		return err
	}
	var found struct {
		Templates []struct {
			Template map[string]any `json:"index_template"`
		} `json:"index_templates"`
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		return err
	}
	if len(found.Templates) != 1 {
		return fmt.Errorf("there are %d index templates %s", len(found.Templates), name)
	}
	template := found.Templates[0].Template
	for _, managed := range []string{"created_date", "created_date_millis", "modified_date", "modified_date_millis"} {
		delete(template, managed) // which 9.x adds and does not take back
	}
	change(template)
	_, err = n.Request(ctx, "PUT", "/_index_template/"+name, template)
	return err
}

// firstError is the part of an answer that begins with the first error, where a
// bulk request has one among many successes.
func firstError(answer []byte) []byte {
	if at := bytes.Index(answer, []byte(`"error":`)); at >= 0 {
		return answer[at:]
	}
	return answer
}
