package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestDemo runs the demo and looks for what its explanation promises.
func TestDemo(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), nil, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	_, rest, ok := strings.Cut(stdout.String(), "$ newterms run --from now-1d\n")
	first, again, ok2 := strings.Cut(rest, "$ newterms run --from now-1d\n")
	if !ok || !ok2 {
		t.Fatalf("got\n%s", &stdout)
	}
	for _, actor := range []string{"Kavya Raman", "Leo Marchetti", "unknown", "Ines Carvalho", "Basil Okafor", "Camille Duarte", "Farid Haddad"} {
		if strings.Count(first, actor) != 1 {
			t.Errorf("%s must alert once:\n%s", actor, first)
		}
	}
	for _, actor := range []string{"Jonas", "Noah", "Okta System", "Ada", "Elke", "Danilo"} {
		if table, _, _ := strings.Cut(first, "What you saw"); strings.Contains(table, actor) {
			t.Errorf("%s must not alert:\n%s", actor, table)
		}
	}
	if table, _, _ := strings.Cut(again, "What you saw"); !strings.HasSuffix(strings.TrimSpace(table), ": no new alerts") || strings.Contains(table, "FIRST SEEN") {
		t.Errorf("the second run printed\n%s", table)
	}
	for _, want := range []string{"lack a new-terms field (cloud.account.id: 2)", "7 alerts written, 0 already alerted", "0 alerts written, 7 already alerted"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &stderr)
		}
	}
}
