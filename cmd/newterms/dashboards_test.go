package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetupDashboards imports to a server that stands in for Kibana, which the
// test machine has not: it holds the request to Kibana's API as documented, and
// answers as Kibana does.
func TestSetupDashboards(t *testing.T) {
	c := newCluster(t)
	const success = `{"success":true,"successCount":7,"successResults":[],"warnings":[]}`
	for _, s := range []struct {
		name, space string
		status      int
		answer      string
		code        int
		want        string
	}{
		{"imported", "default", 200, success, 0, "imported 7 Kibana objects to space default"},
		{"to a space", "soc", 200, success, 0, "imported 7 Kibana objects to space soc"},
		{"200 without success", "default", 200, `{"success":false,"successCount":6,"errors":[{"type":"dashboard","id":"newterms-runs-dashboard",
			"error":{"type":"missing_references","references":[{"type":"index-pattern","id":"newterms-runs"}]}}]}`, 1,
			"6 objects were imported, 1 were not: dashboard newterms-runs-dashboard: missing_references (index-pattern newterms-runs)"},
		{"a conflict", "default", 200, `{"success":false,"successCount":0,"errors":[{"type":"search","id":"x","error":{"type":"ambiguous_conflict"}}]}`, 1, "search x: ambiguous_conflict"},
		{"success with errors", "default", 200, `{"success":true,"successCount":6,"errors":[{"type":"search","id":"x","error":{"type":"unknown","message":"boom"}}]}`, 1, "unknown boom"},
		{"a login page", "default", 200, "<html>", 1, "this is not Kibana's answer: check KIBANA_URL"},
		{"a bad file", "default", 400, `{"statusCode":400,"error":"Bad Request","message":"Non-unique import objects detected"}`, 1, "400 Bad Request: Non-unique import objects"},
		{"a wrong key", "default", 401, `{"statusCode":401,"message":"unable to authenticate"}`, 77, "unable to authenticate: check KIBANA_API_KEY"},
		{"a key without the privilege", "default", 403, `{"statusCode":403,"message":"Unable to bulk_create dashboard"}`, 77, "Saved Objects Management: All"},
		{"no such space", "nope", 404, `{"statusCode":404,"message":"Not Found"}`, 1, "KIBANA_SPACE"},
		{"a migration that failed", "default", 500, `{"statusCode":500,"message":"Internal Server Error"}`, 1, "500 Internal Server Error"},
	} {
		t.Run(s.name, func(t *testing.T) {
			var problem string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				problem = c.importProblem(r, s.space)
				w.WriteHeader(s.status)
				_, _ = io.WriteString(w, s.answer) // the client is there
			}))
			defer server.Close()
			environ := append(c.environ, "KIBANA_URL="+server.URL+"/base", "KIBANA_API_KEY=hidden", "KIBANA_SPACE="+s.space)
			stdout, stderr, code := call(t, environ, "setup", "--dashboards")
			if code != s.code || !strings.Contains(stdout+stderr, s.want) || strings.Contains(stdout+stderr, "hidden") {
				t.Errorf("exit %d, want %d and %q: %s%s", code, s.code, s.want, stdout, stderr)
			}
			if problem != "" {
				t.Error(problem)
			}
		})
	}
}

func TestSetupDashboardsOverTLS(t *testing.T) {
	c := newCluster(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"success":true,"successCount":7}`) // the client is there
	}))
	defer server.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a handshake fails here on purpose
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]struct {
		code int
		text string
	}{
		"KIBANA_CA=" + ca:        {0, "imported 7"},
		"KIBANA_CA=":             {78, "set KIBANA_CA to the certificate of its authority"},
		"KIBANA_CA=/nope.pem":    {78, "KIBANA_CA: open /nope.pem"},
		"ELASTICSEARCH_CA=" + ca: {78, "set KIBANA_CA"},
	} {
		stdout, stderr, code := call(t, append(c.environ, "KIBANA_URL="+server.URL, setting), "setup", "--dashboards")
		if code != want.code || !strings.Contains(stdout+stderr, want.text) {
			t.Errorf("%s: exit %d, want %d and %q: %s%s", setting, code, want.code, want.text, stdout, stderr)
		}
	}
}

// importProblem says what is wrong with an import request.
func (c *cluster) importProblem(r *http.Request, space string) string {
	path := "/base/api/saved_objects/_import"
	if space != "default" {
		path = "/base/s/" + space + "/api/saved_objects/_import"
	}
	file, header, err := r.FormFile("file")
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(file)
	switch {
	case err != nil:
		return err.Error()
	case r.Method != "POST" || r.URL.Path != path || r.URL.RawQuery != "overwrite=true":
		return fmt.Sprint(r.Method, " ", r.URL)
	case r.Header.Get("kbn-xsrf") == "" || r.Header.Get("Authorization") != "ApiKey hidden" || !strings.HasSuffix(header.Filename, ".ndjson"):
		return fmt.Sprint(r.Header, header.Filename)
	case bytes.Count(text, []byte("\n")) != 7 || !bytes.Contains(text, []byte(`"title":".`+c.name+`-alerts"`)) || !bytes.Contains(text, []byte(`"title":".`+c.name+`-runs"`)):
		return "the file has not 7 objects, or the data views not the configured targets"
	}
	return ""
}
