package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestManyNetworks excludes 9,000 networks, one a line of a file: in threes that
// touch, which the node of the tests takes, and all apart, which is more than its
// small heap allows.
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
	for _, want := range []struct {
		name string
		code int
		line string
	}{
		{"apart", exitFailed, "more clauses than the cluster allows for its heap: exclude fewer or larger networks"},
		{"threes", exitDone, "1 alert written, 0 already alerted; excluded: 1 event by okta.client.ip: 10.20.40.0/24, "},
	} {
		path := filepath.Join(t.TempDir(), "networks.kql")
		if err := os.WriteFile(path, []byte(networks[want.name]), 0o600); err != nil {
			t.Fatal(err)
		}
		environ := append(slices.Clone(c.environ), "NEWTERMS_EXCLUDE_FILE="+path, "LOG_FORMAT=text")
		if _, stderr, code := callWith(t, programAt(noon), environ, "run", "--from", "2026-03-10"); code != want.code || !strings.Contains(stderr, want.line) {
			t.Errorf("%s: exit %d: %s", want.name, code, stderr)
		}
	}
}
