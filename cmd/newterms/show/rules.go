package show

import (
	"fmt"
	"io"
	"time"

	"newterms/alerts/runs"
	"newterms/cmd/newterms/terminal"
	"newterms/job/words"
)

// A Rule is a rule that would run.
type Rule struct {
	ID         string   `json:"rule_id"`
	Name       string   `json:"name"`
	Source     string   `json:"source"`
	Fields     []string `json:"new_terms_fields"`
	History    string   `json:"history"`
	Indices    []string `json:"index"`
	Exceptions int      `json:"exceptions"` // those in force, of lists and settings
	// The rest comes from the cluster, if there is one.
	LastRun   *time.Time `json:"last_run,omitempty"`
	LastAlert *time.Time `json:"last_alert,omitempty"`
	State     runs.State `json:"state,omitempty"`
	Error     string     `json:"error,omitempty"` // of a failed run
}

// Rules prints the rules that would run. withRuns says that last runs and alerts are
// known; their ages are relative to now.
func Rules(out io.Writer, all []Rule, withRuns bool, now time.Time, format Format) error {
	if format == JSON {
		return Object(out, all)
	}
	t := terminal.Table{Header: []string{"NAME", "NEW TERMS", "HISTORY", "INDEX", "EXCEPTIONS"}}
	if withRuns {
		t.Header = append(t.Header, "LAST RUN", "STATE", "LAST ALERT")
	}
	for _, r := range all {
		row := []string{terminal.Lines(r.Name, r.ID, r.Source), terminal.Lines(r.Fields...), r.History, terminal.Lines(r.Indices...), fmt.Sprintf("%10d", r.Exceptions)}
		if withRuns {
			state := terminal.Lines(string(r.State), r.Error)
			if r.State == "" {
				state = "has not run"
			}
			row = append(row, ago(r.LastRun, now), state, ago(r.LastAlert, now))
		}
		t.Rows = append(t.Rows, row)
	}
	_, err := fmt.Fprintln(terminal.Escaping(out), t.Limit(44, 30, 10, 30, 10, 12, 30, 12))
	return err
}

func ago(at *time.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	return words.Ago(*at, now)
}
