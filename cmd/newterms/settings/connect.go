package settings

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/elastic/elastic-transport-go/v8/elastictransport"

	"newterms/esquery/elastic"
)

// Connect makes the client for requests to Elasticsearch with the given credentials. It
// sends nothing.
func (s Settings) Connect(c Credentials, userAgent string, o elastic.Options) (*elastic.Client, error) {
	urls, err := s.addresses()
	if err != nil {
		return nil, err
	}
	base, err := transport("ELASTICSEARCH_CA", s.CA, s.ServerName)
	if err != nil {
		return nil, err
	}
	hosts, prefixed := splitPaths(urls, base)
	options := []elastictransport.Option{
		elastictransport.WithURLs(hosts...), elastictransport.WithTransport(prefixed), elastictransport.WithDisableRetry(),
		elastictransport.WithUserAgent(userAgent),
	}
	switch {
	case c.APIKey != "":
		options = append(options, elastictransport.WithAPIKey(c.APIKey))
	case c.Username != "":
		options = append(options, elastictransport.WithBasicAuth(c.Username, c.Password))
	}
	client, err := elastictransport.NewClient(options...)
	if err != nil {
		return nil, Errorf("%w", err)
	}
	o.Timeout = time.Duration(s.RequestTimeout)
	return elastic.NewClient(client, o), nil
}

// transport returns a transport that trusts the authorities in a PEM file, or those of
// the system if there is none. setting names the file's variable. serverName is the name
// that the server's certificate must have, "" for the one in the URL. It asks for
// uncompressed answers: compression of 2 MB of events took both sides 35 ms of CPU, and a
// network near the cluster transfers them in 2 ms.
func transport(setting, file, serverName string) (http.RoundTripper, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if file == "" {
		return elastic.CheckScheme(t), nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, Errorf("%s: %w", setting, err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, Errorf("%s: %s holds no PEM certificate", setting, file)
	}
	t.TLSClientConfig.RootCAs = authorities
	return elastic.CheckScheme(t), nil
}

// pathPrefix puts the path of a server's URL before that of each request. The client's
// own way loses the escapes in the request's path.
type pathPrefix struct {
	next  http.RoundTripper
	paths map[string]string // by host
}

// splitPaths returns the URLs without their paths, and a transport that adds these to
// each request.
func splitPaths(urls []*url.URL, next http.RoundTripper) ([]*url.URL, http.RoundTripper) {
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
