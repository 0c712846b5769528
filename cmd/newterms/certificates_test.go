package main

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"newterms/esquery/estest"
)

// certificates starts servers before the node that show other certificates, have no
// TLS or lead to one that has, and returns the variables with their URLs and with
// the files of authorities.
func (s *secure) certificates(t *testing.T) (urls, authorities map[string]string) {
	behind, err := url.Parse(s.node.URL)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	urls = map[string]string{"PLAIN_URL": "http" + strings.TrimPrefix(s.node.URL, "https")}
	authorities = map[string]string{"BUNDLE": bundle}
	var all []byte
	for name, certificate := range map[string]struct {
		host     string
		notAfter time.Time
	}{
		"FINE": {"127.0.0.1", now.Add(time.Hour)}, "EXPIRED": {"127.0.0.1", now.Add(-time.Hour)}, "OTHER": {"elastic.example", now.Add(time.Hour)},
	} {
		dir := t.TempDir()
		if err := estest.WriteCertificates(dir, certificate.host, certificate.notAfter); err != nil {
			t.Fatal(err)
		}
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "node.pem"), filepath.Join(dir, "node.key"))
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(behind)
		proxy.Transport = roundTripper{s.node}
		server := httptest.NewUnstartedServer(proxy)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail here on purpose
		server.StartTLS()
		t.Cleanup(server.Close)
		urls[name+"_URL"], authorities[name+"_CA"] = server.URL, filepath.Join(dir, "ca.pem")
		text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	if err := os.WriteFile(bundle, all, 0o600); err != nil {
		t.Fatal(err)
	}
	urls["PLAIN_PROXY_URL"] = "http" + strings.TrimPrefix(urls["FINE_URL"], "https")
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.Transport = roundTripper{s.node}
	withoutTLS := httptest.NewServer(proxy)
	t.Cleanup(withoutTLS.Close)
	urls["TLS_TO_PLAIN_URL"] = "https" + strings.TrimPrefix(withoutTLS.URL, "http")
	leading := httptest.NewServer(http.RedirectHandler(urls["FINE_URL"], http.StatusMovedPermanently))
	t.Cleanup(leading.Close)
	urls["LEADING_URL"] = leading.URL
	return urls, authorities
}

// roundTripper is a node that trusts its own certificate.
type roundTripper struct{ node *estest.Node }

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.RequestURI = ""
	return r.node.Perform(req)
}
