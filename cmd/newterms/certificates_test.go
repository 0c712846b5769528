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

// tls puts a server that shows other certificates before the node.
func (s *secure) tls(t *testing.T) {
	behind, err := url.Parse(s.node.URL)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(dir string) string {
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
		return server.URL
	}
	certificates := func(host string, notAfter time.Time) string {
		dir := t.TempDir()
		if err := estest.WriteCertificates(dir, host, notAfter); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	now := time.Now()
	fine, expired, other := certificates("127.0.0.1", now.Add(time.Hour)), certificates("127.0.0.1", now.Add(-time.Hour)), certificates("elastic.example", now.Add(time.Hour))
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	var all []byte
	for _, dir := range []string{expired, other, fine} {
		text, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	if err := os.WriteFile(bundle, all, 0o600); err != nil {
		t.Fatal(err)
	}
	key := "ELASTICSEARCH_API_KEY=" + s.key(s.descriptor("run.json"))
	for _, c := range []struct {
		name, url, ca string
		code          int
		want          string
	}{
		{"the node's own CA", s.node.URL, s.node.CAFile, 0, ""},
		{"a bundle of three CAs", serve(fine), bundle, 0, ""},
		{"no CA, so the system's", s.node.URL, "", 78, "unknown authority"},
		{"a wrong CA", s.node.URL, filepath.Join(fine, "ca.pem"), 78, "set ELASTICSEARCH_CA to the certificate of its authority"},
		{"an expired certificate", serve(expired), bundle, 78, "expired"},
		{"another host's certificate", serve(other), bundle, 78, "check the host name in ELASTICSEARCH_URL"},
		{"http instead of https", "http" + strings.TrimPrefix(s.node.URL, "https"), "", 1, "check ELASTICSEARCH_URL"},
		{"a CA file that is missing", s.node.URL, "/nope.pem", 78, "ELASTICSEARCH_CA: open /nope.pem"},
	} {
		environ := []string{"ELASTICSEARCH_URL=" + c.url, "ELASTICSEARCH_CA=" + c.ca, key}
		_, stderr, code := s.call(environ, "run", "--output", "none")
		_, _, checked := s.call(environ, "check")
		t.Logf("%-30s run %2d, check %2d  %s", c.name, code, checked, failureLine(stderr))
		if code != c.code || checked != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, check %d, want %d and %q", c.name, code, checked, c.code, c.want)
		}
	}
}

// roundTripper is a node that trusts its own certificate.
type roundTripper struct{ node *estest.Node }

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.RequestURI = ""
	return r.node.Perform(req)
}
