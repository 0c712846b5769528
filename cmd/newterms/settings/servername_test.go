package settings

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"newterms/esquery/estest"
)

// TestServerNameOfKibana asks a Kibana whose certificate is for another name than that
// in its address, as behind a forwarded port.
func TestServerNameOfKibana(t *testing.T) {
	dir := t.TempDir()
	if err := estest.WriteCertificates(dir, "kibana-kb-http.elastic.svc", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "node.pem"), filepath.Join(dir, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a handshake fails here on purpose
	server.StartTLS()
	defer server.Close()
	ask := func(name string) error {
		t.Helper()
		s, err := Read([]string{"KIBANA_URL=" + server.URL, "KIBANA_CA=" + filepath.Join(dir, "ca.pem"), "KIBANA_TLS_SERVER_NAME=" + name})
		if err != nil {
			t.Fatal(err)
		}
		space, err := s.Space()
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := space.Do(request)
		if err == nil {
			answer.Body.Close()
		}
		return err
	}
	if err := ask("kibana-kb-http.elastic.svc"); err != nil {
		t.Error(err)
	}
	if err := ask(""); !errors.As(err, new(x509.HostnameError)) {
		t.Errorf("without a name: %v", err)
	}
}
