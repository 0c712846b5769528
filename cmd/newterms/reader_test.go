package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"newterms/cmd/newterms/failure"
)

// printing starts newterms as a process of its own that prints to a file.
func (c *cluster) printing(t *testing.T, stdout *os.File, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c.setClock(func() time.Time { return noon })
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), c.environ...), asProgram+"="+noon.Format(time.RFC3339))
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &stderr
}

// someRules writes rules, and returns their ids and the arguments of a run.
func someRules(t *testing.T, prefix string, n int, more ...string) (ids, args []string) {
	t.Helper()
	args = append([]string{"run"}, more...)
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s %d", prefix, i))
		args = append(args, "--rule", faultRule(t, ids[i]))
	}
	return ids, args
}

// ended returns the run documents of a rule that tell of an end.
func (c *cluster) ended(id string) []map[string]any {
	c.tb.Helper()
	return c.node.Documents(c.tb, c.runsTarget(), map[string]any{"query": map[string]any{"bool": map[string]any{
		"filter":   map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": id}},
		"must_not": map[string]any{"term": map[string]any{"newterms.run.state": "started"}},
		"must":     map[string]any{"exists": map[string]any{"field": "newterms.run.state"}},
	}}})
}

// TestReaderIsGone prints to a pipe that nobody reads any more, as before head, and
// to a full disk. Each run fails with a line and is recorded so; the next one ends
// the work.
func TestReaderIsGone(t *testing.T) {
	c := faultCluster(t)
	gone := func() *os.File {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		return write
	}
	full := func() *os.File {
		f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for name, stdout := range map[string]struct {
		open func() *os.File
		want string
	}{"gone": {gone, "broken pipe"}, "full": {full, "no space left on device"}} {
		for _, output := range []string{"table", "ndjson"} {
			for _, n := range []int{1, 3} {
				ids, args := someRules(t, fmt.Sprintf("%s %s %d", name, output, n), n, "--output", output)
				file := stdout.open()
				cmd, stderr := c.printing(t, file, args...)
				_ = cmd.Wait()
				file.Close()
				if cmd.ProcessState.ExitCode() != failure.ExitFailed || strings.Count(stderr.String(), "is written: write /dev/stdout: "+stdout.want)+
					strings.Count(stderr.String(), "are written: write /dev/stdout: "+stdout.want) != n {
					t.Errorf("%s: %s: %s", ids[0], cmd.ProcessState, stderr)
				}
				for _, id := range ids {
					if ends := c.ended(id); len(ends) != 1 || ends[0]["newterms.run.state"] != "failure" || !strings.Contains(fmt.Sprint(ends[0]["error.message"]), stdout.want) {
						t.Errorf("%s is recorded as %v", id, ends)
					}
				}
				if _, stderr, code := c.callWith(t, programAt(noon), c.environ, args...); code != 0 {
					t.Error(stderr)
				}
				for _, id := range ids {
					if got := c.alerts(id); !slices.Equal(got, newActors()) {
						t.Errorf("%s: got %v", id, got)
					}
				}
			}
		}
	}
}

// TestSlicesPrintOnce catches up two days, in slices. What they found is printed
// together, before the last of them is recorded: the others have succeeded.
func TestSlicesPrintOnce(t *testing.T) {
	c := faultCluster(t)
	for _, full := range []bool{true, false} {
		id := fmt.Sprintf("slices, full %t", full)
		path := faultRule(t, id)
		if _, stderr, code := c.callWith(t, programAt(noon.Add(-50*time.Hour)), c.environ, "run", "--rule", path); code != 0 {
			t.Fatal(stderr)
		}
		name := filepath.Join(t.TempDir(), "stdout")
		if full {
			name = "/dev/full"
		}
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		cmd, stderr := c.printing(t, file, "run", "--rule", path)
		_ = cmd.Wait()
		file.Close()
		ends := map[string]any{} // states by the end of the window
		for _, end := range c.ended(id) {
			ends[fmt.Sprint(end["newterms.window.to"])] = end["newterms.run.state"]
		}
		want := map[string]any{"2026-03-08T10:00:00.000Z": "success", "2026-03-09T10:00:00.000Z": "success", "2026-03-10T10:00:00.000Z": "success", "2026-03-10T12:00:00.000Z": "success"}
		if full {
			want["2026-03-10T12:00:00.000Z"] = "failure"
		}
		if !maps.Equal(ends, want) || (cmd.ProcessState.ExitCode() != failure.ExitDone) != full {
			t.Errorf("%s: %s: recorded as %v, want %v: %s", id, cmd.ProcessState, ends, want, stderr)
		}
		if full {
			continue
		}
		if text, err := os.ReadFile(name); err != nil || strings.Count(string(text), "Rule "+id) != 1 || strings.Count(string(text), "new0") != 10 {
			t.Errorf("%v, printed %s", err, text)
		}
	}
}

// awaitStarts waits until a run of each rule has recorded its start.
func (c *cluster) awaitStarts(ids []string) {
	c.tb.Helper()
	for _, id := range ids {
		for len(c.node.Documents(c.tb, c.runsTarget(), map[string]any{"query": map[string]any{"term": map[string]any{"kibana.alert.rule.rule_id": id}}})) == 0 {
			time.Sleep(10 * time.Millisecond) // as long as the test may take
		}
	}
}

// crowd is how many alerts print more than a pipe holds (64 kB), also as a table.
const crowd = 900

func crowdedCluster(t *testing.T) *cluster {
	t.Helper()
	var documents []map[string]any
	for i := range crowd {
		documents = append(documents, proxySession(fmt.Sprintf("actor%05d", i), "acc-1", noon.Add(-30*time.Minute).Format(time.RFC3339)))
	}
	return setUpCluster(t, documents...)
}

// TestReaderStops reads the beginning of what is printed and then no more. SIGTERM
// ends the process all the same, in which each run is recorded as failed.
func TestReaderStops(t *testing.T) {
	c := crowdedCluster(t)
	for _, output := range []string{"table", "ndjson"} {
		for _, n := range []int{1, 3} {
			ids, args := someRules(t, fmt.Sprintf("stops %s %d", output, n), n, "--output", output)
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd, stderr := c.printing(t, write, args...)
			write.Close()
			if _, err := bufio.NewReader(read).ReadString('\n'); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			c.awaitStarts(ids) // a run that has recorded no start records no end
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // for ever, if it waits for the reader
			if cmd.ProcessState.ExitCode() != failure.ExitFailed || !strings.Contains(stderr.String(), "terminated: terminated signal received: ") ||
				!strings.Contains(stderr.String(), "written: nobody reads stdout: repair the reader of stdout") {
				t.Errorf("%s: %s: %s", ids[0], cmd.ProcessState, stderr)
			}
			for _, id := range ids {
				if ends := c.ended(id); len(ends) != 1 || ends[0]["newterms.run.state"] != "failure" || ends[0]["newterms.run.terminated"] != true {
					t.Errorf("%s is recorded as %v: %s", id, ends, stderr)
				}
			}
			rest, err := io.ReadAll(read)
			if err != nil || len(rest) > 100<<10 {
				t.Errorf("%s: %d bytes more, %v", ids[0], len(rest), err)
			}
			read.Close()
		}
	}
}

// TestNobodyReads lets the deadline end a run whose stdout and stderr are one pipe
// that nobody reads.
func TestNobodyReads(t *testing.T) {
	c := crowdedCluster(t)
	c.environ = append(c.environ, "NEWTERMS_DEADLINE=9s")
	ids, args := someRules(t, "nobody", 3)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	if err := write.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, _ = write.Write(make([]byte, 1<<20)) // as much as it holds
	c.setClock(func() time.Time { return noon })
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(append(os.Environ(), c.environ...), asProgram+"="+noon.Format(time.RFC3339))
	cmd.Stdout, cmd.Stderr = write, write
	_ = cmd.Run() // for ever, if it waits for the reader
	if cmd.ProcessState.ExitCode() != failure.ExitFailed {
		t.Errorf("got %s", cmd.ProcessState)
	}
	for _, id := range ids {
		if got := c.lastError(id); !strings.HasPrefix(got, "terminated: NEWTERMS_DEADLINE, 9 s, is over: ") {
			t.Errorf("%s: recorded as %q", id, got)
		}
	}
}
