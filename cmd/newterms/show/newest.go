package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"newterms/alerts"
	"newterms/alerts/workflow"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
)

// Newest prints a list of alerts: for people two lines each, as ndjson one document on
// each line, with its _id.
type Newest struct {
	format Format
	out    io.Writer
}

// NewNewest returns a Newest that prints in a format to out.
func NewNewest(format Format, out io.Writer) *Newest { return &Newest{format, out} }

// Add prints an alert.
func (n *Newest) Add(a alerts.NewestAlert) error {
	if n.format == NDJSON {
		id, err := json.Marshal(a.ID)
		if err == nil {
			_, err = fmt.Fprintf(n.out, "{\"_id\":%s,%s\n", id, strings.TrimPrefix(string(a.Document), "{"))
		}
		return err
	}
	head := []string{fmt.Sprintf("%-8s  %-8s  %-12s  %s", ShortID(a.ID), terminal.Escape(a.Severity), terminal.Escape(string(a.Status)), words.Second(a.FirstSeen))}
	if a.Closing != "" {
		head = append(head, terminal.Escape(a.Closing))
	}
	if len(a.Assignees) > 0 {
		head = append(head, "for "+terminal.Escape(strings.Join(a.Assignees, ", ")))
	}
	_, err := fmt.Fprintf(terminal.Fitting(n.out), "%s\n    %s\n", strings.Join(head, "  "), terminal.Escape(a.Reason))
	return err
}

// ShortID returns the first digits of an id, enough to name the alert.
func ShortID(id string) string { return terminal.Escape(id[:min(len(id), alerts.ShortID)]) }

// Decided returns a sentence about a decision for a status. assignees are those that it
// has set; nil means that it has set none.
func Decided(status workflow.Status, d alerts.Decided, assignees []string) string {
	text := map[workflow.Status]string{workflow.Open: "reopened"}[status]
	if text == "" {
		text = string(status)
	}
	text += " " + words.Plural(d.Changed, "alert", "alerts")
	who := terminal.Escape(strings.Join(assignees, ", "))
	if len(assignees) == 0 {
		who = "nobody"
	}
	if assignees != nil && d.Changed > 0 {
		text += " for " + who
	}
	if d.Assigned > 0 {
		text += already(d.Assigned, status) + " and " + map[bool]string{true: "is", false: "are"}[d.Assigned == 1] + " for " + who + " now"
	}
	return text + already(d.Already, status)
}

// Matches returns how many alerts match, and how many of them have a status already.
func Matches(n, have int, status workflow.Status) string {
	matches := map[bool]string{true: "alert matches", false: "alerts match"}[n == 1]
	return fmt.Sprintf("%d %s%s", n, matches, already(have, status))
}

// NotChanged returns the lines below shown alerts of those that a command would change.
func NotChanged(toChange, shown int, command string) string {
	text := ""
	if more := toChange - shown; more > 0 {
		text = fmt.Sprintf("… and %d more\n", more)
	}
	return text + fmt.Sprintf("nothing was changed: add --yes to %s %s\n", command, map[bool]string{true: "it", false: "them"}[toChange == 1])
}

// already returns ", 2 were closed already"; "" for none.
func already(n int, status workflow.Status) string {
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(", 1 was %s already", status)
	}
	return fmt.Sprintf(", %d were %s already", n, status)
}
