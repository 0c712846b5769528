package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/esquery/estest"
)

var (
	update = flag.Bool("update", false, "write what the stories' commands print into testdata/script")
	clock  = flag.String("clock", "0s", "the time of stories that set none: RFC 3339, or how far this clock is ahead of the server's")
)

// asProgram names the variable that turns the test binary into newterms: at the
// time that it holds, or with a clock that is as much ahead as it says (0s is
// the real one), and with quick retries.
const asProgram = "NEWTERMS_TEST_AS_PROGRAM_AT"

func TestMain(m *testing.M) {
	at := os.Getenv(asProgram)
	if at == "" {
		// More than there are cores: the long tests wait much, for the server and for a
		// program that tries again. -parallel on the command line comes later, and counts.
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	clock, err := clockAt(at)
	if err != nil {
		panic(err)
	}
	p := quickly(clock)
	if os.Getenv("NEWTERMS_TEST_PAGES") == "small" {
		p.pageSize = 4
	}
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NEWTERMS_TEST_") })
	os.Exit(failure.Code(p.execute(untilSignal(context.Background()), os.Args[1:], environ, os.Stdout, os.Stderr)))
}

func clockAt(text string) (func() time.Time, error) {
	if ahead, err := time.ParseDuration(text); err == nil {
		return func() time.Time { return time.Now().Add(ahead) }, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	return func() time.Time { return at }, err
}

// quickly is a program that tries everything three times, at once.
func quickly(now func() time.Time) program {
	return program{now: now, retry: func() []backoff.RetryOption {
		return []backoff.RetryOption{
			backoff.WithMaxTries(3), backoff.WithMaxElapsedTime(time.Hour), backoff.WithBackOff(backoff.NewConstantBackOff(time.Millisecond)),
		}
	}}
}

// TestStories runs testdata/script: what people type, and what they read. Each
// story has an index and targets of its own on the real server, behind a proxy.
//
//	newterms ARGS…       runs newterms; exit N then asserts its exit code
//	session ACTOR now-1d [ACCOUNT]     indexes a proxy session of that time
//	events FILE          indexes a JSON document a line; <now-1d> is that time, $NAME that variable
//	elasticsearch METHOD PATH [FILE]   asks the server itself, with a file as events has it
//	fault KIND[ of RULE] NAME          breaks each request of a kind from now on (see faults)
//	poisoned, broken, outdated         changes the alerts' index template: it refuses
//	                     events whose poison is no number, or newterms' own pair, or
//	                     is of another version
//	kibana SPACE STATUS FILE           answers in Kibana's place
//	kibana-rules SPACE ID=TYPE…        keeps rules in Kibana's place, and shown-rules
//	                     prints them
//	env CLOCK=…          a time, here and by the server's clock, or how far the clock
//	                     here is ahead of the server's
func TestStories(t *testing.T) { stories(t, "testdata/script") }

// TestPipelines runs testdata/pipelines, which needs the ingest processors that
// estest adds to Elasticsearch 8.
//
//	pipeline TARGET default_pipeline|final_pipeline NAME   puts one on a target
func TestPipelines(t *testing.T) { stories(t, "testdata/pipelines") }

func stories(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir: dir, UpdateScripts: *update, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			c := newCluster(env.T().(testing.TB))
			env.Values["story"] = &story{cluster: c, said: func(string) {}}
			env.Vars = append(env.Vars, c.environ...)
			env.Vars = append(env.Vars, "LOG_FORMAT=text", "CLOCK="+*clock, "INDEX="+c.name, "ALERTS="+c.alertsTarget(), "RUNS="+c.runsTarget(), "LONG="+strings.Repeat("x", 1_100), "HUGE="+strings.Repeat("x", 30_000),
				"HOSTILE=\x1b[2J\"}\n{\"kibana.alert.uuid\":\"x\u202e\xff")
			return nil
		},
		Cmds: commands(),
	})
}

// A story is the state of one script.
type story struct {
	*cluster
	process *exec.Cmd                        // the last newterms
	said    func(text string)                // is given what newterms prints
	rules   func() map[string]map[string]any // of the last kibana-rules
}

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"newterms": runNewterms,
		"exit": func(ts *testscript.TestScript, _ bool, args []string) {
			if got := fmt.Sprint(storyOf(ts).process.ProcessState.ExitCode()); len(args) != 1 || got != args[0] {
				ts.Fatalf("newterms exited with %s", got)
			}
		},
		"events": func(ts *testscript.TestScript, _ bool, args []string) {
			for line := range strings.Lines(dated(os.Expand(ts.ReadFile(args[0]), ts.Getenv), clockOf(ts))) {
				var document map[string]any
				ts.Check(json.Unmarshal([]byte(line), &document))
				storyOf(ts).index(document)
			}
		},
		"session": func(ts *testscript.TestScript, _ bool, args []string) {
			account := append(args, "218733041992")[2]
			storyOf(ts).index(proxySession(args[0], account, dated("<"+args[1]+">", clockOf(ts))))
		},
		"elasticsearch": askElasticsearch,
		"pipeline": func(ts *testscript.TestScript, _ bool, args []string) {
			body := map[string]any{"index." + args[1]: args[2]}
			_, err := storyOf(ts).node.Request(context.Background(), "PUT", "/"+args[0]+"/_settings", body)
			ts.Check(err)
		},
		"fault": breakRequests,
		"poisoned": changesTemplate(func(template map[string]any) {
			properties := template["template"].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
			properties["poison"] = map[string]any{"type": "long", "ignore_malformed": false}
		}),
		"broken": changesTemplate(func(template map[string]any) {
			mappings := template["template"].(map[string]any)["mappings"].(map[string]any)
			newterms := mappings["properties"].(map[string]any)["newterms"].(map[string]any)["properties"].(map[string]any)
			newterms["pair"] = map[string]any{"type": "long", "ignore_malformed": false}
		}),
		"outdated": changesTemplate(func(template map[string]any) { template["version"] = 0 }),
		"kibana":   kibanaStandIn, "kibana-rules": kibanaRules, "shown-rules": shownRules,
	}
}

// clockOf is the time that newterms takes the story to be at.
func clockOf(ts *testscript.TestScript) time.Time {
	now, err := clockAt(ts.Getenv("CLOCK"))
	ts.Check(err)
	return now()
}

func askElasticsearch(ts *testscript.TestScript, neg bool, args []string) {
	askNode(ts, storyOf(ts).node, neg, args)
}

func askNode(ts *testscript.TestScript, node *estest.Node, neg bool, args []string) {
	var body any
	if len(args) > 2 {
		body = []byte(dated(os.Expand(ts.ReadFile(args[2]), ts.Getenv), clockOf(ts)))
	}
	answer, err := node.Request(context.Background(), args[0], args[1], body)
	if (err != nil) != neg {
		ts.Fatalf("%s %s: %v", args[0], args[1], err)
	}
	fmt.Fprintln(ts.Stdout(), storyOf(ts).tidy(string(answer)))
}

func breakRequests(ts *testscript.TestScript, _ bool, args []string) {
	s := storyOf(ts)
	if args[0] == "none" {
		s.setFault(nil)
		return
	}
	kind, rule, _ := strings.Cut(args[0], " of ")
	faults := slices.Concat(faults(), s.storyFaults(), s.decisionFaults())
	at := slices.IndexFunc(faults, func(f fault) bool { return f.name == args[1] })
	if at < 0 || !slices.Contains(append(kinds, "any", "root", "other", "data stream", "decision"), kind) {
		ts.Fatalf("there is no fault %q of %q", args[1], kind)
	}
	s.setFault(func(r request) bool {
		hit := (kind == "any" || r.kind == kind) && strings.Contains(string(r.body), rule)
		if hit {
			faults[at].do(r)
		}
		return hit
	})
}

// signal sends newterms a signal, while it waits for an answer.
func (s *story) signal(signal os.Signal) func(request) {
	return func(r request) {
		_ = s.process.Process.Signal(signal)
		<-r.gone
	}
}

// storyFaults are those that only stories use.
func (s *story) storyFaults() []fault {
	return []fault{
		{"SIGTERM", false, s.signal(syscall.SIGTERM)},
		{"Ctrl-C", false, s.signal(os.Interrupt)},
		{"version 8.12 unseen", false, func(r request) { // by who may not see it
			switch {
			case r.path == "/":
				elasticError(http.StatusForbidden, "security_exception")(r)
			case strings.HasSuffix(r.path, "/_bulk"):
				elasticError(http.StatusBadRequest, "illegal_argument_exception", "request [/_bulk] contains unrecognized parameter: [require_data_stream]")(r)
			default:
				reply(r.w, r.forward())
			}
		}},
		{"version 7", false, status(200, `{"version":{"number":"7.17.29"}}`, "X-Elastic-Product", "Elasticsearch")},
		{"version 8.12", false, status(200, `{"version":{"number":"8.12.2"}}`, "X-Elastic-Product", "Elasticsearch")},
		{"no such API", false, status(405, `{"error":"Incorrect HTTP method for uri [/_data_stream/x] and method [PUT], allowed: [POST]","status":405}`)},
		{"made meanwhile", false, func(r request) { r.forward(); reply(r.w, r.forward()) }},
		{"unknown parameter", false, status(400, `{"error":{"type":"illegal_argument_exception",`+
			`"reason":"request [/x/_bulk] contains unrecognized parameter: [require_data_stream]"},"status":400}`)},
		{"413 over 16 kB", false, func(r request) {
			if len(r.body) > 16<<10 {
				r.w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			reply(r.w, r.forward())
		}},
		{"ten minutes ago", false, func(r request) { // as if the server's clock were: no clock of this machine can be set
			reply(r.w, r.replace(bytes.ReplaceAll(r.body, []byte(`"now"}`), []byte(`"now-10m"}`))))
		}},
	}
}

// changesTemplate changes the index template of the alerts.
func changesTemplate(change func(template map[string]any)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		s := storyOf(ts)
		ts.Check(s.node.ChangeTemplate(context.Background(), s.alertsTarget()+"-index-template", change))
	}
}

func storyOf(ts *testscript.TestScript) *story { return ts.Value("story").(*story) }

// runNewterms runs the test binary as newterms, in a process of its own. Commands
// that only look must not change anything.
func runNewterms(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	s.take()
	s.setClock(nil)
	if at, err := time.Parse(time.RFC3339, ts.Getenv("CLOCK")); err == nil {
		s.setClock(func() time.Time { return at })
	}
	var out, errs bytes.Buffer
	s.process = exec.Command(os.Args[0], args...)
	s.process.Dir, s.process.Env = ts.MkAbs("."), []string{asProgram + "=" + ts.Getenv("CLOCK")}
	for _, name := range settingNames() {
		if value := ts.Getenv(name); value != "" {
			s.process.Env = append(s.process.Env, name+"="+value)
		}
	}
	s.process.Stdout, s.process.Stderr = &out, &errs
	err := s.process.Run()
	if err != nil && s.process.ProcessState == nil { // it has not even started
		ts.Fatalf("newterms: %v", err)
	}
	stdout, stderr := s.tidy(out.String()), s.tidy(errs.String())
	if neg != (err != nil) {
		ts.Fatalf("newterms: %v\n%s%s", err, stdout, stderr)
	}
	// A bulk of nothing tells the version.
	for _, request := range s.take() {
		changes := strings.HasPrefix(request, http.MethodPut) || strings.HasPrefix(request, http.MethodDelete) || strings.Contains(request, "_bulk") && !strings.HasSuffix(request, "\n\n")
		if changes && slices.Contains([]string{"check", "explain", "backtest", "alerts"}, args[0]) {
			ts.Fatalf("%s changes something: %s", args[0], request)
		}
	}
	fmt.Fprint(ts.Stdout(), stdout)
	fmt.Fprint(ts.Stderr(), stderr)
	s.said(stdout + stderr)
}

// settingNames are the variables that newterms reads.
func settingNames() []string {
	var names []string
	for field := range reflect.TypeFor[settings.Settings]().Fields() {
		names = append(names, field.Tag.Get("env"))
	}
	return names
}

// TestREADMENamesEverySetting keeps the README and the program together.
func TestREADMENamesEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range settingNames() {
		if name != "TERM" && !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("the README lacks %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`((?:NEWTERMS|ELASTICSEARCH|KIBANA|LOG)_[A-Z_]+)`").FindAllStringSubmatch(string(readme), -1) {
		if !slices.Contains(settingNames(), name[1]) {
			t.Errorf("the README explains %s, which newterms does not read", name[1])
		}
	}
}
