package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"newterms/cmd/newterms/failure"
)

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
		if failure.Code(err) != failure.ExitFailed || !strings.Contains(err.Error()+stderr.String(), run.want) {
			t.Errorf("%v: exit %d: %v %s", run.args, failure.Code(err), err, &stderr)
		}
	}
}

// full is a disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space is left") }
