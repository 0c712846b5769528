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
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// kibanaStandIn stands in for Kibana: it holds an import to a space against Kibana's
// API as documented and answers with a status and a file. The space "tls" is
// the default one of a server with a certificate of its own.
func kibanaStandIn(ts *testscript.TestScript, _ bool, args []string) {
	s, space := storyOf(ts), args[0]
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	answer, okta := ts.ReadFile(args[2]), ts.Getenv("NEWTERMS_OKTA_URL")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if problem := s.importProblem(r, space, okta); problem != "" {
			w.WriteHeader(http.StatusTeapot) // which no story expects
			_, _ = io.WriteString(w, problem)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer) // the client is there
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail here on purpose
	ts.Defer(server.Close)
	if space == "tls" {
		space = "default"
		server.StartTLS()
		ca := filepath.Join(ts.Getenv("WORK"), "kibana-ca.pem")
		ts.Check(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
		ts.Setenv("KIBANA_CA", ca)
	} else {
		server.Start()
	}
	ts.Setenv("KIBANA_URL", server.URL+"/base")
	ts.Setenv("KIBANA_API_KEY", kibanaKey)
	ts.Setenv("KIBANA_SPACE", space)
}

// kibanaKey is kibana:hidden, encoded.
const kibanaKey = "a2liYW5hOmhpZGRlbg=="

// importProblem says what is wrong with an import request.
func (c *cluster) importProblem(r *http.Request, space, okta string) string {
	path := "/base/api/saved_objects/_import"
	if space != "default" && space != "tls" {
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
	case r.Header.Get("kbn-xsrf") == "" || r.Header.Get("Authorization") != "ApiKey "+kibanaKey || !strings.HasSuffix(header.Filename, ".ndjson"):
		return fmt.Sprint(r.Header, header.Filename)
	case bytes.Count(text, []byte("\n")) != 14 || !bytes.Contains(text, []byte(`"title":"`+c.alertsTarget()+`"`)) || !bytes.Contains(text, []byte(`"title":"`+c.runsTarget()+`"`)):
		return "the file has not 14 objects, or the data views not the configured targets"
	case !bytes.Contains(text, []byte(`**First Occurrence of Okta User Session Started via Proxy**\\n\\n## Triage`)):
		return "the guide lacks the triage note of the rule"
	case okta != "" && !bytes.Contains(text, []byte(okta+"/admin/user/profile/view/{{value}}")):
		return "no link leads to the console of Okta"
	}
	return ""
}
