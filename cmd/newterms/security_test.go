package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery/estest"
)

// secure is a node with security and TLS, and all that newterms said to it and
// about it.
type secure struct {
	*testing.T
	node    *estest.Node
	secrets []string
	said    strings.Builder
	keys    int
}

// TestSecurity asks a node with security and TLS, prints what became of each
// way to connect and of each missing privilege, and looks for secrets in all
// that was said.
func TestSecurity(t *testing.T) {
	node, err := estest.Start(t.Context(), estest.Options{Security: true, TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s := &secure{T: t, node: node, secrets: []string{estest.Password}}
	template, err := os.ReadFile("../../testdata/okta/index-template.json")
	if err != nil {
		t.Fatal(err)
	}
	s.request("PUT", "/_index_template/logs-okta.system", template)
	now := time.Now().UTC()
	for actor, ago := range map[string]time.Duration{"known": 48 * time.Hour, "ada": time.Minute} {
		s.request("POST", "/logs-okta.system-default/_doc?refresh=true", proxySession(actor, "acc-1", now.Add(-ago).Format(time.RFC3339)))
	}
	t.Run("keys of the README", s.wholeJob)
	t.Run("credentials", s.credentials)
	t.Run("TLS", s.tls)
	t.Run("privileges", s.privileges)
	s.call(nil, "--help")
	s.call(nil, "version")
	runs, err := node.Sources(t.Context(), ".alerts-newterms.*", map[string]any{"size": 1000})
	if err != nil || len(runs) == 0 {
		t.Fatalf("%d run documents, %v", len(runs), err)
	}
	fmt.Fprint(&s.said, runs)
	for _, secret := range s.secrets {
		if at := strings.Index(s.said.String(), secret); at >= 0 {
			t.Errorf("a secret was said: …%s…", s.said.String()[max(0, at-100):at+len(secret)])
		}
	}
	t.Logf("%d secrets looked for in %d bytes of output and documents", len(s.secrets), s.said.Len())
}

func (s *secure) request(method, path string, body any) []byte {
	s.Helper()
	answer, err := s.node.Request(s.Context(), method, path, body)
	if err != nil {
		s.Fatal(err)
	}
	return answer
}

// call runs newterms against the node, with logs at debug level.
func (s *secure) call(environ []string, args ...string) (stdout, stderr string, code int) {
	s.Helper()
	base := []string{"ELASTICSEARCH_URL=" + s.node.URL, "ELASTICSEARCH_CA=" + s.node.CAFile, "LOG_LEVEL=debug", "NEWTERMS_INDEX=logs-okta.system-*"}
	stdout, stderr, code = call(s.T, append(base, environ...), args...)
	s.said.WriteString(stdout + stderr)
	return stdout, stderr, code
}

// descriptor is a file of deploy/elasticsearch, the body that makes a key.
func (s *secure) descriptor(name string) map[string]any {
	s.Helper()
	text, err := os.ReadFile("../../deploy/elasticsearch/" + name)
	if err != nil {
		s.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(text, &body); err != nil {
		s.Fatal(err)
	}
	return body
}

// key makes an API key and returns it encoded.
func (s *secure) key(body map[string]any) string {
	s.Helper()
	var key struct{ Encoded, APIKey string }
	if err := json.Unmarshal(s.request("POST", "/_security/api_key", body), &key); err != nil || key.Encoded == "" {
		s.Fatal(err)
	}
	decoded, err := base64.StdEncoding.DecodeString(key.Encoded)
	if err != nil {
		s.Fatal(err)
	}
	_, secret, _ := strings.Cut(string(decoded), ":")
	s.secrets = append(s.secrets, key.Encoded, secret)
	return key.Encoded
}

// wholeJob sets up with the setup key and runs with the run key.
func (s *secure) wholeJob(t *testing.T) {
	run, setup := "ELASTICSEARCH_API_KEY="+s.key(s.descriptor("run.json")), "ELASTICSEARCH_API_KEY="+s.key(s.descriptor("setup.json"))
	if _, stderr, code := s.call([]string{run}, "setup"); code != exitUnauthorized || !strings.Contains(stderr, "manage_index_templates") {
		t.Errorf("setup with the run key: exit %d: %s", code, stderr)
	}
	for _, want := range []string{"installed", "unchanged"} {
		if stdout, stderr, code := s.call([]string{setup}, "setup"); code != exitDone || strings.Count(stdout, want) != 2 {
			t.Fatalf("setup: exit %d: %s%s", code, stdout, stderr)
		}
	}
	for _, want := range []string{`"written":1`, `"already_alerted":1`} {
		if _, stderr, code := s.call([]string{run}, "run", "--from", "now-1d"); code != exitDone || !strings.Contains(stderr, want) {
			t.Errorf("by hand: exit %d, want %s: %s", code, want, stderr)
		}
	}
	if _, stderr, code := s.call([]string{run}, "run"); code != exitDone || !strings.Contains(stderr, `"already_alerted":1`) {
		t.Errorf("scheduled: exit %d: %s", code, stderr)
	}
	stdout, _, code := s.call([]string{run}, "check")
	if code != exitDone || strings.Contains(stdout, "✗") || !strings.Contains(stdout, "API key newterms-run of admin") {
		t.Errorf("check: exit %d: %s", code, stdout)
	}
	if stdout, _, _ := s.call([]string{setup}, "setup"); strings.Count(stdout, "unchanged") != 2 {
		t.Errorf("setup of existing data streams: %s", stdout)
	}
}

func (s *secure) credentials(t *testing.T) {
	const keyIs, fileIs = "ELASTICSEARCH_API_KEY=", "ELASTICSEARCH_API_KEY_FILE="
	const user, password = "ELASTICSEARCH_USERNAME=" + estest.Username, "ELASTICSEARCH_PASSWORD="
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o400); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := s.key(s.descriptor("run.json"))
	revoked := s.descriptor("run.json")
	revoked["name"] = "revoked"
	revokedKey := s.key(revoked)
	s.request("DELETE", "/_security/api_key", map[string]any{"name": "revoked"})
	expired := s.descriptor("run.json")
	expired["expiration"] = "1ms"
	expiredKey := s.key(expired)
	s.secrets = append(s.secrets, "wrong-password")
	for _, c := range []struct {
		name    string
		environ []string
		code    int
		want    string
	}{
		{"API key", []string{keyIs + good}, 0, ""},
		{"API key in a file", []string{fileIs + file(good)}, 0, ""},
		{"user and password", []string{user, password + estest.Password}, 0, ""},
		{"user, password in a file", []string{user, "ELASTICSEARCH_PASSWORD_FILE=" + file(estest.Password)}, 0, ""},
		{"no credentials", nil, 77, "missing authentication credentials"},
		{"a key that is none", []string{keyIs + "bm90OmFrZXk="}, 77, "401 security_exception"},
		{"a key that is not even encoded", []string{keyIs + "my key"}, 77, "401"},
		{"a revoked key", []string{keyIs + revokedKey}, 77, "revoked or expired"},
		{"an expired key", []string{keyIs + expiredKey}, 77, "revoked or expired"},
		{"a wrong password", []string{user, password + "wrong-password"}, 77, "or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"},
		{"both", []string{keyIs + good, user, password + estest.Password}, 78, "keep one"},
	} {
		_, stderr, code := s.call(c.environ, "run", "--output", "none")
		_, _, checked := s.call(c.environ, "check")
		t.Logf("%-30s run %2d, check %2d  %s", c.name, code, checked, failureLine(stderr))
		if code != c.code || checked != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, check %d, want %d and %q", c.name, code, checked, c.code, c.want)
		}
	}
}

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

// privileges takes each privilege of the run key away, alone, and then all.
func (s *secure) privileges(t *testing.T) {
	none := map[string]any{"name": "none", "role_descriptors": map[string]any{"none": map[string]any{"cluster": []string{}}}}
	stdout, _, code := s.call([]string{"ELASTICSEARCH_API_KEY=" + s.key(none)}, "check")
	t.Logf("check with no rights: exit %d\n%s", code, stdout)
	if code != exitUnauthorized || strings.Count(stdout, "is missing\n") != 7 {
		t.Error("want exit 77 and seven missing privileges")
	}
	setup := "ELASTICSEARCH_API_KEY=" + s.key(map[string]any{"name": "all"})
	for entry, index := range []string{"logs-okta.system-*", "detections", "runs"} {
		privileges := []string{"read"}
		if entry > 0 {
			privileges = []string{"read", "create_doc", "auto_configure"}
		}
		for _, lost := range privileges {
			s.keys++
			detections, runs := fmt.Sprintf(".alerts-newterms.detections-row%d", s.keys), fmt.Sprintf(".alerts-newterms.runs-row%d", s.keys)
			without := map[string]string{"detections": detections, "runs": runs}[index]
			if without == "" {
				without = index
			}
			targets := []string{"NEWTERMS_ALERTS_TARGET=" + detections, "NEWTERMS_RUNS_TARGET=" + runs}
			key := s.key(withoutPrivilege(t, s.descriptor("run.json"), detections, runs, without, lost))
			if _, stderr, code := s.call(append(targets, setup), "setup"); code != 0 {
				t.Fatal(stderr)
			}
			environ := append(targets, "ELASTICSEARCH_API_KEY="+key)
			_, stderr, code := s.call(environ, "run", "--output", "none")
			stdout, _, checked := s.call(environ, "check")
			t.Logf("%-16s on %-38s run %2d, check %2d  %s", lost, without, code, checked, failureLine(stderr))
			want := "the privilege " + lost + " on " + without + " is missing"
			if code != exitUnauthorized || !strings.Contains(stderr, lost) || !strings.Contains(stderr, without) {
				t.Errorf("exit %d: %s", code, stderr)
			}
			if checked != exitUnauthorized || !strings.Contains(stdout, want) || strings.Count(stdout, "✗") != 1 {
				t.Errorf("check: exit %d, want %q alone: %s", checked, want, stdout)
			}
		}
	}
}

// withoutPrivilege is the body of a key for the given targets that lacks one
// privilege on one index.
func withoutPrivilege(t *testing.T, body map[string]any, detections, runs, index, lost string) map[string]any {
	t.Helper()
	role := body["role_descriptors"].(map[string]any)["newterms_run"].(map[string]any)
	var entries []any
	removed := false
	for _, entry := range role["indices"].([]any) {
		entry := entry.(map[string]any)
		for _, name := range entry["names"].([]any) {
			name := strings.NewReplacer(".alerts-newterms.detections-default", detections, ".alerts-newterms.runs-default", runs).Replace(name.(string))
			kept := slices.DeleteFunc(slices.Clone(entry["privileges"].([]any)), func(p any) bool { return name == index && p == lost })
			removed = removed || len(kept) < len(entry["privileges"].([]any))
			if len(kept) > 0 {
				entries = append(entries, map[string]any{"names": []string{name}, "privileges": kept})
			}
		}
	}
	if !removed {
		t.Fatalf("run.json does not grant %s on %s", lost, index)
	}
	role["indices"] = entries
	return body
}

// failureLine is the message of the last error that was logged.
func failureLine(stderr string) string {
	for _, line := range slices.Backward(strings.Split(stderr, "\n")) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["log.level"] == "error" {
			return fmt.Sprint(entry["message"])
		}
	}
	return ""
}
