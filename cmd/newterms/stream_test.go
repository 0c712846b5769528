package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// heldUp is a reader that does not read until it is let go.
type heldUp struct {
	letGo chan struct{}
	read  chan string
}

func (h heldUp) Write(text []byte) (int, error) {
	<-h.letGo
	h.read <- string(text)
	return len(text), nil
}

// TestWriteThatIsGivenUp prints later what it was given, whatever its caller has
// made of that since.
func TestWriteThatIsGivenUp(t *testing.T) {
	reader := heldUp{make(chan struct{}), make(chan string, 2)}
	ended := make(chan struct{})
	close(ended)
	w := newStream("stdout", reader).until(ended)
	text := []byte("an alert")
	var unread *unreadError
	if _, err := w.Write(text); !errors.As(err, &unread) || unread.stream != "stdout" {
		t.Fatalf("got %v", err)
	}
	copy(text, "xxxxxxxx")
	close(reader.letGo)
	if got := <-reader.read; got != "an alert" {
		t.Errorf("printed %q", got)
	}
}

// TestDryRunThatCannotPrint does not say that its alerts are written.
func TestDryRunThatCannotPrint(t *testing.T) {
	c := newCluster(t, proxySession("00u1", "acc-1", "2026-03-10T11:30:00Z"))
	call(t, c.environ, "setup")
	for _, run := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "--from", "2026-03-10", "--dry-run"}, "print what was found: no space is left"},
		{[]string{"run", "--from", "2026-03-10"}, "print the alerts, which are written: no space is left"},
	} {
		var stderr bytes.Buffer
		err := programAt(noon).execute(t.Context(), run.args, append(c.environ, "LOG_FORMAT=text"), full{}, &stderr)
		if exitCode(err) != exitFailed || !strings.Contains(err.Error()+stderr.String(), run.want) {
			t.Errorf("%v: exit %d: %v %s", run.args, exitCode(err), err, &stderr)
		}
	}
}

// full is a disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space is left") }
