package kubernetes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestImageProgram builds the program as the Dockerfile does, in a clone and from
// sources without .git, and runs it: static, with its version stamped.
func TestImageProgram(t *testing.T) {
	dockerfile, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	build := regexp.MustCompile(`RUN (CGO_ENABLED=0 GOOS=\$TARGETOS GOARCH=\$TARGETARCH go build .*) -o /newterms (\./cmd/newterms)`).FindSubmatch(dockerfile)
	if build == nil {
		t.Fatal("the Dockerfile has no such build")
	}
	goMod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(goMod); !strings.Contains(string(dockerfile), " golang:"+string(version[1])+"-") {
		t.Errorf("the Dockerfile does not build with Go %s", version[1])
	}
	clone, program := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "newterms")
	run := func(dir, command string) string {
		t.Helper()
		cmd := exec.Command("sh", "-ec", command)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		return string(out)
	}
	command := string(build[1]) + " -o " + program + " " + string(build[2])
	run(".", "git clone -q ../.. "+clone)
	run(clone, command)
	commit := strings.TrimSpace(run(clone, "git rev-parse --short=12 HEAD"))
	tag := strings.TrimSpace(run(clone, "git tag --points-at HEAD"))
	if version := run("/", "env -i "+program+" version"); !strings.Contains(version, commit) && (tag == "" || !strings.Contains(version, tag)) {
		t.Errorf("version is %q, want commit %s or tag %q", version, commit, tag)
	}
	if out := run("/", "go version -m "+program); !strings.Contains(out, "CGO_ENABLED=0") {
		t.Errorf("it is not static: %s", out)
	}
	run(clone, "rm -rf .git; VERSION=0.1.0; "+command)
	if version := run("/", "env -i "+program+" version"); !strings.HasPrefix(version, "newterms 0.1.0 ") {
		t.Errorf("without .git version is %q", version)
	}
}
