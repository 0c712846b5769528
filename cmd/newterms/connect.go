package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"newterms/esquery/elastic"
)

// connect makes the client that all requests to Elasticsearch go through. It
// sends nothing.
func (p program) connect() (*elastic.Client, error) { return p.connectAs(p.settings.credentials()) }

// connectAs is connect with credentials, or their error.
func (p program) connectAs(credentials credentials, credentialsErr error) (*elastic.Client, error) {
	urls, urlsErr := p.settings.addresses()
	if err := errors.Join(urlsErr, credentialsErr); err != nil {
		return nil, err
	}
	base, err := httpTransport("ELASTICSEARCH_CA", p.settings.CA)
	if err != nil {
		return nil, err
	}
	hosts, prefixed := behindPaths(urls, base)
	options := []elastictransport.Option{
		elastictransport.WithURLs(hosts...), elastictransport.WithTransport(prefixed), elastictransport.WithDisableRetry(),
		elastictransport.WithUserAgent("newterms/" + version()),
	}
	switch {
	case credentials.apiKey != "":
		options = append(options, elastictransport.WithAPIKey(credentials.apiKey))
	case credentials.username != "":
		options = append(options, elastictransport.WithBasicAuth(credentials.username, credentials.password))
	}
	transport, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, configError{err}
	}
	return elastic.NewClient(transport, elastic.Options{
		Timeout: time.Duration(p.settings.RequestTimeout), Retry: p.retry, Log: p.log,
	}), nil
}

// httpTransport trusts the authorities in a PEM file, which a setting names; if
// the setting is empty, those of the system. It asks for answers as they are: to
// pack and unpack 2 MB of events took both sides 35 ms of CPU, where a network
// beside the cluster carries them in 2.
func httpTransport(setting, file string) (http.RoundTripper, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if file == "" {
		return elastic.CheckScheme(transport), nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, configError{fmt.Errorf("%s: %w", setting, err)}
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, configError{fmt.Errorf("%s: %s holds no PEM certificate", setting, file)}
	}
	transport.TLSClientConfig.RootCAs = authorities
	return elastic.CheckScheme(transport), nil
}

// pathPrefix puts the path of a server's URL before that of each request. The
// client's own way loses the escapes in the request's path.
type pathPrefix struct {
	next  http.RoundTripper
	paths map[string]string // by host
}

// behindPaths returns the URLs without their paths and what puts them back.
func behindPaths(urls []*url.URL, next http.RoundTripper) ([]*url.URL, http.RoundTripper) {
	p := pathPrefix{next, map[string]string{}}
	hosts := make([]*url.URL, len(urls))
	for i, u := range urls {
		p.paths[u.Host] = u.Path
		hosts[i] = &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	return hosts, p
}

func (p pathPrefix) RoundTrip(req *http.Request) (*http.Response, error) {
	path := p.paths[req.URL.Host]
	if path == "" {
		return p.next.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	escaped := (&url.URL{Path: path}).EscapedPath() + req.URL.EscapedPath()
	req.URL.Path = path + req.URL.Path
	req.URL.RawPath = escaped
	return p.next.RoundTrip(req)
}
