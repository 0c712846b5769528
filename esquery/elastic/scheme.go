package elastic

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// A SchemeError reports that a server uses another scheme than its URL.
type SchemeError struct {
	Host   string // with the port, if the URL has one
	Scheme string // the right one, http or https
}

func (e *SchemeError) Error() string {
	if e.Scheme == "https" {
		return e.Host + " takes only https, and its URL begins with http"
	}
	return e.Host + " does not speak TLS, and its URL begins with https"
}

// CheckScheme returns a transport that reports a wrong scheme with a *SchemeError.
// Elasticsearch silently closes a plain-text connection to its TLS port, like a network
// that fails. It checks a host only until its first answer.
func CheckScheme(next http.RoundTripper) http.RoundTripper {
	return &schemeCheck{next: next, answered: map[string]bool{}}
}

type schemeCheck struct {
	next http.RoundTripper

	mu       sync.Mutex
	answered map[string]bool // by host
}

func (c *schemeCheck) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.next.RoundTrip(req)
	host := req.URL.Host
	switch {
	case req.URL.Scheme == "https" && errors.As(err, new(tls.RecordHeaderError)):
		return nil, &SchemeError{host, "http"}
	case req.URL.Scheme == "https" || c.hasAnswered(host):
		return res, err
	case leadsToTLS(req.URL, res), mayBeTLS(res, err) && speaksTLS(req.Context(), req.URL):
		if err == nil {
			res.Body.Close()
		}
		return nil, &SchemeError{host, "https"}
	case err == nil:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answered[host] = true
	}
	return res, err
}

func (c *schemeCheck) hasAnswered(host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered[host]
}

// leadsToTLS reports whether an answer redirects to the same host by https.
func leadsToTLS(from *url.URL, res *http.Response) bool {
	if res == nil || res.StatusCode < 300 || res.StatusCode > 399 {
		return false
	}
	to, err := res.Location()
	return err == nil && to.Scheme == "https" && to.Hostname() == from.Hostname()
}

// mayBeTLS reports whether a TLS port may have received plain text: the connection
// ended, or an alert came that is no HTTP, or a proxy returned the status 400.
func mayBeTLS(res *http.Response, err error) bool {
	if err != nil {
		var failed *net.OpError
		return !errors.As(err, &failed) || failed.Op != "dial"
	}
	return res.StatusCode == http.StatusBadRequest && res.Header.Get("X-Elastic-Product") == ""
}

// speaksTLS begins a TLS handshake, and sends nothing else.
func speaksTLS(ctx context.Context, u *url.URL) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // any certificate proves that it is TLS
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")))
	if err == nil {
		conn.Close()
	}
	return err == nil || errors.As(err, new(tls.AlertError))
}
