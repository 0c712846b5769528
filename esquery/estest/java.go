package estest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// javaTool finds a tool of a JDK that can run a version, in JAVA_HOME or on the
// PATH.
func javaTool(name, version string) (string, error) {
	oldest := 17
	if major(version) > 8 {
		oldest = 21
	}
	hint := fmt.Sprintf("install a JDK %d or later and Maven (Debian: apt-get install default-jdk-headless maven); "+
		"JAVA_HOME names a JDK that is not on the PATH; tests can use a running server instead, named by ELASTICSEARCH_TEST_URL", oldest)
	path := name
	if home := os.Getenv("JAVA_HOME"); home != "" {
		path = filepath.Join(home, "bin", name)
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return "", fmt.Errorf("%s is missing: %s", name, hint)
	}
	if name != "java" && name != "javac" {
		return path, nil // stands beside javac, which is asked for its version
	}
	out, err := exec.Command(path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s -version: %w: %s", path, err, out)
	}
	if m := javaVersion.FindSubmatch(out); m != nil && major(string(m[1])) < oldest {
		return "", fmt.Errorf("%s is of Java %s: %s", path, m[1], hint)
	}
	return path, nil
}

var javaVersion = regexp.MustCompile(`(?:version "|javac )(\d+)`)

// major is the first number of a version, 0 if there is none.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(first)
	return n
}

func tool(ctx context.Context, path string, args ...string) error {
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(path), err, out)
	}
	return nil
}
