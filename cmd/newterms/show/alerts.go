// Package show prints the results of the commands, as text for people and as JSON.
package show

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"newterms/alerts/alert"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
)

// Alerts prints alerts. It prints ndjson at once, and a table when a rule is done. A
// table of more than maxRows is printed in parts, each sorted and aligned by itself.
type Alerts struct {
	// None replaces the line "no new alerts", which is printed if there are none.
	None string

	format Format
	out    io.Writer
	width  int // in columns
	rows   []alertRow
}

// maxRows bounds the memory of a table: these take about 3 MB.
const maxRows = 2_000

// An alertRow is a row of the table: a small part of an alert's document.
type alertRow struct {
	at    time.Time
	cells []string // one for each of the columns
}

// NewAlerts returns an Alerts that prints in a format to out.
func NewAlerts(format Format, out io.Writer) *Alerts {
	return &Alerts{format: format, out: out, width: terminal.WidthOfText(out)}
}

// Add prints an alert, or adds it to the table.
func (p *Alerts) Add(a alert.Alert) error {
	switch p.format {
	case NDJSON:
		text, err := a.JSON()
		if err == nil {
			_, err = p.out.Write(append(text, '\n'))
		}
		return err
	case Table:
		if len(p.rows) == maxRows {
			if err := p.print(fmt.Sprintf("%d alerts, sorted among themselves; more follow", maxRows)); err != nil {
				return err
			}
		}
		row, description := alertRow{at: a.FirstSeen}, a.Describe()
		for _, c := range columns(a.ID) {
			row.cells = append(row.cells, c.cell(description))
		}
		id := ShortID(a.ID)
		row.cells[0] = strings.TrimSuffix(row.cells[0], id) + terminal.Link(p.out, id, terminal.Escape(a.URL()))
		p.rows = append(p.rows, row)
	}
	return nil
}

// HasRows reports whether Flush has alerts to print.
func (p *Alerts) HasRows() bool { return len(p.rows) > 0 }

// Flush prints the rest of a rule's alerts.
func (p *Alerts) Flush(rule string) error {
	switch {
	case p.format != Table:
		return nil
	case len(p.rows) == 0:
		_, err := fmt.Fprintf(terminal.Fitting(p.out), "%s: %s\n", rule, cmp.Or(p.None, "no new alerts"))
		return err
	}
	return p.print(rule)
}

func (p *Alerts) print(heading string) error {
	slices.SortStableFunc(p.rows, func(a, b alertRow) int { return a.at.Compare(b.at) })
	// The cells are escaped already, and may have links.
	_, err := fmt.Fprintf(terminal.Folding(p.out), "%s\n%s\n", terminal.Escape(heading), fit(tableOf(p.rows), p.width))
	p.rows = p.rows[:0]
	return err
}

// leastColumns is how wide a table of alerts is at least: in fewer columns every cell
// of the demo's table breaks, and a card is easier to read.
const leastColumns = 110

func fit(t terminal.Table, columns int) string {
	if columns < leastColumns {
		return t.Cards(columns)
	}
	return t.Fit(columns)
}

func tableOf(rows []alertRow) terminal.Table {
	var t terminal.Table
	for _, c := range columns("") {
		t.Header = append(t.Header, c.header)
	}
	for _, row := range rows {
		t.Rows = append(t.Rows, row.cells)
	}
	return t
}

// A column is a property that readers must know at once. Empty columns are not printed.
type column struct {
	header string
	cell   func(alert.Description) string
}

// columns returns the columns of an alert with an id.
func columns(id string) []column {
	return []column{
		{"FIRST SEEN UTC, ID", func(d alert.Description) string { return terminal.Lines(words.Second(d.FirstSeen), ShortID(id)) }},
		{"ACTOR", func(d alert.Description) string { return terminal.Lines(cmp.Or(d.Actor, d.Login), d.ActorID) }},
		{"ACCOUNT", func(d alert.Description) string { return terminal.Lines(d.Account, d.Region) }},
		{"HOST", func(d alert.Description) string { return terminal.Escape(d.Host) }},
		{"PROCESS", func(d alert.Description) string {
			return terminal.Lines(d.Process, Labelled("parent", d.Parent), Cut(d.CommandLine))
		}},
		{"FILE", func(d alert.Description) string { return terminal.Lines(Cut(d.File), Cut(d.Registry)) }},
		{"CONTAINER", func(d alert.Description) string { return terminal.Escape(d.Container) }},
		{"CLIENT", func(d alert.Description) string { return terminal.Lines(d.IP, d.Place, d.Network) }},
		{"DESTINATION", func(d alert.Description) string { return terminal.Escape(d.Destination) }},
		{"USER AGENT", func(d alert.Description) string { return terminal.Lines(d.Browser, d.OS) }},
		{"EVENT", func(d alert.Description) string {
			return terminal.Lines(append([]string{d.Action, d.Outcome, d.Why, repeated(d.Events)}, append(d.Several, d.New...)...)...)
		}},
		{"FIELDS", otherFields},
	}
}

func repeated(events string) string {
	if events == "" || events == "1" {
		return ""
	}
	return events + " events"
}

// otherFields returns the new terms and investigation fields that no other column shows.
func otherFields(d alert.Description) string {
	var lines []string
	for _, f := range d.Fields {
		lines = append(lines, f.Field+" "+Cut(f.Value))
	}
	return terminal.Lines(lines...)
}

// Labelled returns a label with a text; "" without a text.
func Labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + " " + text
}

// longestText is how many characters of a command line, a path or another value a table
// shows. The alert has all of it.
const longestText = 120

// Cut shortens a text to longestText.
func Cut(text string) string {
	if r := []rune(text); len(r) > longestText {
		return string(r[:longestText-1]) + "…"
	}
	return text
}
