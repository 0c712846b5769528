package estest_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"newterms/esquery/estest"
)

func TestSecurityAndTLS(t *testing.T) {
	node, err := estest.Start(t.Context(), estest.Options{Security: true, TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := node.Request(t.Context(), "GET", "/", nil); err != nil || !strings.Contains(string(answer), estest.Version()) {
		t.Errorf("as %s: %s, %v", estest.Username, answer, err)
	}
	key := map[string]string{"name": "k"}
	if answer, err := node.Request(t.Context(), "POST", "/_security/api_key", key); err != nil || !strings.Contains(string(answer), "encoded") {
		t.Errorf("API key: %s, %v", answer, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := node.Perform(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a user: %s", res.Status)
	}
	if err := node.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(node.CAFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Stop the data folder is still there: %v", err)
	}
}

// TestNodeEndsWithKilledParent runs this test binary again as a parent that
// starts a node, kills it, and waits for the port to close.
func TestNodeEndsWithKilledParent(t *testing.T) {
	if os.Getenv("ESTEST_PARENT") != "" {
		node, err := estest.Start(context.Background(), estest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("url " + node.URL + "\n")
		select {}
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestNodeEndsWithKilledParent$")
	parent.Env = append(os.Environ(), "ESTEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 256)
	n, err := out.Read(line)
	url, ok := strings.CutPrefix(strings.TrimSpace(string(line[:n])), "url ")
	if !ok {
		t.Fatalf("the parent printed %q, %v", line[:n], err)
	}
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	for range 3_000 {
		res, err := http.Get(url)
		if err != nil {
			return
		}
		res.Body.Close()
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("5 minutes after its parent was killed the node still answers")
}

func TestStartWithoutJDKSaysWhatToInstall(t *testing.T) {
	t.Setenv("JAVA_HOME", t.TempDir())
	_, err := estest.Start(t.Context(), estest.Options{})
	if err == nil || !strings.Contains(err.Error(), "install a JDK ") || !strings.Contains(err.Error(), "ELASTICSEARCH_TEST_URL") {
		t.Errorf("got %v", err)
	}
}

func TestStartWithoutMavenSaysWhatToInstall(t *testing.T) {
	javac := "javac"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		javac = filepath.Join(home, "bin", javac)
	}
	javac, err := exec.LookPath(javac)
	if err != nil {
		t.Fatal("a JDK is needed: ", err)
	}
	t.Setenv("JAVA_HOME", "")
	bin := t.TempDir()
	for _, name := range []string{"javac", "java", "jar"} {
		if err := os.Symlink(strings.TrimSuffix(javac, "javac")+name, bin+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	for _, cache := range []string{t.TempDir(), "/dev/null/cache"} { // nothing laid out yet, and a home that cannot be written
		t.Setenv("XDG_CACHE_HOME", cache)
		t.Setenv("TMPDIR", t.TempDir())
		_, err = estest.Start(t.Context(), estest.Options{})
		if err == nil || !strings.Contains(err.Error(), "mvn is missing: install") {
			t.Errorf("with the cache %s: got %v", cache, err)
		}
	}
}
