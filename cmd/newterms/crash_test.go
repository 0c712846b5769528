package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"newterms/cmd/newterms/failure"
)

// start starts newterms as a process of its own.
func (c *cluster) start(t *testing.T, now time.Time, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c.setClock(func() time.Time { return now })
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(slices.Clone(c.environ), asProgram+"="+now.Format(time.RFC3339), "NEWTERMS_TEST_PAGES=small")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

// crash kills a run just before or just after its request k reaches the server.
// It returns false if the run has no such request.
func (c *cluster) crash(t *testing.T, path string, k int, after bool) bool {
	t.Helper()
	started := make(chan *exec.Cmd, 1)
	n, killed := 0, false
	c.setFault(func(r request) bool {
		if n++; n != k {
			return false
		}
		if after {
			r.forward()
		}
		killed = true
		if err := (<-started).Process.Kill(); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	})
	cmd, stderr := c.start(t, noon, "run", "--rule", path)
	started <- cmd
	err := cmd.Wait()
	c.setFault(nil)
	if killed != (err != nil) {
		t.Errorf("request %d: killed %t, but %v: %s", k, killed, err, stderr)
	}
	return killed
}

// TestCrashMatrix kills a run before one of its requests, after the next one, and so on;
// with -whole-matrix before and after each. The next run completes the work: every alert
// is there, once, and no time was left out.
func TestCrashMatrix(t *testing.T) {
	t.Parallel() // with the other long tests
	c := faultCluster(t)
	tried := 0
	for k := 1; ; k++ {
		reached, ways := false, []bool{k%2 == 0}
		if *wholeMatrix {
			ways = []bool{false, true}
		}
		for _, after := range ways {
			id := fmt.Sprintf("crash at request %d, after %t", k, after)
			path := c.ruleAfterGoodRun(t, id)
			if reached = c.crash(t, path, k, after); !reached {
				break
			}
			tried++
			if _, stderr, code := c.callWith(t, programAt(noon.Add(30*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
				t.Errorf("%s: the next run failed: %s", id, stderr)
			}
			if got := c.alerts(id); !slices.Equal(got, newActors()) {
				t.Errorf("%s: in the end there are alerts %v", id, got)
			}
		}
		if !reached {
			t.Logf("killed %d runs at %d requests", tried, k-1)
			if k-1 < 15 {
				t.Errorf("the run has only %d requests: it should have several pages", k-1)
			}
			return
		}
	}
}

// TestFirstRunThatCrashes does the same to the first run ever, from the moment
// that its start is recorded: the next one begins where it began.
func TestFirstRunThatCrashes(t *testing.T) {
	t.Parallel() // with the other long tests
	c := faultCluster(t)
	tried := 0
	for k := 1; ; k++ {
		id := fmt.Sprintf("first run crashes after request %d", k)
		path := faultRule(t, id)
		if !c.crash(t, path, k, true) {
			if tried < 5 {
				t.Errorf("only %d runs of %d requests had recorded their start", tried, k-1)
			}
			return
		}
		recorded := map[string]any{"query": map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": id}}}
		if len(c.node.Documents(t, c.runsTarget(), recorded)) == 0 {
			continue
		}
		tried++
		if _, stderr, code := c.callWith(t, programAt(noon.Add(30*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
			t.Errorf("%s: the next run failed: %s", id, stderr)
		}
		if got := c.alerts(id); !slices.Equal(got, newActors()) {
			t.Errorf("%s: in the end there are alerts %v", id, got)
		}
	}
}

// TestSignalsEndARun sends a signal in the middle of a run, to which no answer
// comes any more. The run ends by itself, is recorded as failed, and its window
// is done by the next one.
func TestSignalsEndARun(t *testing.T) {
	c := faultCluster(t)
	for signal, want := range map[os.Signal]struct {
		exit int
		says string
	}{
		os.Interrupt:    {failure.ExitInterrupted, "stopped: no alert was written; the next scheduled run covers the window again"},
		syscall.SIGTERM: {failure.ExitFailed, "terminated: terminated signal received: "},
	} {
		id := "signal " + signal.String()
		path := c.ruleAfterGoodRun(t, id)
		started := make(chan *exec.Cmd, 1)
		sent := false
		c.setFault(func(r request) bool {
			if r.kind != "history" || sent {
				return false
			}
			sent = true
			if err := (<-started).Process.Signal(signal); err != nil {
				t.Error(err)
			}
			<-r.gone
			return true
		})
		cmd, stderr := c.start(t, noon, "run", "--rule", path)
		started <- cmd
		err := cmd.Wait()
		c.setFault(nil)
		if err == nil || cmd.ProcessState.ExitCode() != want.exit || !strings.Contains(stderr.String(), want.says) {
			t.Errorf("%s: %v: %s", id, err, stderr)
		}
		if got := c.lastError(id); !strings.HasPrefix(got, "terminated: "+signal.String()+" signal received: ") {
			t.Errorf("%s: recorded as %q", id, got)
		}
		if _, stderr, code := c.callWith(t, programAt(noon.Add(30*time.Minute)), c.environ, "run", "--rule", path); code != 0 {
			t.Errorf("%s: the next run failed: %s", id, stderr)
		}
		if got := c.alerts(id); !slices.Equal(got, newActors()) {
			t.Errorf("%s: in the end there are alerts %v", id, got)
		}
	}
}

// TestSecondSignals holds every answer back, also that of the request that
// records the end. A second signal at once is the same one, and a later one kills.
func TestSecondSignals(t *testing.T) {
	c := faultCluster(t)
	path := c.ruleAfterGoodRun(t, "two signals")
	arrived := make(chan struct{}, 100)
	release := make(chan struct{})
	defer close(release)
	c.setFault(func(r request) bool {
		if r.kind == "candidates" || r.kind == "run document" && bytes.Contains(r.body, []byte("failure")) {
			arrived <- struct{}{}
			<-release
		}
		return false
	})
	cmd, stderr := c.start(t, noon, "run", "--rule", path)
	signal := func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	<-arrived
	signal()
	signal()
	<-arrived // it lives, and records its end
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		time.Sleep(sameSignal / 4)
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case err := <-ended:
			if err == nil || cmd.ProcessState.Exited() {
				t.Errorf("got %v: %s", err, stderr)
			}
			return
		default:
		}
	}
}
