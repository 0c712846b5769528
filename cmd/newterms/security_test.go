package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
