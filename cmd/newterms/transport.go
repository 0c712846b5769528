package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"
	"github.com/elastic/go-elasticsearch/v8/esapi"
)

// connect makes the transport that all requests go through. It sends nothing.
func (s *settings) connect() (esapi.Transport, error) {
	urls, err := s.connection()
	if err != nil {
		return nil, err
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, configError{fmt.Errorf("ELASTICSEARCH_CA: %w", err)}
		}
		base.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !base.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, configError{fmt.Errorf("ELASTICSEARCH_CA: %s holds no PEM certificate", s.CA)}
		}
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
	return &transport{client, time.Duration(s.RequestTimeout)}, nil
}

// transport gives each request a timeout and reads its answer whole, so that a
// connection that breaks halfway is the request's error.
type transport struct {
	next    esapi.Transport
	timeout time.Duration
}

func (t *transport) Perform(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(req.Context(), t.timeout,
		fmt.Errorf("no answer within NEWTERMS_REQUEST_TIMEOUT=%s", t.timeout))
	defer cancel()
	res, err := t.next.Perform(req.WithContext(ctx))
	if err == nil {
		defer res.Body.Close()
		var body []byte
		body, err = io.ReadAll(res.Body)
		res.Body = io.NopCloser(bytes.NewReader(body))
	}
	switch {
	case err == nil:
		return res, nil
	case req.Context().Err() != nil:
		return nil, context.Cause(req.Context())
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("no answer from Elasticsearch: %w: check ELASTICSEARCH_URL and the network", err)
}
