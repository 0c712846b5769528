package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestScratchIsRemoved stops newterms test in the middle: after a signal nothing is left
// on the server, and after a kill nothing is left by the next call.
func TestScratchIsRemoved(t *testing.T) {
	c := newCluster(t)
	left := func(pid int) string {
		answer := string(c.node.Must(t, "GET", "/_cat/indices/.newterms-test-*?expand_wildcards=all&h=index", nil))
		var of []string
		for line := range strings.Lines(answer) {
			if strings.Contains(line, fmt.Sprintf("-%d-", pid)) {
				of = append(of, strings.TrimSpace(line))
			}
		}
		return strings.Join(of, " ")
	}
	isIndex := regexp.MustCompile(`^/\.newterms-test-[^/,*]*$`) // a request that makes one
	for _, by := range []struct {
		signal os.Signal
		exit   int
	}{{syscall.SIGTERM, 1}, {os.Interrupt, 130}, {os.Kill, -1}} {
		started := make(chan *exec.Cmd, 1)
		made := 0
		c.setFault(func(r request) bool {
			if isIndex.MatchString(r.path) {
				made++
			}
			if made != 1 {
				return false
			}
			made++
			r.forward()
			if err := (<-started).Process.Signal(by.signal); err != nil {
				t.Error(err)
			}
			return true
		})
		cmd := exec.Command(os.Args[0], "test")
		cmd.Env = append(append([]string{}, c.environ...), asProgram+"=0s", "NEWTERMS_INDEX=", "NEWTERMS_CONCURRENCY=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pid := cmd.Process.Pid
		started <- cmd
		_ = cmd.Wait() // its exit code says how it ended
		c.setFault(nil)
		if got := cmd.ProcessState.ExitCode(); got != by.exit {
			t.Errorf("%v: exit %d: %s", by.signal, got, &stderr)
		}
		if by.signal != os.Kill {
			if got := left(pid); got != "" {
				t.Errorf("%v has left %s: %s", by.signal, got, &stderr)
			}
			continue
		}
		if left(pid) == "" {
			t.Error("the killed process has left nothing: it shows nothing of the next")
		}
		_, said, code := c.callWith(t, programAt(time.Now()), append(c.environ, "NEWTERMS_INDEX="), "test")
		if got := left(pid); code != 0 || got != "" {
			t.Errorf("exit %d, and the next call has left %s: %s", code, got, said)
		}
		if got := left(os.Getpid()); got != "" {
			t.Errorf("success has left %s", got)
		}
	}
}
