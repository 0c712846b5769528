package estest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// CreateDataStream answers PUT /_data_stream/NAME in the place of a server that
// has no such API, as the published jars: with a write that makes the data
// stream by its index template, as that of a first document does, and that is
// refused itself. A server that has the API is asked.
func (n *Node) CreateDataStream(ctx context.Context, name string) (status int, answer []byte, err error) {
	status, answer, err = n.send(ctx, http.MethodPut, "/_data_stream/"+name, "")
	if err != nil || !strings.Contains(string(answer), "for uri") {
		return status, answer, err
	}
	status, _, err = n.send(ctx, http.MethodGet, "/"+name, "")
	switch {
	case err != nil:
		return 0, nil, err
	case status == http.StatusOK:
		return refusal("resource_already_exists_exception", "data_stream ["+name+"] already exists")
	}
	const undated = `{"create":{}}` + "\n" + `{"@timestamp":"never"}` + "\n"
	_, answer, err = n.send(ctx, http.MethodPost, "/"+name+"/_bulk?require_data_stream=true", undated)
	switch {
	case err != nil:
		return 0, nil, err
	case strings.Contains(string(answer), "index_not_found_exception"):
		return refusal("illegal_argument_exception", "no matching index template found for data stream ["+name+"]")
	}
	return http.StatusOK, []byte(`{"acknowledged":true}`), nil
}

func refusal(kind, reason string) (int, []byte, error) {
	answer, err := json.Marshal(map[string]any{"status": http.StatusBadRequest, "error": map[string]any{"type": kind, "reason": reason}})
	return http.StatusBadRequest, answer, err
}

// send returns the answer whatever its status is.
func (n *Node) send(ctx context.Context, method, path, body string) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := n.Perform(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}
