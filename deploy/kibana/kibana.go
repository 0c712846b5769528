// Package kibana holds the dashboards and the rules that notify, and brings them
// into a space of Kibana.
package kibana

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
)

// A Space is where Kibana keeps objects.
type Space struct {
	URL  *url.URL // of Kibana, with its base path
	Name string   // "" or "default" for the default one
	// Do sends a request, with credentials. It must follow no redirect.
	Do func(*http.Request) (*http.Response, error)
}

// at returns the address of something in the space.
func (s Space) at(path string) *url.URL {
	if s.Name != "" && s.Name != "default" {
		return s.URL.JoinPath("s", s.Name, path)
	}
	return s.URL.JoinPath(path)
}

// AlertURL returns the address of the dashboard New-term alerts that shows one alert.
// The dashboard's time is that of the first event, and an hour around it is shown.
func (s Space) AlertURL(id string, firstSeen time.Time) string {
	stamp := words.Stamp
	return fmt.Sprintf("%s#/view/%s?_g=(time:(from:'%s',to:'%s'))&_a=(query:(language:kuery,query:'kibana.alert.uuid:%%22%s%%22'))",
		s.at("app/dashboards"), alertsDashboard, stamp(firstSeen.Add(-time.Hour)), stamp(firstSeen.Add(time.Hour)), id)
}

// alertsDashboard is the id of New-term alerts in newterms.ndjson.
const alertsDashboard = "newterms-alerts-dashboard"

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// A call is a request to an API of the space.
type call struct {
	method, path, query string
	contentType         string
	body                []byte
}

// send returns the answer's body. For an HTTP error status the error is an
// *elastic.ResponseError, for a redirect an *elastic.RedirectError.
func (s Space) send(ctx context.Context, c call) ([]byte, error) {
	target := s.at(c.path)
	target.RawQuery = c.query
	request, err := http.NewRequestWithContext(ctx, c.method, target.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	if c.body != nil {
		request.Header.Set("Content-Type", c.contentType)
	}
	request.Header.Set("kbn-xsrf", "true")
	res, err := s.Do(request)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if redirect := elastic.Redirect(res); redirect != nil {
		return nil, redirect
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case res.StatusCode != http.StatusOK:
		return nil, refusal(res.StatusCode, text)
	}
	return text, nil
}

func otherAnswer(text []byte) error { return fmt.Errorf("this is not Kibana's answer: %.200q", text) }

func refusal(status int, text []byte) error {
	var told struct{ Message string }
	if err := json.Unmarshal(text, &told); err != nil || told.Message == "" {
		told.Message = strings.Join(strings.Fields(string(text[:min(len(text), 200)])), " ")
	}
	return &elastic.ResponseError{Status: status, Cause: elastic.Cause{Type: http.StatusText(status), Reason: told.Message}}
}
