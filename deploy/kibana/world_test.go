package kibana_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"newterms/cmd/demo/sample"
	"newterms/esquery/estest"
	"newterms/job/rule/ruletest"
)

const alertsTarget, runsTarget = ".alerts-newterms.detections-default", ".alerts-newterms.runs-default"

// world is a node with the sample's alerts and with runs of every kind, made by
// the program; and, as the namespace "fresh", with targets that are set up and
// hold nothing.
var world = sync.OnceValues(func() (*estest.Node, error) {
	ctx := context.Background()
	node, err := estest.Start(ctx, estest.Options{})
	if err != nil {
		return nil, err
	}
	if err := sample.Load(ctx, node, "../../testdata/okta", time.Now()); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "newterms-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "newterms")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/newterms").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	withoutOverlap, onHosts := filepath.Join(dir, "overlap.toml"), filepath.Join(dir, "hosts.toml")
	for path, parameters := range map[string]map[string]any{
		withoutOverlap: {"rule_id": "5m", "name": "Without an overlap", "from": "now-5m", "interval": "5m"},
		onHosts:        {"rule_id": "hosts", "name": "New process on a host", "query": "process.name: *", "new_terms_fields": []string{"host.name", "process.name"}},
	} {
		text, err := ruletest.Text(parameters)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := addHostEvents(ctx, node); err != nil {
		return nil, err
	}
	server := httptest.NewServer(withDataStreams(node))
	defer server.Close()
	for _, call := range []struct {
		setting string
		code    int
		args    []string
	}{
		{"NEWTERMS_NAMESPACE=fresh", 0, []string{"setup"}},
		{"", 0, []string{"setup"}},
		{"", 0, []string{"run"}},
		{"", 0, []string{"run", "--from", "now-1d"}},
		{"", 0, []string{"run", "--from", "now-1d"}}, // finds the same
		{"NEWTERMS_INDEX=nothing-here", 1, []string{"run"}},
		{"", 0, []string{"run", "--rule", withoutOverlap}},
		{"NEWTERMS_MAX_CATCHUP=2ms", 0, []string{"run", "--rule", withoutOverlap}}, // leaves a gap
		{"", 0, []string{"run", "--rule", onHosts, "--from", "now-5h"}},
		{"", 0, []string{"acknowledge", "--where", "client.geo.city_name: Dublin", "--assign", "ada", "--yes"}},
		{"", 0, []string{"close", "--where", "client.geo.city_name: Zurich", "--reason", "true_positive", "--comment", "the office", "--yes"}},
		{"", 0, []string{"close", "--where", "host.name: srv-02", "--reason", "false_positive", "--yes"}},
		{"", 0, []string{"reopen", "--where", "process.name: rundll32.exe", "--assign", "basil", "--yes"}}, // it is open
	} {
		cmd := exec.Command(program, call.args...)
		cmd.Env = []string{"ELASTICSEARCH_URL=" + server.URL, "NEWTERMS_OVERLAP=1ms", call.setting}
		if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != call.code {
			return nil, fmt.Errorf("newterms %v: %w: %s", call.args, err, out)
		}
	}
	if err := addCause(ctx, node); err != nil {
		return nil, err
	}
	return node, addInterruptedRun(ctx, node)
})

// addCause gives a run a cause, which takes ten alerts to have.
func addCause(ctx context.Context, node *estest.Node) error {
	text, err := node.Request(ctx, "GET", "/"+runsTarget+"/_search?size=1&q=newterms.run.state:success", nil)
	var found struct {
		Hits struct {
			Hits []struct {
				Index string `json:"_index"`
				ID    string `json:"_id"`
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		return err
	}
	hit := found.Hits.Hits[0]
	_, err = node.Request(ctx, "POST", "/"+hit.Index+"/_update/"+hit.ID+"?refresh=true", map[string]any{"doc": map[string]any{
		"newterms.cause": map[string]any{"text": "9 of 10 alerts share the network \"VPN\"", "share": 0.9, "exclude": `as: "VPN"`, "where": `newterms.run.id: "x" and (as: "VPN")`},
	}})
	return err
}

// addInterruptedRun adds the document of a start whose end is missing.
func addInterruptedRun(ctx context.Context, node *estest.Node) error {
	text, err := node.Request(ctx, "GET", "/"+runsTarget+"/_search?size=1&q=newterms.run.state:started+AND+kibana.alert.rule.rule_id:5m", nil)
	var found struct {
		Hits struct {
			Hits []struct {
				Source map[string]any `json:"_source"`
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		return err
	}
	run := found.Hits.Hits[0].Source
	run["newterms.run.id"] = "interrupted"
	delete(run, "newterms.gap.rerun")
	_, err = node.Request(ctx, "POST", "/"+runsTarget+"/_doc?op_type=create&refresh=true", run)
	return err
}

// addHostEvents adds events of processes, two of them of one host.
func addHostEvents(ctx context.Context, node *estest.Node) error {
	properties := map[string]any{"@timestamp": map[string]any{"type": "date"}}
	for _, name := range []string{"host.name", "process.name", "user.name", "event.action"} {
		properties[name] = map[string]any{"type": "keyword"}
	}
	_, err := node.Request(ctx, "PUT", "/logs-hosts", map[string]any{"mappings": map[string]any{"properties": properties}})
	for _, event := range [][2]string{{"srv-01", "certutil.exe"}, {"srv-01", "rundll32.exe"}, {"srv-02", "certutil.exe"}} {
		if err == nil {
			_, err = node.Request(ctx, "POST", "/logs-hosts/_doc?refresh=true", map[string]any{
				"@timestamp": time.Now().Add(-time.Hour).Format(time.RFC3339), "host.name": event[0], "process.name": event[1],
				"user.name": "basil", "event.action": "start",
			})
		}
	}
	return err
}

// withDataStreams is the node with the API that creates data streams, for which
// it stands in where the node has none.
func withDataStreams(node *estest.Node) http.Handler {
	target, err := url.Parse(node.URL)
	if err != nil {
		panic(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, "/_data_stream/")
		if !ok || r.Method != http.MethodPut {
			proxy.ServeHTTP(w, r)
			return
		}
		status, answer, err := node.CreateDataStream(r.Context(), name)
		if err != nil {
			status, answer = http.StatusBadGateway, []byte(err.Error())
		}
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		w.WriteHeader(status)
		_, _ = w.Write(answer) // the client is there
	})
}
