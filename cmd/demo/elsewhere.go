package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// An elsewhere is an Elasticsearch that was running before, with the credentials
// of newterms' own variables.
type elsewhere struct {
	url, apiKey, username, password string
	client                          *http.Client
}

// errInUse says that the demo would mix its events with what is there.
var errInUse = errors.New("the demo writes only where there is nothing of that name yet; its own Elasticsearch is one (go run ./cmd/demo)")

func newElsewhere(url string) (elsewhere, error) {
	e := elsewhere{url: strings.TrimRight(url, "/"), username: os.Getenv("ELASTICSEARCH_USERNAME")}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if file := os.Getenv("ELASTICSEARCH_CA"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return e, fmt.Errorf("ELASTICSEARCH_CA: %w", err)
		}
		authorities := x509.NewCertPool()
		if !authorities.AppendCertsFromPEM(pem) {
			return e, fmt.Errorf("ELASTICSEARCH_CA: %s holds no PEM certificate", file)
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities}
	}
	e.client = &http.Client{Transport: transport, Timeout: time.Minute}
	var keyErr, passwordErr error
	e.apiKey, keyErr = secret("ELASTICSEARCH_API_KEY")
	e.password, passwordErr = secret("ELASTICSEARCH_PASSWORD")
	return e, errors.Join(keyErr, passwordErr)
}

// secret is a variable's value, or what is in the file that name_FILE names.
func secret(name string) (string, error) {
	file := os.Getenv(name + "_FILE")
	if file == "" {
		return os.Getenv(name), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Request sends a request and returns the answer's body, for sample.Load. A
// status that is not 2xx, and a bulk request with errors, is an error.
func (e elsewhere) Request(ctx context.Context, method, path string, body any) ([]byte, error) {
	payload, _ := body.([]byte) // sample.Load sends no other
	request, err := http.NewRequestWithContext(ctx, method, e.url+path, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	switch {
	case e.apiKey != "":
		request.Header.Set("Authorization", "ApiKey "+e.apiKey)
	case e.username != "":
		request.SetBasicAuth(e.username, e.password)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode >= http.StatusMultipleChoices || bytes.HasPrefix(answer, []byte(`{"errors":true`)):
		return nil, &statusError{response.StatusCode, fmt.Sprintf("%s %s: %s: %.300s", method, path, response.Status, answer)}
	}
	return answer, nil
}

type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

// refuse wraps errInUse if there are events or alerts already, or a template of
// Okta's integration, which the demo's would replace.
func (e elsewhere) refuse(ctx context.Context) error {
	const indices = "/logs-okta.system-*,.alerts-newterms.*?expand_wildcards=all&allow_no_indices=true&filter_path=*.aliases"
	answer, err := e.Request(ctx, http.MethodGet, indices, nil)
	if err != nil {
		return fmt.Errorf("look what is there: %w", err)
	}
	var found map[string]any
	if err := json.Unmarshal(answer, &found); err != nil {
		return fmt.Errorf("look what is there: %w", err)
	}
	if len(found) > 0 {
		return fmt.Errorf("%s has %s: %w", e.url, strings.Join(slices.Sorted(maps.Keys(found)), ", "), errInUse)
	}
	_, err = e.Request(ctx, http.MethodGet, "/_index_template/logs-okta.system", nil)
	var refused *statusError
	switch {
	case err == nil:
		return fmt.Errorf("%s has the index template logs-okta.system: %w", e.url, errInUse)
	case errors.As(err, &refused) && refused.status == http.StatusNotFound:
		return nil
	}
	return fmt.Errorf("look what is there: %w", err)
}

// seeIt tells where the dashboard is, and how to remove all again.
func (e elsewhere) seeIt(kibana, browse string) string {
	const remove = `
To remove what the demo made, as somebody who may:
  DELETE _data_stream/logs-okta.system-default,.alerts-newterms.detections-default,.alerts-newterms.runs-default
  DELETE _index_template/logs-okta.system,.alerts-newterms.*-default-index-template
`
	if kibana == "" {
		return remove
	}
	const dashboard = "/app/dashboards#/view/newterms-alerts-dashboard?_g=(time:(from:now-7d,to:now))"
	return "\nThe dashboard: " + strings.TrimRight(cmp.Or(browse, kibana), "/") + dashboard + "\n" + remove
}
