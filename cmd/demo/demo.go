package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"newterms/cmd/demo/sample"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/estest"
)

const explanation = `
What you saw:
 1. Of about 300 Okta events, the rule's query matches those through a proxy; a pair is an actor and a cloud account.
 2. An alert is a pair's first event after more than 7 days without one: Kavya, Leo, "unknown", and Ines after 8 days.
 3. Basil and Camille use proxies daily, but not with the second account; Farid's event arrived two days late.
 4. No alert: Jonas was seen 6 days before, okta.* is a system actor, and Noah's events lack cloud.account.id (the warning).
 5. The second run found the same pairs, saw that each has its alert, and wrote nothing.
`

// options are what the demo was told.
type options struct {
	keep                          bool
	elasticsearch, kibana, browse string // URLs; "" is none
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.keep, "keep", false, "leave Elasticsearch up until Ctrl-C, to try things")
	flags.StringVar(&o.elasticsearch, "elasticsearch", "", "`URL` of an Elasticsearch to use instead of one that is started, as ELASTICSEARCH_USERNAME\n"+
		"and the other variables of newterms say; what is there already is never touched")
	flags.StringVar(&o.kibana, "kibana", "", "`URL` of its Kibana, to import the dashboards to")
	flags.StringVar(&o.browse, "browse", "", "`URL` of Kibana for a browser, if that is another one")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is one argument too many", flags.Arg(0))
	case o.elasticsearch == "" && o.kibana != "":
		return o, errors.New("--kibana needs --elasticsearch: the Elasticsearch that the demo starts has no Kibana")
	case o.elasticsearch != "" && o.keep:
		return o, errors.New("--keep is for the Elasticsearch that the demo starts")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	say := progress(stderr)
	bin, err := os.MkdirTemp("", "newterms-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	d := demo{root: root, newterms: filepath.Join(bin, "newterms"), say: say, stdout: stdout, stderr: stderr}
	if o.elasticsearch != "" {
		return d.elsewhere(ctx, o)
	}
	built := make(chan error, 1)
	go func() { built <- d.build(ctx) }()
	node, startErr := estest.Start(ctx, estest.Options{Progress: say})
	buildErr := <-built
	if startErr != nil || buildErr != nil {
		return errors.Join(startErr, buildErr)
	}
	defer node.Stop() // its error would be of a node that is gone already
	// The jars that it starts from lack an API, of which setup would tell.
	if err := d.show(ctx, node, []string{"ELASTICSEARCH_URL=" + node.URL}, []string{"setup"}, "LOG_LEVEL=warn"); err != nil {
		return err
	}
	if o.keep {
		fmt.Fprintf(stdout, tryIt, node.URL)
		<-ctx.Done()
	}
	return nil
}

// A demo is what is at hand before there is an Elasticsearch.
type demo struct {
	root, newterms string // the sources, and where the program is built
	say            func(string)
	stdout, stderr io.Writer
}

func (d demo) build(ctx context.Context) error {
	d.say("compiling newterms")
	return goTool(ctx, d.root, "build", "-o", d.newterms, "./cmd/newterms")
}

// elsewhere shows newterms on a cluster that was running before.
func (d demo) elsewhere(ctx context.Context, o options) error {
	server, err := newElsewhere(o.elasticsearch)
	if err == nil {
		err = server.refuse(ctx)
	}
	if err == nil {
		err = d.build(ctx)
	}
	if err != nil {
		return err
	}
	environ := []string{"ELASTICSEARCH_URL=" + o.elasticsearch, "NEWTERMS_INDEX=logs-okta.system-*", "NEWTERMS_NAMESPACE=default", "NEWTERMS_ALERTS_TARGET=", "NEWTERMS_RUNS_TARGET="}
	setup := []string{"setup"}
	if o.kibana != "" {
		environ, setup = append(environ, "KIBANA_URL="+o.kibana), append(setup, "--dashboards")
	}
	if err := d.show(ctx, server, environ, setup); err != nil {
		return err
	}
	fmt.Fprint(d.stdout, server.seeIt(o.kibana, o.browse))
	return nil
}

// show loads the sample events and runs newterms, with the arguments and further
// variables of its setup.
func (d demo) show(ctx context.Context, server sample.Server, environ, setup []string, ofSetup ...string) error {
	d.say("loading sample events")
	if err := sample.Load(ctx, server, filepath.Join(d.root, "testdata", "okta"), time.Now()); err != nil {
		return fmt.Errorf("load sample events: %w", err)
	}
	d.say("")
	for _, command := range [][]string{setup, {"run", "--from", "now-1d"}, {"run", "--from", "now-1d"}} {
		fmt.Fprintln(d.stdout, "$ newterms", strings.Join(command, " "))
		cmd := exec.CommandContext(ctx, d.newterms, command...)
		cmd.Stdout, cmd.Stderr = d.stdout, d.stderr
		cmd.Env = slices.Concat(os.Environ(), environ, []string{"LOG_FORMAT=text"})
		if command[0] == "setup" {
			cmd.Env = append(cmd.Env, ofSetup...)
		}
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("newterms %s: %w", strings.Join(command, " "), err)
		}
		fmt.Fprintln(d.stdout)
	}
	fmt.Fprint(terminal.Fitting(d.stdout), strings.TrimPrefix(explanation, "\n"))
	return nil
}

const tryIt = `
Elasticsearch is at %s until you press Ctrl-C. In another terminal, here:
  export ELASTICSEARCH_URL=%[1]s
  go run ./cmd/newterms run --from now-8d --dry-run
  go run ./cmd/newterms explain --term okta.actor.id=00u1jon3Kt8xCq4Fs5d7 --from now-1d
  go run ./cmd/newterms backtest --from now-8d --exclude 'client.as.organization.name:"Kestrel VPN"'
  go run ./cmd/newterms rule
  curl -s "$ELASTICSEARCH_URL/.alerts-newterms.detections-default/_search?_source=false&docvalue_fields=kibana.alert.reason&pretty"
`

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("run it inside a clone of newterms: go run ./cmd/demo")
	}
	return filepath.Dir(mod), nil
}

func goTool(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// progress prints what is going on, and every few seconds that it still is.
// An empty text ends it.
func progress(stderr io.Writer) func(string) {
	var mu sync.Mutex
	start, doing := time.Now(), ""
	line := func(text string) { fmt.Fprintf(stderr, "%3.0fs  %s\n", time.Since(start).Seconds(), text) }
	done := make(chan struct{})
	go func() {
		ticker := time.NewTicker(5 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				mu.Lock()
				line("still " + doing)
				mu.Unlock()
			}
		}
	}()
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if text == "" {
			close(done)
			return
		}
		doing = text
		line(text)
	}
}
