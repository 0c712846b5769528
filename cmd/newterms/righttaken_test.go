package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newterms/cmd/newterms/failure"
	"newterms/esquery/estest"
)

// rightTaken takes the right to read the history from a user before each request of a
// run that comes after the first one about the indices. No pair looks new for that: the
// run finds what is new, or fails and says why, and the next one completes the work.
func (s *secure) rightTaken(t *testing.T) {
	role := func(indices ...string) {
		s.node.Must(t, "PUT", "/_security/role/taken", map[string]any{"cluster": []string{"monitor"}, "indices": []any{
			map[string]any{"names": indices, "privileges": []string{"read", "view_index_metadata"}},
			map[string]any{"names": []string{".taken-*"}, "privileges": []string{"all"}},
		}})
	}
	s.node.Must(t, "PUT", "/_security/user/taken", map[string]any{"password": estest.Password, "roles": []string{"taken"}})
	targets := []string{"NEWTERMS_ALERTS_TARGET=.taken-alerts", "NEWTERMS_RUNS_TARGET=.taken-runs"}
	admin := append([]string{"ELASTICSEARCH_USERNAME=" + estest.Username, "ELASTICSEARCH_PASSWORD=" + estest.Password}, targets...)
	if _, stderr, code := s.call(admin, "setup"); code != failure.ExitDone {
		t.Fatal(failureLine(stderr))
	}
	failed, k := 0, 1
	for ; ; k++ {
		name := fmt.Sprintf("taken-%d-", k)
		old, now := name+"old", name+"now"
		for _, index := range []string{old, now} {
			s.node.CreateIndex(t, index, oktaTemplate(t)["template"])
		}
		at := func(ago time.Duration) string { return time.Now().Add(-ago).Format(time.RFC3339) }
		s.node.Index(t, old, proxySession("known", "acc-1", at(48*time.Hour)))
		s.node.Index(t, now, proxySession("known", "acc-1", at(30*time.Minute)), proxySession("newcomer", "acc-1", at(20*time.Minute)))
		role(old, now)
		var mu sync.Mutex
		n, taken := -1, false
		server := s.before(t, func(r *http.Request, onward func()) {
			mu.Lock()
			if n >= 0 {
				n++
			}
			if strings.HasSuffix(r.URL.Path, "/_field_caps") {
				n = max(n, 0)
			}
			if n == k && !taken {
				taken = true
				role(now)
			}
			mu.Unlock()
			onward()
		})
		environ := append([]string{
			"ELASTICSEARCH_URL=" + server.URL, "ELASTICSEARCH_USERNAME=taken", "ELASTICSEARCH_PASSWORD=" + estest.Password, "NEWTERMS_INDEX=" + name + "*",
		}, targets...)
		path := faultRule(t, name)
		_, stderr, code := s.call(environ, "run", "--from", "now-1h", "--rule", path)
		if !taken {
			break
		}
		wanted, found := []string{"newcomer"}, s.alerted(t, name)
		switch {
		case code == failure.ExitDone && !slices.Equal(found, wanted), len(found) > 1:
			t.Errorf("before request %d: exit %d with alerts %v: %s", k, code, found, stderr)
		case code != failure.ExitDone && !strings.Contains(stderr, "changed in mid-run"):
			t.Errorf("before request %d: exit %d: %s", k, code, failureLine(stderr))
		case code != failure.ExitDone:
			failed++
		}
		role(old, now)
		if _, stderr, code := s.call(environ, "run", "--from", "now-1h", "--rule", path); code != failure.ExitDone {
			t.Errorf("before request %d: the next run: exit %d: %s", k, code, failureLine(stderr))
		}
		if found := s.alerted(t, name); !slices.Equal(found, wanted) {
			t.Errorf("before request %d: in the end there are alerts %v", k, found)
		}
	}
	t.Logf("before each of %d requests: %d runs failed", k-1, failed)
	if k < 6 || failed == 0 {
		t.Errorf("only %d requests, or %d failed", k-1, failed)
	}
}

// alerted returns the actors that a rule has alerts of, sorted.
func (s *secure) alerted(t *testing.T, rule string) []string {
	var actors []string
	for _, alert := range s.node.Documents(t, ".taken-alerts", map[string]any{
		"query": map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": rule}},
	}) {
		actors = append(actors, fmt.Sprint(alert["kibana.alert.new_terms"].([]any)[0]))
	}
	slices.Sort(actors)
	return actors
}
