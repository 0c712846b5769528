package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"newterms/cmd/newterms/failure"
)

// privileges takes each privilege of the run key away, alone, and then all.
func (s *secure) privileges(t *testing.T) {
	none := map[string]any{"name": "none", "role_descriptors": map[string]any{"none": map[string]any{"cluster": []string{}}}}
	stdout, _, code := s.call([]string{"ELASTICSEARCH_API_KEY=" + s.key(none)}, "check")
	t.Logf("check with no rights: exit %d\n%s", code, stdout)
	if code != failure.ExitUnauthorized || strings.Count(stdout, "is missing\n") != 7 {
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
			if code != failure.ExitUnauthorized || !strings.Contains(stderr, lost) || !strings.Contains(stderr, without) {
				t.Errorf("exit %d: %s", code, stderr)
			}
			if checked != failure.ExitUnauthorized || !strings.Contains(stdout, want) || strings.Count(stdout, "✗") != 1 {
				t.Errorf("check: exit %d, want %q alone: %s", checked, want, stdout)
			}
		}
	}
}

// reading explains and counts with a key that only reads.
func (s *secure) reading(t *testing.T) {
	const detections, runs = ".alerts-newterms.detections-reading", ".alerts-newterms.runs-reading"
	targets := []string{"NEWTERMS_ALERTS_TARGET=" + detections, "NEWTERMS_RUNS_TARGET=" + runs}
	setup := append(targets, "ELASTICSEARCH_API_KEY="+s.key(map[string]any{"name": "all-for-reading"}))
	for _, command := range [][]string{{"setup"}, {"run", "--from", "now-1d", "--output", "none"}} {
		if _, stderr, code := s.call(setup, command...); code != 0 {
			t.Fatal(stderr)
		}
	}
	body := s.descriptor("run.json")
	for _, index := range []string{detections, runs} {
		for _, lost := range []string{"create_doc", "auto_configure"} {
			body = withoutPrivilege(t, body, detections, runs, index, lost)
		}
	}
	environ := append(targets, "ELASTICSEARCH_API_KEY="+s.key(body))
	for _, c := range []struct{ args, want string }{
		{"explain --term okta.actor.id=ada", "first occurrence: not seen in the 7 days before"},
		{"explain --term okta.actor.id=ADA", "did you mean ada"},
		{"backtest --from now-1d --exclude okta.actor.id:nobody --history 1d", "1 first occurrence, alerted already"},
	} {
		stdout, stderr, code := s.call(environ, strings.Fields(c.args)...)
		t.Logf("newterms %s: exit %d", c.args, code)
		if code != 0 || !strings.Contains(stdout, c.want) {
			t.Errorf("newterms %s: exit %d, want %q: %s%s", c.args, code, c.want, stdout, stderr)
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
				entries = append(entries, map[string]any{"names": []any{name}, "privileges": kept})
			}
		}
	}
	if !removed {
		t.Fatalf("run.json does not grant %s on %s", lost, index)
	}
	role["indices"] = entries
	return body
}

// bulks writes more than one bulk with the run key, which may not refresh an
// index, and finds all of it in a second run.
func (s *secure) bulks(t *testing.T) {
	if _, stderr, code := s.call([]string{"ELASTICSEARCH_API_KEY=" + s.key(map[string]any{"name": "all-for-bulks"})}, "setup"); code != 0 {
		t.Fatal(stderr)
	}
	for i := range 9 {
		event := proxySession(fmt.Sprintf("large%d", i), "acc-1", "2026-01-01T12:00:00Z")
		event["message"] = strings.Repeat("x", 1<<20)
		s.node.Must(t, "POST", "/logs-okta.system-default/_doc?refresh=true", event)
	}
	key := "ELASTICSEARCH_API_KEY=" + s.key(s.descriptor("run.json"))
	for _, want := range []string{"9 alerts written, 0 already alerted", "0 alerts written, 9 already alerted"} {
		_, stderr, code := s.call([]string{key}, "run", "--from", "2026-01-01", "--to", "2026-01-02", "--output", "none")
		if code != 0 || !strings.Contains(stderr, want) {
			t.Errorf("exit %d, want %q: %s", code, want, stderr)
		}
	}
}
