package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"newterms/alerts/keys"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/esquery/estest"
)

// TestKeyFiles holds the files for those who make keys by hand against the keys
// that newterms makes.
func TestKeyFiles(t *testing.T) {
	s, err := settings.Read([]string{"NEWTERMS_INDEX=logs-okta.system-*"})
	if err != nil {
		t.Fatal(err)
	}
	specs := specsOf(t, s, keysFlags{uses: keys.Uses()})
	for _, spec := range specs {
		text, err := os.ReadFile(filepath.Join("../../deploy/elasticsearch", string(spec.Use)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(spec.Body())
		if err != nil {
			t.Fatal(err)
		}
		var file, ours any
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &ours); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(file, ours) {
			t.Errorf("%s.json differs from %s", spec.Use, body)
		}
	}
}

func specsOf(t *testing.T, s settings.Settings, f keysFlags) []keys.Spec {
	t.Helper()
	p := program{settings: s, now: time.Now}
	rules, err := p.loadRules(nil, nil, s.MissingTerms)
	if err != nil {
		t.Fatal(err)
	}
	return p.keySpecs(f, rules)
}

// TestKeysFitTheSettings reads what a key may from the rules and settings.
func TestKeysFitTheSettings(t *testing.T) {
	s, err := settings.Read([]string{"NEWTERMS_INDEX=logs-a-*,-logs-a-old,emea:logs-b-*", "NEWTERMS_NAMESPACE=two", "NEWTERMS_RUNS_TARGET=runs", "KIBANA_SPACE=sec"})
	if err != nil {
		t.Fatal(err)
	}
	specs := specsOf(t, s, keysFlags{uses: keys.Uses(), expires: settings.Duration(36 * time.Hour)})
	var all []string
	for _, spec := range specs {
		body, err := json.Marshal(spec.Body())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(body))
	}
	for _, want := range []string{
		`"name":"newterms-run-two"`, `{"names":["logs-a-*"],"privileges":["read"]}`, `{"names":["logs-b-*"],"privileges":["read","read_cross_cluster"]}`,
		`"remote_indices":[{"clusters":["emea"],"names":["logs-b-*"],"privileges":["read","read_cross_cluster"]}]`,
		`{"names":[".alerts-newterms.detections-two","runs"],"privileges":["read","create_doc","auto_configure"]}`,
		`"resources":["space:sec"]`, `"expiration":"129600s"`,
	} {
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("%s is missing in\n%s", want, strings.Join(all, "\n"))
		}
	}
	if strings.Contains(all[0], "logs-a-old") {
		t.Errorf("an exclusion is granted: %s", all[0])
	}
}

// keysAreTakenBack prints to a reader that is gone, and loses the answer that
// has a key: no key is left that nobody has.
func (s *secure) keysAreTakenBack(t *testing.T) {
	lost := 0
	server := s.before(t, func(r *http.Request, onward func()) {
		onward()
		if r.Method == http.MethodPut && r.URL.Path == "/_security/api_key" {
			if lost++; lost == 1 {
				panic(http.ErrAbortHandler)
			}
		}
	})
	environ := []string{
		"ELASTICSEARCH_URL=" + server.URL, "ELASTICSEARCH_USERNAME=" + estest.Username, "ELASTICSEARCH_PASSWORD=" + estest.Password, "NEWTERMS_NAMESPACE=gone",
	}
	call := func(stdout io.Writer) int {
		var stderr strings.Builder
		err := quickly(time.Now).execute(t.Context(), []string{"keys"}, environ, stdout, &stderr)
		s.say(stderr.String())
		t.Log(stderr.String())
		return failure.Code(err)
	}
	if code := call(gone{}); code != failure.ExitFailed || lost != 3 {
		t.Errorf("nobody reads: exit %d, after %d requests for 2 keys", code, lost)
	}
	if left := s.validKeys(t, "gone"); len(left) > 0 {
		t.Errorf("nobody reads: there are still %v", left)
	}
	lost = 0
	if code := call(io.Discard); code != failure.ExitDone || lost != 3 {
		t.Errorf("a lost answer: exit %d, after %d requests for 2 keys", code, lost)
	}
	if left := s.validKeys(t, "gone"); !slices.Equal(left, []string{"newterms-run-gone", "newterms-setup-gone"}) {
		t.Errorf("a lost answer: there are %v", left)
	}
}

// before is the node behind a server that does something around each request, which
// goes onward when that is called.
func (s *secure) before(t *testing.T, around func(r *http.Request, onward func())) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var answer *http.Response
		around(r, func() {
			request := r.Clone(r.Context())
			request.RequestURI = "" // which only a server may have
			var err error
			if answer, err = s.node.Perform(request); err != nil {
				if r.Context().Err() == nil { // a run that fails cancels its other requests
					t.Error(err)
				}
				panic(http.ErrAbortHandler)
			}
		})
		defer answer.Body.Close()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		if _, err := io.Copy(w, answer.Body); err != nil && r.Context().Err() == nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

type gone struct{}

func (gone) Write([]byte) (int, error) { return 0, fmt.Errorf("nobody reads") }

// validKeys are the names of the valid keys whose name ends in -suffix.
func (s *secure) validKeys(t testing.TB, suffix string) []string {
	t.Helper()
	answer, err := s.node.Request(context.Background(), "GET", "/_security/api_key?active_only=true&name=newterms-*", nil)
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Keys []struct{ Name string } `json:"api_keys"`
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range found.Keys {
		if strings.HasSuffix(k.Name, "-"+suffix) {
			names = append(names, k.Name)
		}
	}
	slices.Sort(names)
	return names
}

// keyCommands are
//
//	made USE NAME        sets $NAME to a key that newterms keys has just printed
//	valid-keys NAMESPACE prints the names of the keys that are valid
func (s *secure) keyCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"made": func(ts *testscript.TestScript, _ bool, args []string) {
			var made map[string]keys.Key
			ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &made))
			if made[args[0]].Encoded == "" {
				ts.Fatalf("no key %s was made, only %v", args[0], slices.Collect(maps.Keys(made)))
			}
			ts.Setenv(args[1], made[args[0]].Encoded)
		},
		"valid-keys": func(ts *testscript.TestScript, _ bool, args []string) {
			for _, name := range s.validKeys(s, args[0]) {
				fmt.Fprintln(ts.Stdout(), name)
			}
		},
	}
}
