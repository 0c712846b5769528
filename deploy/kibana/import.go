package kibana

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
)

// Import sends saved objects to the space, where they take the place of older
// ones. It returns how many were imported; if not all were, the error names
// them. For an HTTP error status it is an *elastic.ResponseError.
//
// https://www.elastic.co/docs/api/doc/kibana/operation/operation-post-saved-objects-import
func (s Space) Import(ctx context.Context, objects []byte) (int, error) {
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
		return 0, err
	}
	text, err := s.send(ctx, call{
		http.MethodPost, "api/saved_objects/_import", "overwrite=true", form.FormDataContentType(), body.Bytes(),
	})
	if err != nil {
		return 0, err
	}
	var answer importAnswer
	if err := json.Unmarshal(text, &answer); err != nil || answer.Success == nil {
		return 0, otherAnswer(text)
	}
	if err := answer.failure(); err != nil {
		return answer.SuccessCount, err
	}
	if sent := bytes.Count(bytes.TrimSpace(objects), []byte("\n")) + 1; answer.SuccessCount != sent {
		return answer.SuccessCount, fmt.Errorf("%d objects were sent, and Kibana says that it imported %d", sent, answer.SuccessCount)
	}
	return answer.SuccessCount, nil
}

// importAnswer says what was imported: with the status 200 even if nothing was.
type importAnswer struct {
	Success      *bool `json:"success"`
	SuccessCount int   `json:"successCount"`
	Errors       []struct {
		Type, ID string
		Error    struct {
			Type, Message string
			References    []struct{ Type, ID string }
		}
	} `json:"errors"`
}

func (a importAnswer) failure() error {
	if *a.Success && len(a.Errors) == 0 {
		return nil
	}
	var failed []string
	for _, e := range a.Errors {
		var text strings.Builder
		text.WriteString(fmt.Sprintf("%s %s: %s", e.Type, e.ID, strings.TrimSpace(e.Error.Type+" "+e.Error.Message)))
		for _, r := range e.Error.References {
			text.WriteString(fmt.Sprintf(" (%s %s)", r.Type, r.ID))
		}
		failed = append(failed, text.String())
	}
	return fmt.Errorf("%d objects were imported, %d were not: %s", a.SuccessCount, len(failed), strings.Join(failed, "; "))
}

// A RequestError comes from Kibana, or says why there is no answer from there.
type RequestError struct {
	Err   error
	Needs string // the privileges of Kibana for what it was asked
}

func (e *RequestError) Error() string { return e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }
