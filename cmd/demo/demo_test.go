package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"newterms/esquery/estest"
)

// TestDemo runs the demo, looks for what its explanation promises, and compares with
// the README what that shows of it and of further commands.
func TestDemo(t *testing.T) {
	var stderr bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stdout := &waiting{part: "until you press Ctrl-C", seen: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"--keep"}, stdout, &stderr) }()
	select {
	case err := <-ended:
		t.Fatalf("%v\n%s", err, &stderr)
	case <-stdout.seen:
	}
	address := regexp.MustCompile(`export ELASTICSEARCH_URL=(\S+)`).FindStringSubmatch(stdout.String())
	compareREADME(t, stdout.String(), address[1])
	stop()
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, &stderr)
	}
	_, rest, ok := strings.Cut(stdout.String(), "$ newterms run --from now-1d\n")
	first, again, ok2 := strings.Cut(rest, "$ newterms run --from now-1d\n")
	if !ok || !ok2 {
		t.Fatalf("got\n%s", stdout)
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
	if strings.Contains(stderr.String(), "INF the data stream") || strings.Count(stderr.String(), "INF ") != 2 {
		t.Errorf("a newcomer reads lines that are not for them:\n%s", &stderr)
	}
	for _, want := range []string{"a new-terms field has no indexed value (cloud.account.id: 2)", "7 alerts written, 0 already alerted", "0 alerts written, 7 already alerted"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &stderr)
		}
	}
}

// waiting is a text that is written to, and that closes seen once it has a part.
type waiting struct {
	part string
	seen chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (w *waiting) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := strings.Contains(w.text.String(), w.part)
	w.text.Write(text)
	if !before && strings.Contains(w.text.String(), w.part) {
		close(w.seen)
	}
	return len(text), nil
}

func (w *waiting) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestSecurityOfDemoElsewhere shows newterms on a cluster with users, and with a stand-in
// for its Kibana. The second time there is something, which is not touched.
func TestSecurityOfDemoElsewhere(t *testing.T) {
	node, err := estest.Start(t.Context(), estest.Options{Security: true, TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := node.Stop(); err != nil {
			t.Error(err)
		}
	}()
	imported, objects := 0, 0
	kibana := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		imported++
		if _, password, _ := r.BasicAuth(); r.URL.Path != "/api/saved_objects/_import" || password != estest.Password {
			t.Errorf("Kibana is asked for %s", r.URL)
		}
		file, _, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		sent, err := io.ReadAll(file)
		if err != nil {
			t.Error(err)
		}
		objects = len(bytes.Split(bytes.TrimSpace(sent), []byte("\n")))
		_, _ = fmt.Fprintf(w, `{"success":true,"successCount":%d}`, objects) // the client is there
	}))
	defer kibana.Close()
	t.Setenv("ELASTICSEARCH_USERNAME", estest.Username)
	t.Setenv("ELASTICSEARCH_PASSWORD", estest.Password)
	t.Setenv("ELASTICSEARCH_CA", node.CAFile)
	args := []string{"--elasticsearch", node.URL, "--kibana", kibana.URL, "--browse", "http://localhost:5601/"}
	// Okta's integration is installed, and has no events yet.
	node.Must(t, "PUT", "/_index_template/logs-okta.system", map[string]any{"index_patterns": []string{"logs-okta.system-*"}})
	if err := run(t.Context(), args, io.Discard, io.Discard); !errors.Is(err, errInUse) || !strings.Contains(err.Error(), "has the index template logs-okta.system") {
		t.Errorf("over an integration: %v", err)
	}
	node.Must(t, "DELETE", "/_index_template/logs-okta.system", nil)
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), args, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	for _, want := range []string{
		"$ newterms setup --dashboards\n", fmt.Sprintf("imported %d Kibana objects", objects), "Kavya Raman", ": no new alerts",
		"\nThe dashboard: http://localhost:5601/app/dashboards#/view/newterms-alerts-dashboard?", "DELETE _data_stream/logs-okta.system-default",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &stdout)
		}
	}
	if imported != 1 {
		t.Errorf("the dashboards were imported %d times", imported)
	}
	before := string(node.Must(t, "GET", "/_stats/docs", nil))
	err = run(t.Context(), args, io.Discard, io.Discard)
	t.Log(err)
	if !errors.Is(err, errInUse) || !strings.Contains(err.Error(), "logs-okta.system-default") {
		t.Errorf("the second time: %v", err)
	}
	if after := string(node.Must(t, "GET", "/_stats/docs", nil)); before != after || imported != 1 {
		t.Error("the second time it changed something")
	}
	for _, c := range []struct{ args, want string }{
		{"--kibana http://127.0.0.1:1", "--kibana needs --elasticsearch"},
		{"--keep --elasticsearch http://127.0.0.1:1", "--keep is for"},
		{"--elasticsearch http://127.0.0.1:1", "connection refused"},
		{"more", "one argument too many"},
	} {
		if err := run(t.Context(), strings.Fields(c.args), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("demo %s: %v", c.args, err)
		}
	}
	t.Setenv("ELASTICSEARCH_PASSWORD", "wrong-password")
	server, err := newElsewhere(node.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.refuse(t.Context()); err == nil || !strings.Contains(err.Error(), "look what is there: GET /logs-okta.system-*") || strings.Contains(err.Error(), "wrong-password") {
		t.Errorf("a wrong password: %v", err)
	}
}

// TestDashboardID holds the address that the demo prints against the dashboards.
func TestDashboardID(t *testing.T) {
	objects, err := os.ReadFile("../../deploy/kibana/newterms.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	_, id, _ := strings.Cut(elsewhere{}.seeIt("http://kibana.example", ""), "#/view/")
	if id, _, _ = strings.Cut(id, "?"); !strings.Contains(string(objects), `"id":"`+id+`"`) {
		t.Errorf("there is no dashboard %q", id)
	}
}
