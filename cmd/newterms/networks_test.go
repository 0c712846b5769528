package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"newterms/cmd/newterms/failure"
)

// TestManyNetworks excludes 9,000 networks, one a line of a file: in threes that
// touch, which the node of the tests takes, and all apart, which a node takes or,
// if its heap is as small as that of the tests, refuses.
func TestManyNetworks(t *testing.T) {
	inside, outside := proxySession("in", "acc-1", "2026-03-10T11:30:00Z"), proxySession("out", "acc-1", "2026-03-10T11:30:00Z")
	outside["okta"].(map[string]any)["client"] = map[string]any{"ip": "203.0.113.7"}
	inside["okta"].(map[string]any)["client"] = map[string]any{"ip": "10.20.40.7"}
	c := newCluster(t, inside, outside)
	call(t, c.environ, "setup")
	networks := map[string]string{"threes": "", "apart": ""}
	for i := range 9_000 {
		networks["threes"] += fmt.Sprintf("okta.client.ip: 10.%d.%d.0/24\n", i/90, i%90+i%90/3)
		networks["apart"] += fmt.Sprintf("okta.client.ip: 10.%d.%d.0/24\n", i/90, i%90*2)
	}
	const counted = "1 alert to write, none written by this dry run, 0 already alerted; excluded: 1 event by okta.client.ip: 10.20.40.0/24, "
	for name, refused := range map[string]string{
		"threes": "", // never
		"apart":  "more clauses than the cluster allows for its heap: exclude fewer or larger networks",
	} {
		path := filepath.Join(t.TempDir(), "networks.kql")
		if err := os.WriteFile(path, []byte(networks[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		environ := append(slices.Clone(c.environ), "NEWTERMS_EXCLUDE_FILE="+path, "LOG_FORMAT=text")
		_, stderr, code := callWith(t, programAt(noon), environ, "run", "--from", "2026-03-10", "--dry-run")
		found := code == failure.ExitDone && strings.Contains(stderr, counted)
		if !found && (refused == "" || code != failure.ExitRule || !strings.Contains(stderr, refused)) {
			t.Errorf("%s: exit %d: %s", name, code, stderr)
		}
	}
}
