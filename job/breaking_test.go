package job_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery/estest"
)

var errBroken = errors.New("broken on purpose")

// breaking lets requests pass until the k-th, and none after it, unless that is
// when the run is told to stop.
type breaking struct {
	next  esapi.Transport
	k, n  int
	after bool // the k-th still arrives
	stop  func()
	now   time.Time // by the server's clock
}

func (b *breaking) Perform(r *http.Request) (*http.Response, error) {
	b.n++
	if b.k == 0 || b.n < b.k {
		return b.patiently(r)
	}
	if b.stop != nil { // what records the end still passes
		if b.n == b.k {
			b.stop()
		}
		return b.patiently(r)
	}
	if b.n == b.k && b.after {
		res, err := b.patiently(r)
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(errBroken, res.Body.Close())
	}
	return nil, errBroken
}

// patiently asks again while the server is busy making a data stream that two
// runs were the first to write to.
func (b *breaking) patiently(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		body = estest.At(body, b.now)
	}
	for try := 0; ; try++ {
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		res, err := b.next.Perform(again)
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || try == 20 {
			return res, err
		}
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
