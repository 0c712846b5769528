// Package kibana holds the dashboards and imports them.
package kibana

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"newterms/esquery/elastic"
)

//go:generate sh -c "go run ./generate > newterms.ndjson"

//go:embed newterms.ndjson
var objects []byte

// Objects returns the saved objects, a JSON object a line, with the data views
// over the given targets.
func Objects(alertsTarget, runsTarget string) ([]byte, error) {
	titles := map[string]string{"newterms-alerts": alertsTarget, "newterms-runs": runsTarget}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	for line := range bytes.Lines(objects) {
		var o map[string]any
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, err
		}
		if o["type"] == "index-pattern" {
			o["attributes"].(map[string]any)["title"] = titles[o["id"].(string)]
		}
		if err := encoder.Encode(o); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// Import sends saved objects to a space of Kibana, "" for the default one,
// where they take the place of older ones. It returns how many were imported;
// if not all were, the error names them. For an HTTP error status it is an
// *elastic.ResponseError. do sends the request, with credentials.
//
// https://www.elastic.co/docs/api/doc/kibana/operation/operation-post-saved-objects-import
func Import(ctx context.Context, do func(*http.Request) (*http.Response, error), base *url.URL, space string, objects []byte) (int, error) {
	request, err := importRequest(ctx, base, space, objects)
	if err != nil {
		return 0, err
	}
	res, err := do(request)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	var answer struct {
		Success      *bool `json:"success"`
		SuccessCount int   `json:"successCount"`
		Errors       []struct {
			Type, ID string
			Error    struct {
				Type, Message string
				References    []struct{ Type, ID string }
			}
		} `json:"errors"`
		Message string `json:"message"` // of an error status
	}
	err = json.Unmarshal(body, &answer)
	switch {
	case res.StatusCode != http.StatusOK:
		message := answer.Message
		if err != nil || message == "" {
			message = strings.Join(strings.Fields(string(body[:min(len(body), 200)])), " ")
		}
		return 0, &elastic.ResponseError{Status: res.StatusCode, Cause: elastic.Cause{Type: http.StatusText(res.StatusCode), Reason: message}}
	case err != nil || answer.Success == nil:
		return 0, fmt.Errorf("this is not Kibana's answer: %.200q", body)
	case !*answer.Success || len(answer.Errors) > 0:
		var failed []string
		for _, e := range answer.Errors {
			text := fmt.Sprintf("%s %s: %s", e.Type, e.ID, strings.TrimSpace(e.Error.Type+" "+e.Error.Message))
			for _, r := range e.Error.References {
				text += fmt.Sprintf(" (%s %s)", r.Type, r.ID)
			}
			failed = append(failed, text)
		}
		return answer.SuccessCount, fmt.Errorf("%d objects were imported, %d were not: %s", answer.SuccessCount, len(failed), strings.Join(failed, "; "))
	}
	return answer.SuccessCount, nil
}

func importRequest(ctx context.Context, base *url.URL, space string, objects []byte) (*http.Request, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "newterms.ndjson") // Kibana wants the extension
	if err == nil {
		_, err = file.Write(objects)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		return nil, err
	}
	target := base.JoinPath("api/saved_objects/_import")
	if space != "" && space != "default" {
		target = base.JoinPath("s", space, "api/saved_objects/_import")
	}
	target.RawQuery = "overwrite=true"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), &body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("kbn-xsrf", "true")
	return request, nil
}
