// Package elastic sends requests to Elasticsearch and returns a complete answer or an
// error.
//
// It repeats a request while that may help. An incomplete answer, because shards
// failed, time ran out or a cluster was skipped, is an error that wraps ErrIncomplete.
// It must never look like "nothing found".
package elastic

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// maxAnswer bounds the memory of one answer, in bytes. A page of 10,000 pairs is about
// 2.5 MB, a batch of events about 2 MB. With this limit a run over pairs of 11 kB took
// 170 MB, and with twice as much 300 MB.
const maxAnswer = 16 << 20

// A Client sends requests. It is safe for concurrent use.
type Client struct {
	transport esapi.Transport
	options   Options
	usage     *usage
	buffers   chan *bytes.Buffer // reused for bodies of answers
}

type usage struct {
	requests atomic.Int64
	took     atomic.Int64 // nanoseconds
}

// Options of a Client. The zero value sends each request once, and waits for the answer
// as long as the context allows.
type Options struct {
	Timeout time.Duration                // of each attempt; 0 means no limit
	Retry   func() []backoff.RetryOption // when to retry; nil means never
	Log     *slog.Logger                 // logs each retry, at level info, and each answer, at debug; may be nil
}

// NewClient returns a client that sends through transport.
func NewClient(transport esapi.Transport, o Options) *Client {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{transport: transport, options: o, usage: &usage{}, buffers: make(chan *bytes.Buffer, keptBuffers)}
}

// Clone returns a client with the same options and connections, but with its own counts
// and another logger.
func (c *Client) Clone(log *slog.Logger) *Client {
	options := c.options
	options.Log = log
	return NewClient(c.transport, options)
}

// Impatient returns the client with at most two attempts of a request. It counts with c.
func (c *Client) Impatient() *Client {
	other := *c
	if c.options.Retry != nil {
		other.options.Retry = func() []backoff.RetryOption { return append(c.options.Retry(), backoff.WithMaxTries(2)) }
	}
	return &other
}

// retry says when to send a request again.
func (c *Client) retry() []backoff.RetryOption {
	if c.options.Retry == nil {
		return []backoff.RetryOption{backoff.WithMaxTries(1)}
	}
	return c.options.Retry()
}

// Usage returns the number of requests sent so far, with retries, and the time that
// Elasticsearch reports to have worked on them.
func (c *Client) Usage() (requests int, took time.Duration) {
	return int(c.usage.requests.Load()), time.Duration(c.usage.took.Load())
}

// Do sends a request and decodes the answer, which must be Elasticsearch's JSON. Its
// error is a *ResponseError for an HTTP error status, a *RedirectError for a redirect,
// or a *NoAnswerError if nothing came. It wraps ErrIncomplete if the answer cannot be
// trusted.
func (c *Client) Do(ctx context.Context, request esapi.Request, answer any) error {
	buffer := c.takeBuffer()
	defer c.keepBuffer(buffer)
	x := exchange{client: c, buffer: buffer, start: time.Now()}
	res, err := request.Do(ctx, &x)
	if err != nil {
		return err
	}
	var took time.Duration
	defer func() { x.log(ctx, res.StatusCode, took) }()
	if err := Redirect(&http.Response{StatusCode: res.StatusCode, Header: res.Header}); err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return responseError(res.StatusCode, buffer.Bytes())
	}
	if buffer.Len() > maxAnswer {
		return errTooLarge
	}
	// A proxy's or another product's 200 has no such header.
	if product := res.Header.Get("X-Elastic-Product"); product != "Elasticsearch" {
		return fmt.Errorf("%w (its header X-Elastic-Product is %q)", ErrOtherProduct, product)
	}
	if err := decode(buffer.Bytes(), answer); err != nil {
		return fmt.Errorf("%w: %w", errNoJSON, err)
	}
	if timed, ok := answer.(interface{ took() time.Duration }); ok {
		took = timed.took()
		c.usage.took.Add(int64(took))
	}
	return nil
}

// A client keeps as many buffers as a run uses at once, of the size of a usual answer.
// A sync.Pool would lose them at each garbage collection.
const (
	keptBuffers = 3
	keptBuffer  = 4 << 20
)

func (c *Client) takeBuffer() *bytes.Buffer {
	select {
	case buffer := <-c.buffers:
		return buffer
	default:
		return new(bytes.Buffer)
	}
}

func (c *Client) keepBuffer(buffer *bytes.Buffer) {
	if buffer.Cap() > keptBuffer {
		return
	}
	select {
	case c.buffers <- buffer:
	default:
	}
}

// Timed is embedded in answers that report how long Elasticsearch worked on them, so
// that the client can add it up.
type Timed struct {
	Took int64 `json:"took"` // milliseconds
}

func (t Timed) took() time.Duration { return time.Duration(t.Took) * time.Millisecond }
