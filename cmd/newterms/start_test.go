package main

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"newterms/cmd/newterms/failure"
)

// TestSearchesWhileTheStartIsRecorded holds the record of a run's start back until the
// run has looked up its alerts. Then the record is refused: nothing may be written.
func TestSearchesWhileTheStartIsRecorded(t *testing.T) {
	c := faultCluster(t)
	path := faultRule(t, "start")
	found := make(chan struct{})
	lookedUp := sync.OnceFunc(func() { close(found) })
	c.setFault(func(r request) bool {
		switch r.kind {
		case "already alerted":
			lookedUp()
		case "run document":
			select {
			case <-found:
			case <-r.gone:
			}
			http.Error(r.w, `{"error":{"type":"security_exception"},"status":403}`, http.StatusForbidden)
			return true
		}
		return false
	})
	if _, stderr, code := c.callWith(t, programAt(noon), c.environ, "run", "--rule", path); code != failure.ExitUnauthorized {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if got := c.alerts("start"); len(got) > 0 {
		t.Errorf("a run without a start has written %v", got)
	}
	c.setFault(nil)
	if _, stderr, code := c.callWith(t, programAt(noon), c.environ, "run", "--rule", path); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if got := c.alerts("start"); !slices.Equal(got, newActors()) {
		t.Errorf("got %v", got)
	}
}
