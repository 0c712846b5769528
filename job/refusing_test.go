package job_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// refusing counts the requests of a kind, and refuses them if it has a status.
type refusing struct {
	next   esapi.Transport
	is     func(body []byte) bool
	n      int
	status int // 0: it answers
	cause  string
	hangs  bool // it never answers them
}

func (c *refusing) Perform(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return c.next.Perform(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if c.is(body) {
		c.n++
		if c.hangs {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		if c.status != 0 {
			answer := fmt.Sprintf(`{"error":{"type":%q,"reason":"made up\nin two lines"},"status":%d}`, c.cause, c.status)
			return &http.Response{StatusCode: c.status, Header: http.Header{"X-Elastic-Product": {"Elasticsearch"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
		}
	}
	return c.next.Perform(r)
}
