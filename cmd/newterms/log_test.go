package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"newterms/cmd/newterms/logging"
	"newterms/cmd/newterms/settings"
	"newterms/job"
	"newterms/job/limits"
)

// TestLogActions reads the event.action and event.outcome of log lines, which alerts on
// logs depend on.
func TestLogActions(t *testing.T) {
	var out bytes.Buffer
	p := program{log: logging.New(settings.Settings{}, "", "run", &out)}
	p.log.Info("two pairs", "candidates", 2)
	_ = p.logError(errors.New("no shard answered"))
	p.log.Warn("two rules are left out")
	warn := p.warnOf("a rule")
	warn(&job.Gap{Window: job.Window{To: time.Unix(0, 0)}, Rerun: "newterms run"})
	warn(fmt.Errorf("rule: %w", &limits.NoHistory{}))
	for _, want := range []string{"run success", "run failure", "run unknown", "gap unknown", "no-history unknown"} {
		var line struct {
			Action   string `json:"event.action"`
			Outcome  string `json:"event.outcome"`
			Newterms map[string]any
		}
		text, _ := out.ReadBytes('\n')
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if got := line.Action + " " + line.Outcome; got != want {
			t.Errorf("got %s, want %s: %s", got, want, text)
		}
		if line.Newterms["event.action"] != nil {
			t.Errorf("the action is there twice: %s", text)
		}
	}
}
