package elastic

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"newterms/esquery/elastic/words"
)

// DefaultRetry waits 0.5 s on average before the second attempt, then twice as long
// each time: 6 attempts take 8 s on average, 16 s at most. A longer outage is left to
// the next run.
func DefaultRetry() []backoff.RetryOption {
	return []backoff.RetryOption{backoff.WithMaxTries(6), backoff.WithMaxElapsedTime(2 * time.Minute), backoff.WithBackOff(
		// Full jitter: from nothing to twice the interval.
		&backoff.ExponentialBackOff{InitialInterval: 250 * time.Millisecond, RandomizationFactor: 1, Multiplier: 2, MaxInterval: 4 * time.Second},
	)}
}

// Again calls try as often and as late as the client retries a request, as long as it
// returns an error. It returns the last error.
func (c *Client) Again(ctx context.Context, try func() error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, try() }, c.retry()...)
	return err
}

// An exchange is the esapi.Transport of one request. It reads the whole body of the
// answer, so that a connection that breaks halfway is an error of the request and is
// retried. The next requests reuse the buffer: a new one for each was a third of a
// run's allocations.
type exchange struct {
	client *Client
	buffer *bytes.Buffer
	// The rest is for the log.
	start time.Time
	what  string // method and path
	sent  []byte // the body
	tries int
}

// maxLogged is how many bytes of a search are logged: enough for what it asks, not for
// all values of a page.
const maxLogged = 1_000

// log logs an answer: how large it was, and how long Elasticsearch and all of it took.
func (x *exchange) log(ctx context.Context, status int, took time.Duration) {
	log := x.client.options.Log
	if !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	wall := time.Since(x.start)
	outcome := "success"
	if status >= http.StatusBadRequest {
		outcome = "failure"
	}
	attrs := []any{"event.action", "request", "event.outcome", outcome, "request", x.what}
	if strings.HasSuffix(x.what, "/_search") { // others may hold what no log should
		attrs = append(attrs, "search", string(x.sent[:min(len(x.sent), maxLogged)]))
	}
	log.Debug(fmt.Sprintf("%s: %d", x.what, status), append(attrs, "status", status, "bytes", x.buffer.Len(), "took_ms", took.Milliseconds(), "wall_ms", wall.Milliseconds(), "tries", x.tries)...)
}

// Perform returns an answer without its body, whatever its status, or an error if there
// is none.
func (x *exchange) Perform(req *http.Request) (*http.Response, error) {
	var payload []byte
	if req.Body != nil {
		var err error
		if payload, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	ctx, c := req.Context(), x.client
	x.what, x.sent = req.Method+" "+req.URL.Path, payload
	notify := backoff.WithNotify(func(err error, wait time.Duration) {
		c.options.Log.Info(fmt.Sprintf("trying %s again in %s: %v", x.what, words.Span(wait), err),
			"event.action", "retry", "event.outcome", "unknown", "request", x.what, "after", err, "wait_ms", wait.Milliseconds())
	})
	res, err := backoff.Retry(ctx, func() (*http.Response, error) {
		attempt := req.Clone(ctx)
		if payload != nil {
			attempt.Body = io.NopCloser(bytes.NewReader(payload))
		}
		return x.attempt(attempt)
	}, append(c.retry(), notify)...)
	switch {
	case res != nil:
		return res, nil // the last answer: the caller checks its status
	case ctx.Err() != nil:
		return nil, ctx.Err() // the caller has ended it
	}
	return nil, &NoAnswerError{err}
}

// attempt sends a request once. After an error another attempt may help, unless the
// error is permanent; there may still be an answer.
func (x *exchange) attempt(req *http.Request) (*http.Response, error) {
	c, ctx := x.client, req.Context()
	if c.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.options.Timeout, &TimeoutError{c.options.Timeout})
		defer cancel()
	}
	c.usage.requests.Add(1)
	x.tries++
	res, err := c.transport.Perform(req.WithContext(ctx))
	if err == nil {
		defer res.Body.Close()
		x.buffer.Reset()
		_, err = x.buffer.ReadFrom(io.LimitReader(res.Body, maxAnswer+1))
		res.Body = http.NoBody
	}
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(*SchemeError)):
		return nil, backoff.Permanent(err)
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case !x.mayBeTriedAgain(req, res):
		return res, nil
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return res, backoff.RetryAfter(seconds)
	}
	return res, errors.New(res.Status)
}

func (x *exchange) mayBeTriedAgain(req *http.Request, res *http.Response) bool {
	switch res.StatusCode {
	case http.StatusTooManyRequests:
		// A search that needs too much memory must ask for less, not wait.
		return !strings.HasSuffix(req.URL.Path, "/_search") || !TooMuchToAnswer(responseError(res.StatusCode, x.buffer.Bytes()))
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
