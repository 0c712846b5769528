package show

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/overview"
)

// Rules prints the rules that would run. withRuns says that last runs and alerts are
// known; their ages are relative to now.
func Rules(out io.Writer, all []overview.Rule, withRuns bool, now time.Time, format Format) error {
	if format == JSON {
		return Object(out, all)
	}
	t := terminal.Table{Header: []string{"NAME", "NEW TERMS", "HISTORY", "INDEX", "EXCEPTIONS", "SCHEDULED RUNS", "RUN BY HAND", "LAST ALERT"}}
	for _, r := range all {
		row := []string{terminal.Lines(r.Name, r.ID, r.Source), terminal.Lines(r.Fields...), r.History, terminal.Lines(r.Indices...), fmt.Sprint(r.Exceptions), "", "", ""}
		if withRuns {
			row[5], row[6] = cmp.Or(runText(r.Scheduled, now), "none yet"), runText(r.ByHand, now)
		}
		if r.LastAlert != nil {
			row[7] = words.Ago(*r.LastAlert, now)
		}
		t.Rows = append(t.Rows, row)
	}
	_, err := fmt.Fprintln(terminal.Fitting(out), t.Fit(terminal.WidthOfText(out)))
	return err
}

// runText returns the state, its age and an error; "" if there was no run.
func runText(r *overview.Run, now time.Time) string {
	if r == nil {
		return ""
	}
	return terminal.Lines(string(r.State), words.Ago(r.At, now), r.Error)
}

// Skipped returns how many rules of which types do not run.
func Skipped(byType map[string]int) string {
	var types []string
	for _, name := range slices.Sorted(maps.Keys(byType)) {
		types = append(types, fmt.Sprintf("%s %d", name, byType[name]))
	}
	return "skipped rules that are not enabled new_terms rules: " + strings.Join(types, ", ")
}
