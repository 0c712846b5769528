package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"

	"newterms/esquery"
)

// connect makes the transport that all requests go through. It sends nothing.
func (s *settings) connect(retry []backoff.RetryOption, log *slog.Logger) (*transport, error) {
	urls, err := s.connection()
	if err != nil {
		return nil, err
	}
	base, err := httpTransport("ELASTICSEARCH_CA", s.CA, x509.NewCertPool())
	if err != nil {
		return nil, err
	}
	options := []elastictransport.Option{
		elastictransport.WithURLs(urls...), elastictransport.WithTransport(base), elastictransport.WithDisableRetry(),
		elastictransport.WithUserAgent("newterms/" + version()),
	}
	switch {
	case s.APIKey != "":
		options = append(options, elastictransport.WithAPIKey(s.APIKey))
	case s.Username != "":
		options = append(options, elastictransport.WithBasicAuth(s.Username, s.Password))
	}
	client, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, configError{err}
	}
	return &transport{next: client, timeout: time.Duration(s.RequestTimeout), retry: retry, log: log}, nil
}

// httpTransport trusts the authorities of a PEM file, which a setting names,
// besides those of a pool; where it is not set, the system's.
func httpTransport(setting, file string, trusted *x509.CertPool) (*http.Transport, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return base, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, configError{fmt.Errorf("%s: %w", setting, err)}
	}
	if !trusted.AppendCertsFromPEM(pem) {
		return nil, configError{fmt.Errorf("%s: %s holds no PEM certificate", setting, file)}
	}
	base.TLSClientConfig.RootCAs = trusted
	return base, nil
}

// transport sends a request again while that may help, gives each attempt a
// timeout, and reads the answer whole, so that a connection that breaks halfway
// is the request's error.
type transport struct {
	next     esapi.Transport
	timeout  time.Duration
	retry    []backoff.RetryOption
	log      *slog.Logger
	requests int // sent, retries included
}

// defaultRetry waits 0.5 s on average before the second try, then twice as long
// each time: 6 tries take 8 s on average, 16 s at the most. A longer outage is
// for the next run.
func defaultRetry() []backoff.RetryOption {
	return []backoff.RetryOption{backoff.WithMaxTries(6), backoff.WithMaxElapsedTime(2 * time.Minute), backoff.WithBackOff(
		// Full jitter: from nothing to twice the interval.
		&backoff.ExponentialBackOff{InitialInterval: 250 * time.Millisecond, RandomizationFactor: 1, Multiplier: 2, MaxInterval: 4 * time.Second},
	)}
}

// Perform returns an answer, whatever its status, or why there is none.
func (t *transport) Perform(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	notify := backoff.WithNotify(func(err error, wait time.Duration) {
		t.log.Info("trying again", "request", req.Method+" "+req.URL.Path, "after", err, "wait_ms", wait.Milliseconds())
	})
	res, err := backoff.Retry(req.Context(), func() (*http.Response, error) {
		t.requests++
		attempt := req.Clone(req.Context())
		if body != nil {
			attempt.Body = io.NopCloser(bytes.NewReader(body))
		}
		return t.once(attempt)
	}, append(slices.Clone(t.retry), notify)...)
	var untrusted *tls.CertificateVerificationError
	switch {
	case res != nil:
		return res, nil // the last answer, which the caller judges
	case errors.As(err, &untrusted):
		return nil, configError{fmt.Errorf("the server's certificate is not trusted: %w: "+
			"check the host name in ELASTICSEARCH_URL, and set ELASTICSEARCH_CA to the certificate of its authority", err)}
	case req.Context().Err() != nil:
		return nil, context.Cause(req.Context())
	}
	return nil, fmt.Errorf("no answer from Elasticsearch: %w: check ELASTICSEARCH_URL and the network", err)
}

// once sends a request. Its error says that another attempt may help, unless it
// is permanent; there may be an answer even so.
func (t *transport) once(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout,
		fmt.Errorf("nothing came within NEWTERMS_REQUEST_TIMEOUT=%s", t.timeout))
	defer cancel()
	res, err := t.next.Perform(req.WithContext(ctx))
	var body []byte
	if err == nil {
		defer res.Body.Close()
		body, err = io.ReadAll(io.LimitReader(res.Body, esquery.MaxAnswer+1))
		res.Body = io.NopCloser(bytes.NewReader(body))
	}
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return nil, backoff.Permanent(err)
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests:
		// A search that needs too much memory must ask for less, not wait.
		if strings.HasSuffix(req.URL.Path, "/_search") && bytes.Contains(body, []byte("circuit_breaking_exception")) {
			return res, nil
		}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return res, nil
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds >= 0 {
		return res, backoff.RetryAfter(seconds)
	}
	return res, errors.New(res.Status)
}
