package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"newterms/cmd/newterms/failure"
	"newterms/esquery/estest"
)

// keysAtOnce lets a second user make or replace a key at each moment of the first
// one's: one key is left, or each is told; and whoever does not have it is told.
func (s *secure) keysAtOnce(t *testing.T) {
	isMake := func(r *http.Request) bool { return r.Method == http.MethodPut && r.URL.Path == "/_security/api_key" }
	isEnd := func(r *http.Request) bool { return r.Method == http.MethodDelete && r.URL.Path == "/_security/api_key" }
	for i, c := range []struct {
		when        string
		at          func(r *http.Request) bool
		after       bool
		existing    bool
		args        string
		who         string // the other one
		code, other int
		want        string
	}{
		{"before it is made", isMake, false, false, "keys run", estest.Username, failure.ExitUsage, failure.ExitDone, "somebody else made the API key"},
		{"before it is made, rotated", isMake, false, true, "keys run --rotate", estest.Username, failure.ExitUsage, failure.ExitDone, "somebody else made the API key"},
		{"after it is made", isMake, true, false, "keys run", estest.Username, failure.ExitDone, failure.ExitUsage, "made API key"},
		{"after it is made, rotated", isMake, true, true, "keys run --rotate", estest.Username, failure.ExitUsage, failure.ExitDone, "somebody else made the API key"},
		{"before the old one is ended", isEnd, false, true, "keys run --rotate", estest.Username, failure.ExitFailed, failure.ExitDone, "is no longer valid: somebody else invalidated it; the API key newterms-run-once4 (id "},
		{"after it is made, by one who does not see it", isMake, true, false, "keys run", "own", failure.ExitDone, failure.ExitDone, "of own, made "},
	} {
		t.Run(c.when, func(t *testing.T) {
			namespace := fmt.Sprintf("once%d", i)
			environ := []string{"ELASTICSEARCH_USERNAME=" + estest.Username, "ELASTICSEARCH_PASSWORD=" + estest.Password, "NEWTERMS_NAMESPACE=" + namespace}
			if c.existing {
				if _, stderr, code := s.call(environ, "keys", "run"); code != 0 {
					t.Fatal(stderr)
				}
			}
			done := false
			server := s.before(t, func(r *http.Request, onward func()) {
				if c.after {
					onward()
				}
				if !done && c.at(r) {
					done = true
					if _, stderr, code := s.call(append(environ, "ELASTICSEARCH_USERNAME="+c.who), strings.Fields(c.args)...); code != c.other {
						t.Errorf("the other one: exit %d: %s", code, stderr)
					}
				}
				if !c.after {
					onward()
				}
			})
			_, stderr, code := s.call(append(environ, "ELASTICSEARCH_URL="+server.URL), strings.Fields(c.args)...)
			t.Log(stderr)
			if code != c.code || !done || !strings.Contains(stderr, c.want) {
				t.Errorf("exit %d, want %d and %q: %s", code, c.code, c.want, stderr)
			}
			valid := map[bool]int{true: 1, false: 2}[c.who == estest.Username]
			if left := s.validKeys(t, namespace); len(left) != valid {
				t.Errorf("there are %v", left)
			}
		})
	}
}
