package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// call runs newterms, without retries, and returns what it prints and its exit
// code.
func call(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return callWith(t, program{now: time.Now, retry: []backoff.RetryOption{backoff.WithMaxTries(1)}}, environ, args...)
}

// callWith runs newterms with the clock, the retries and the page size of p.
func callWith(t *testing.T, p program, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	settings, settingsErr := readSettings(environ)
	p.settings, p.stdout, p.log = settings, &out, newLogger(settings, &errs)
	err := p.execute(t.Context(), args, settingsErr)
	return out.String(), errs.String(), exitCode(err)
}

func TestWrongInput(t *testing.T) {
	dir := t.TempDir()
	badKQL := filepath.Join(dir, "kql.toml")
	rule := strings.NewReplacer("QUERY", "a:b and\n (c:d").Replace("[rule]\nrule_id='r'\nname='R'\ntype='new_terms'\nlanguage='kuery'\nseverity='low'\nrisk_score=1\n" +
		"index=['i']\nquery='''QUERY'''\n[rule.new_terms]\nfield='new_terms_fields'\nvalue=['a']\n[[rule.new_terms.history_window_start]]\nfield='history_window_start'\nvalue='now-7d'\n")
	if err := os.WriteFile(badKQL, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const address = "ELASTICSEARCH_URL=http://127.0.0.1:1"
	for _, c := range []struct {
		name    string
		environ []string
		args    []string
		code    int
		want    string
	}{
		{"no command", nil, nil, 64, "a command is missing"},
		{"unknown command", nil, []string{"walk"}, 64, `no command \"walk\"`},
		{"unknown flag", nil, []string{"run", "--fast"}, 64, "-fast"},
		{"an argument too many", nil, []string{"run", "now"}, 64, `\"now\" is one argument too many`},
		{"unknown output", nil, []string{"run", "--output", "xml"}, 64, "none of table, ndjson, none"},
		{"bad date", nil, []string{"run", "--from", "yesterday"}, 64, `--from: \"yesterday\" is no time`},
		{"from after to", nil, []string{"run", "--from", "2026-01-02", "--to", "2026-01-01"}, 64, "is not before"},
		{"to alone", nil, []string{"run", "--to", "2026-01-01"}, 64, "--to needs --from"},
		{"bad missing-terms", nil, []string{"run", "--missing-terms", "maybe"}, 64, "neither skip nor include"},
		{"bad exclude", nil, []string{"run", "--exclude", "a:("}, 64, "--exclude: KQL line 1, column 4"},
		{"empty exclude", nil, []string{"run", "--exclude", " "}, 64, "--exclude is empty"},
		{"no such rule", nil, []string{"run", "--rule", dir + "/nope"}, 65, "no such file"},
		{"rule with bad KQL", nil, []string{"run", "--rule", badKQL}, 65, "line 2, column 6 (offset 13)"},
		{"rule with bad KQL, shown", nil, []string{"rule", badKQL}, 65, "line 2, column 6 (offset 13)"},
		{"no URL", nil, []string{"run"}, 78, "ELASTICSEARCH_URL is not set"},
		{"a URL with a password", []string{"ELASTICSEARCH_URL=https://u:hidden@h"}, []string{"run"}, 78, "ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD instead"},
		{"no URL at all", []string{"ELASTICSEARCH_URL=elastic:9200"}, []string{"setup"}, 78, "address 1 is not a URL"},
		{"key and password", []string{address, "ELASTICSEARCH_API_KEY=hidden", "ELASTICSEARCH_USERNAME=u", "ELASTICSEARCH_PASSWORD=hidden"}, []string{"run"}, 78, "keep one"},
		{"key twice", []string{address, "ELASTICSEARCH_API_KEY=hidden", "ELASTICSEARCH_API_KEY_FILE=" + empty}, []string{"run"}, 78, "ELASTICSEARCH_API_KEY and ELASTICSEARCH_API_KEY_FILE are both set"},
		{"user without password", []string{address, "ELASTICSEARCH_USERNAME=u"}, []string{"run"}, 78, "only one is set"},
		{"empty key file", []string{address, "ELASTICSEARCH_API_KEY_FILE=" + empty}, []string{"run"}, 78, "is empty"},
		{"missing password file", []string{address, "ELASTICSEARCH_USERNAME=u", "ELASTICSEARCH_PASSWORD_FILE=/nope"}, []string{"run"}, 78, "ELASTICSEARCH_PASSWORD_FILE: open /nope"},
		{"CA that is none", []string{address, "ELASTICSEARCH_CA=" + empty}, []string{"run"}, 78, "holds no PEM certificate"},
		{"dashboards without Kibana", []string{address}, []string{"setup", "--dashboards"}, 78, "KIBANA_URL is not set"},
		{"Kibana's URL with a password", []string{address, "KIBANA_URL=https://u:hidden@h"}, []string{"setup", "--dashboards"}, 78, "set KIBANA_API_KEY instead"},
		{"bad setting", []string{address, "NEWTERMS_REQUEST_TIMEOUT=soon"}, []string{"run"}, 78, `NEWTERMS_REQUEST_TIMEOUT: \"soon\" is no duration`},
		{"bad target", []string{address, "NEWTERMS_ALERTS_TARGET=a*"}, []string{"setup"}, 78, `NEWTERMS_ALERTS_TARGET: \"a*\"`},
		{"bad exclude setting", []string{address, "NEWTERMS_EXCLUDE=a:("}, []string{"run"}, 78, "NEWTERMS_EXCLUDE: KQL"},
		{"nobody there", []string{address}, []string{"run"}, 1, "connection refused: check ELASTICSEARCH_URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, code := call(t, c.environ, c.args...)
			if code != c.code || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 || stdout != "" {
				t.Errorf("exit %d, want %d; want %q in the one line of\n%s%s", code, c.code, c.want, stderr, stdout)
			}
			if strings.Contains(stderr, "hidden") {
				t.Errorf("a secret is shown: %s", stderr)
			}
		})
	}
}

// proxySession is an event that the built-in rule matches.
func proxySession(actor, account, ingested string) map[string]any {
	return map[string]any{
		"@timestamp": ingested, "event": map[string]any{"ingested": ingested, "kind": "event", "action": "user.session.start"},
		"data_stream": map[string]any{"dataset": "okta.system"}, "cloud": map[string]any{"account": map[string]any{"id": account}},
		"okta": map[string]any{
			"actor": map[string]any{"id": actor, "display_name": strings.ToUpper(actor)}, "event_type": "user.session.start",
			"security_context": map[string]any{"is_proxy": true}, "client": map[string]any{"ip": "192.0.2.1"},
		},
	}
}

func TestRunAsAUserWould(t *testing.T) {
	c := newCluster(t,
		proxySession("00u1", "acc-1", "2026-03-09T12:00:00Z"), proxySession("00u1", "acc-1", "2026-03-10T12:00:00Z"),
		proxySession("00u2", "acc-1", "2026-03-10T12:01:00Z"), proxySession("okta.x", "acc-1", "2026-03-10T12:02:00Z"))
	if stdout, stderr, code := call(t, c.environ, "setup"); code != 0 || strings.Count(stdout, "installed") != 2 || stderr != "" {
		t.Fatalf("setup: exit %d: %s%s", code, stdout, stderr)
	}
	day := []string{"run", "--from", "2026-03-10", "--to", "2026-03-11", "--output", "ndjson"}
	dry, _, _ := call(t, c.environ, append(day, "--dry-run")...)
	stdout, stderr, code := call(t, c.environ, day...)
	var alert map[string]any
	if err := json.Unmarshal([]byte(stdout), &alert); err != nil || code != 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if got := fmt.Sprintf("%v %v %v", alert["kibana.alert.new_terms"], alert["newterms.first_seen"], alert["event.kind"]); got != "[00u2 acc-1] 2026-03-10T12:01:00.000Z signal" {
		t.Errorf("got %s", got)
	}
	var dryAlert map[string]any
	if err := json.Unmarshal([]byte(dry), &dryAlert); err != nil || alert["_id"] == nil || alert["_id"] != dryAlert["_id"] {
		t.Errorf("the dry run announced %v, %v; the run wrote %v", dryAlert["_id"], err, alert["_id"])
	}
	for _, key := range []string{"run_id", "rule", "window", "candidates", "new", "written", "already_alerted", "lacking_terms", "requests", "took_ms", "duration_ms"} {
		if !strings.Contains(stderr, `"`+key+`":`) {
			t.Errorf("the summary line lacks %s: %s", key, stderr)
		}
	}
	if stdout, stderr, code := call(t, c.environ, day...); code != 0 || stdout != "" || !strings.Contains(stderr, `"already_alerted":1`) {
		t.Errorf("the rerun: exit %d: %s%s", code, stdout, stderr)
	}
	_, stderr, code = call(t, c.environ, append(day, "--exclude", "okta.client.ip: 192.*")...)
	if code != exitRule || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "on [okta.client.ip] which is of type [ip]: correct what it names in the rule, --exclude or") {
		t.Errorf("an exclude that does not fit: exit %d: %s", code, stderr)
	}
	for _, request := range c.take() {
		if strings.Contains(request, `"script`) || strings.Contains(request, "runtime_mappings") {
			t.Errorf("a script or runtime field: %s", request)
		}
	}
}

// TestKnownCandidatesCostSixRequests counts what a run sends when it finds
// candidates and all of them are known, run documents included.
func TestKnownCandidatesCostSixRequests(t *testing.T) {
	c := newCluster(t, proxySession("00u1", "acc-1", "2026-03-09T12:00:00Z"), proxySession("00u1", "acc-1", "2026-03-10T12:00:00Z"))
	call(t, c.environ, "setup")
	c.take()
	if _, stderr, code := call(t, c.environ, "run", "--from", "2026-03-10", "--to", "2026-03-11"); code != 0 || !strings.Contains(stderr, `"candidates":1`) {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if requests := c.take(); len(requests) > 6 {
		t.Errorf("%d requests:\n%s", len(requests), strings.Join(requests, "\n"))
	}
}

func TestRuleAsksNobody(t *testing.T) {
	stdout, stderr, code := call(t, nil, "rule")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"6f1bb4b2-7dc8-11ee-92b2-f661ea17fbcd", "history    168h0m0s", "# candidates", "# history", `"composite"`, `"value": "okta*"`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestREADMENamesEverySetting keeps the table of the README and the program
// together.
func TestREADMENamesEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := reflect.TypeFor[settings]()
	known := map[string]bool{}
	for i := range settings.NumField() {
		name := settings.Field(i).Tag.Get("env")
		known[name] = true
		if name != "TERM" && !bytes.Contains(readme, []byte("`"+name+"`")) {
			t.Errorf("the README lacks %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`((?:NEWTERMS|ELASTICSEARCH|KIBANA|LOG)_[A-Z_]+)`").FindAllSubmatch(readme, -1) {
		if name := string(name[1]); !known[name] && name != "ELASTICSEARCH_TEST_URL" && name != "ELASTICSEARCH_TEST_VERSION" {
			t.Errorf("the README explains %s, which newterms does not read", name)
		}
	}
}
