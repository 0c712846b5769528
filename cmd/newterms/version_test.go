package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVersionOfABuild builds the program in a clone, clean and then with a change, and
// without a checkout.
func TestVersionOfABuild(t *testing.T) {
	t.Parallel() // with the other long tests
	clone, program := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "newterms")
	run := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return string(out)
	}
	run(".", "git", "clone", "-q", "../..", clone)
	commit := strings.TrimSpace(run(clone, "git", "rev-parse", "HEAD"))
	for _, c := range []struct {
		before, vcs string
		revision    string
		dirty       any
	}{
		{"true", "true", commit, false},
		{"echo >> README.md", "true", commit, true},
		{"true", "false", "", nil},
	} {
		run(clone, "sh", "-c", c.before)
		run(clone, "go", "build", "-buildvcs="+c.vcs, "-o", program, "./cmd/newterms")
		var got struct {
			Version, Go, Revision string
			Time                  string `json:"revision_time"`
			Dirty                 any
		}
		if err := json.Unmarshal([]byte(run("/", program, "version", "--output", "json")), &got); err != nil {
			t.Fatal(err)
		}
		if got.Version == "" || !strings.HasPrefix(got.Go, "go1.") || got.Revision != c.revision || got.Dirty != c.dirty || (got.Time == "") != (c.revision == "") {
			t.Errorf("%s, -buildvcs=%s: got %+v", c.before, c.vcs, got)
		}
	}
}
