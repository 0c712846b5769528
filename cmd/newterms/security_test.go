package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"newterms/esquery/estest"
)

// secure is a node with security and TLS, and all that newterms said to it and
// about it.
type secure struct {
	*testing.T
	node *estest.Node
	west *estest.Node // a remote cluster of node
	keys int

	mu      sync.Mutex
	secrets []string
	said    strings.Builder
}

// TestSecurity runs testdata/secured on a node with security and TLS, which has
// another one as the remote cluster west: what
// people read with each way to connect. Then it takes each privilege away, and
// looks for secrets in all that was said.
func TestSecurity(t *testing.T) {
	t.Parallel() // with the other long tests
	node, err := estest.Start(t.Context(), estest.Options{Security: true, TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	}()
	west, err := estest.Start(t.Context(), estest.Options{Security: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := west.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if err := node.Connect(t.Context(), "west", west); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*estest.Node{node, west} { // document- and field-level security take one
		n.Must(t, "POST", "/_license/start_trial?acknowledge=true", nil)
	}
	s := &secure{T: t, node: node, west: west, secrets: []string{estest.Password, "wrong-password"}}
	node.Must(t, "PUT", "/_index_template/logs-okta.system", oktaTemplate(t))
	now := time.Now().UTC()
	for actor, ago := range map[string]time.Duration{"known": 48 * time.Hour, "ada": time.Minute} {
		node.Must(t, "POST", "/logs-okta.system-default/_doc?refresh=true", proxySession(actor, "acc-1", now.Add(-ago).Format(time.RFC3339)))
	}
	for name, role := range map[string]map[string]any{ // users who may make keys
		"poor": {"cluster": []string{"manage_api_key", "monitor"}},
		"own": {"cluster": []string{"manage_own_api_key"}, "indices": []any{
			map[string]any{"names": []string{"logs-okta.system-*"}, "privileges": []string{"read"}},
			map[string]any{"names": []string{".alerts-newterms.*"}, "privileges": []string{"all"}},
		}},
		"nobody": {},
	} {
		node.Must(t, "PUT", "/_security/role/"+name, role)
		node.Must(t, "PUT", "/_security/user/"+name, map[string]any{"password": estest.Password, "roles": []string{name}})
	}
	t.Run("stories", s.stories)
	t.Run("privileges", s.privileges)
	t.Run("reading", s.reading)
	t.Run("bulks", s.bulks)
	t.Run("keys", s.keysAreTakenBack)
	t.Run("at once", s.keysAtOnce)
	t.Run("right taken", s.rightTaken)
	t.Run("readme", s.readme)
	s.call(nil, "--help")
	s.call(nil, "version")
	admin := []string{"ELASTICSEARCH_USERNAME=" + estest.Username, "ELASTICSEARCH_PASSWORD=" + estest.Password}
	for _, command := range []string{"setup", "run"} { // for those who run one of these tests alone
		if _, stderr, code := s.call(admin, command); code != 0 {
			t.Error(stderr)
		}
	}
	runs := node.Documents(t, ".alerts-newterms.*", nil)
	if len(runs) == 0 {
		t.Fatal("there are no run documents")
	}
	fmt.Fprint(&s.said, runs)
	for _, secret := range s.secrets {
		if at := strings.Index(s.said.String(), secret); at >= 0 {
			t.Errorf("a secret was said: …%s…", s.said.String()[max(0, at-100):at+len(secret)])
		}
	}
	t.Logf("%d secrets looked for in %d bytes of output and documents", len(s.secrets), s.said.Len())
}

// stories have besides the commands of the others
//
//	key FILE NAME    makes an API key with a request body, also one that grants it to
//	                 a user, and sets $NAME to it
//	west METHOD PATH [FILE]    asks the remote cluster itself
func (s *secure) stories(t *testing.T) {
	commands := commands()
	commands["key"] = func(ts *testscript.TestScript, _ bool, args []string) {
		var body map[string]any
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &body))
		key, err := s.makeKey(body)
		ts.Check(err)
		ts.Setenv(args[1], key)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(key+"\n"), 0o400))
	}
	commands["west"] = func(ts *testscript.TestScript, neg bool, args []string) { askNode(ts, s.west, neg, args) }
	maps.Copy(commands, s.keyCommands())
	urls, authorities := s.certificates(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/secured", UpdateScripts: *update, RequireUniqueNames: true, Cmds: commands,
		Setup: func(env *testscript.Env) error {
			c := &cluster{tb: env.T().(testing.TB), node: s.node, prefix: estest.Name("sec")}
			env.Values["story"] = &story{cluster: c, said: s.say}
			env.Vars = append(env.Vars, "CLOCK=0s", "LOG_FORMAT=text", "LOG_LEVEL=debug", "NEWTERMS_INDEX=logs-okta.system-*",
				"ELASTICSEARCH_URL="+s.node.URL, "ELASTICSEARCH_CA="+s.node.CAFile, "NODE_URL="+s.node.URL, "NODE_CA="+s.node.CAFile,
				"USERNAME="+estest.Username, "PASSWORD="+estest.Password)
			for _, variables := range []map[string]string{urls, authorities} {
				for name, value := range variables {
					env.Vars = append(env.Vars, name+"="+value)
				}
			}
			return os.CopyFS(env.WorkDir, os.DirFS("../../deploy/elasticsearch"))
		},
	})
}

// say keeps what newterms printed.
func (s *secure) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said.WriteString(text)
}

// call runs newterms against the node, with logs at debug level.
func (s *secure) call(environ []string, args ...string) (stdout, stderr string, code int) {
	s.Helper()
	base := []string{"ELASTICSEARCH_URL=" + s.node.URL, "ELASTICSEARCH_CA=" + s.node.CAFile, "LOG_LEVEL=debug", "NEWTERMS_INDEX=logs-okta.system-*"}
	stdout, stderr, code = call(s.T, append(base, environ...), args...)
	s.say(stdout + stderr)
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
	key, err := s.makeKey(body)
	if err != nil {
		s.Fatal(err)
	}
	return key
}

func (s *secure) makeKey(body map[string]any) (string, error) {
	path := "/_security/api_key"
	if body["grant_type"] != nil {
		path += "/grant"
	}
	answer, err := s.node.Request(s.Context(), "POST", path, body)
	if err != nil {
		return "", err
	}
	var key struct{ Encoded string }
	if err := json.Unmarshal(answer, &key); err != nil {
		return "", err
	}
	decoded, err := base64.StdEncoding.DecodeString(key.Encoded)
	if err != nil {
		return "", err
	}
	_, secret, _ := strings.Cut(string(decoded), ":")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, key.Encoded, secret)
	return key.Encoded, nil
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
