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
	"strings"
	"sync"
	"time"

	"newterms/cmd/demo/sample"
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

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	keep := flags.Bool("keep", false, "leave Elasticsearch up until Ctrl-C, to try things")
	if err := flags.Parse(args); err != nil {
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
	newterms := filepath.Join(bin, "newterms")
	built := make(chan error, 1)
	go func() {
		say("compiling newterms")
		built <- goTool(ctx, root, "build", "-o", newterms, "./cmd/newterms")
	}()
	node, startErr := estest.Start(ctx, estest.Options{Progress: say})
	buildErr := <-built
	if startErr != nil || buildErr != nil {
		return errors.Join(startErr, buildErr)
	}
	defer node.Stop() // its error would be of a node that is gone already
	say("loading sample events")
	if err := sample.Load(ctx, node, filepath.Join(root, "testdata", "okta"), time.Now()); err != nil {
		return fmt.Errorf("load sample events: %w", err)
	}
	say("")
	for _, command := range [][]string{{"setup"}, {"run", "--from", "now-1d"}, {"run", "--from", "now-1d"}} {
		fmt.Fprintln(stdout, "$ newterms", strings.Join(command, " "))
		cmd := exec.CommandContext(ctx, newterms, command...)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.Env = append(os.Environ(), "ELASTICSEARCH_URL="+node.URL, "LOG_FORMAT=text")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("newterms %s: %w", strings.Join(command, " "), err)
		}
		fmt.Fprintln(stdout)
	}
	fmt.Fprint(stdout, strings.TrimPrefix(explanation, "\n"))
	if *keep {
		fmt.Fprintf(stdout, tryIt, node.URL)
		<-ctx.Done()
	}
	return nil
}

const tryIt = `
Elasticsearch is at %s until you press Ctrl-C. In another terminal, here:
  export ELASTICSEARCH_URL=%[1]s
  go run ./cmd/newterms run --from now-8d --dry-run
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
