package estest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
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
	pem, err := os.ReadFile(node.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	call := func(method, path, user string) (int, string) {
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader(`{"name":"k"}`)
		}
		req, err := http.NewRequestWithContext(t.Context(), method, node.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if user != "" {
			req.SetBasicAuth(user, estest.Password)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(answer)
	}
	if status, body := call("GET", "/", ""); status != http.StatusUnauthorized {
		t.Errorf("without a user: %d %s", status, body)
	}
	if status, body := call("GET", "/", estest.Username); status != http.StatusOK || !strings.Contains(body, estest.Version()) {
		t.Errorf("as %s: %d %s", estest.Username, status, body)
	}
	if status, body := call("POST", "/_security/api_key", estest.Username); status != http.StatusOK || !strings.Contains(body, "encoded") {
		t.Errorf("API key: %d %s", status, body)
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
	for range 100 {
		res, err := http.Get(url)
		if err != nil {
			return
		}
		res.Body.Close()
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("10 s after its parent was killed the node still answers")
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
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // nothing laid out yet
	t.Setenv("JAVA_HOME", "")
	bin := t.TempDir()
	for _, name := range []string{"javac", "java", "jar"} {
		if err := os.Symlink(strings.TrimSuffix(javac, "javac")+name, bin+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	_, err = estest.Start(t.Context(), estest.Options{})
	if err == nil || !strings.Contains(err.Error(), "mvn is missing: install") {
		t.Errorf("got %v", err)
	}
}
