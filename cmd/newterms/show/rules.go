package show

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"newterms/alerts/runs"
	"newterms/cmd/newterms/terminal"
	"newterms/words"
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
	LastRun   *time.Time `json:"last_run,omitempty"` // of any type
	LastAlert *time.Time `json:"last_alert,omitempty"`
	State     runs.State `json:"state,omitempty"`
	Error     string     `json:"error,omitempty"`     // of a failed run
	Scheduled *Run       `json:"scheduled,omitempty"` // the newest scheduled run
	ByHand    *Run       `json:"-"`                   // the last run, if it was by hand
}

// A Run is the state of a run, and when it was recorded.
type Run struct {
	At    time.Time  `json:"at"`
	State runs.State `json:"state"`
	Error string     `json:"error,omitempty"`
}

// NewRun returns nil if there was no run.
func NewRun(r runs.StoredRun) *Run {
	if r.State == "" {
		return nil
	}
	return &Run{r.At, r.State, r.Error}
}

// Rules prints the rules that would run. withRuns says that last runs and alerts are
// known; their ages are relative to now.
func Rules(out io.Writer, all []Rule, withRuns bool, now time.Time, format Format) error {
	if format == JSON {
		return Object(out, all)
	}
	t := terminal.Table{Header: []string{"NAME", "NEW TERMS", "HISTORY", "INDEX", "EXCEPTIONS", "SCHEDULED RUNS", "RUN BY HAND", "LAST ALERT"}}
	for _, r := range all {
		row := []string{terminal.Lines(r.Name, r.ID, r.Source), terminal.Lines(r.Fields...), r.History, terminal.Lines(r.Indices...), fmt.Sprint(r.Exceptions), "", "", ""}
		if withRuns {
			row[5], row[6] = cmp.Or(r.Scheduled.text(now), "none yet"), r.ByHand.text(now)
		}
		if r.LastAlert != nil {
			row[7] = words.Ago(*r.LastAlert, now)
		}
		t.Rows = append(t.Rows, row)
	}
	_, err := fmt.Fprintln(terminal.Fitting(out), t.Fit(terminal.WidthOfText(out)))
	return err
}

// text returns the state, its age and an error; "" if there was no run.
func (r *Run) text(now time.Time) string {
	if r == nil {
		return ""
	}
	return terminal.Lines(string(r.State), words.Ago(r.At, now), r.Error)
}
