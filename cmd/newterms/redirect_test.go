package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"newterms/cmd/newterms/failure"
)

// TestRedirects leads newterms from where it is sent to another server, which must
// not hear of it: it would get the credentials.
func TestRedirects(t *testing.T) {
	c := newCluster(t)
	var heard []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard = append(heard, r.Method+" "+r.URL.Path)
		_, _ = w.Write([]byte(`{"success":true,"successCount":1}`))
	}))
	defer elsewhere.Close()
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		leading := httptest.NewTLSServer(http.RedirectHandler(elsewhere.URL+"/login?token=secret", status))
		authority := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leading.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		for what, run := range map[string]struct {
			environ []string
			args    []string
		}{
			"ELASTICSEARCH_URL": {[]string{"ELASTICSEARCH_URL=" + leading.URL, "ELASTICSEARCH_CA=" + authority, "ELASTICSEARCH_API_KEY=a2V5OnNlY3JldA=="}, []string{"run"}},
			"KIBANA_URL":        {[]string{"KIBANA_URL=" + leading.URL, "KIBANA_CA=" + authority, "KIBANA_API_KEY=a2V5OnNlY3JldA=="}, []string{"setup", "--dashboards"}},
		} {
			stdout, stderr, code := call(t, append(slices.Clone(c.environ), run.environ...), run.args...)
			to := http.StatusText(status) + " to " + elsewhere.URL + "/login: set " + what + " to the address of "
			if code != failure.ExitConfig || !strings.Contains(stderr, to) || strings.Contains(stdout+stderr, "secret") || strings.Contains(stdout, "imported") {
				t.Errorf("%d: exit %d: %s%s", status, code, stdout, stderr)
			}
		}
		leading.Close()
	}
	if len(heard) > 0 {
		t.Errorf("the other server heard %v", heard)
	}
}
