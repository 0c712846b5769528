package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"newterms/alerts"
)

// printer puts alerts on stdout: ndjson at once, a table when a rule is done, or
// has mostRows: then it is printed in parts, each sorted and aligned by itself.
type printer struct {
	format string
	out    io.Writer
	width  int // in columns
	rows   []row
	// none is what there is instead of alerts; "" is "no new alerts".
	none string
}

// mostRows bounds the memory of a table: these take about 3 MB.
const mostRows = 2_000

// A row is what the table keeps of an alert: a small part of its document.
type row struct {
	at    time.Time
	cells []string // one for each of the columns
}

func newRow(a alerts.Alert) row {
	r, description := row{at: a.FirstSeen}, a.Describe()
	for _, c := range columns() {
		r.cells = append(r.cells, c.cell(description))
	}
	return r
}

func newPrinter(format string, out io.Writer) (*printer, error) {
	if !slices.Contains([]string{"table", "ndjson", "none"}, format) {
		return nil, usageError{fmt.Errorf("--output: %q is none of table, ndjson, none", format)}
	}
	width, ok := terminalWidth(out)
	if !ok {
		width = 120 // for mail, tickets and logs
	}
	return &printer{format: format, out: out, width: width}, nil
}

func (p *printer) alert(a alerts.Alert) error {
	switch p.format {
	case "ndjson":
		text, err := a.JSON()
		if err == nil {
			_, err = p.out.Write(append(text, '\n'))
		}
		return err
	case "table":
		if len(p.rows) == mostRows {
			if err := p.print(fmt.Sprintf("%d alerts, sorted among themselves; more follow", mostRows)); err != nil {
				return err
			}
		}
		p.rows = append(p.rows, newRow(a))
	}
	return nil
}

// flush prints the alerts that were collected for a rule, or the rest of them.
func (p *printer) flush(rule string) error {
	switch {
	case p.format != "table":
		return nil
	case len(p.rows) == 0:
		_, err := fmt.Fprintf(forPeople{p.out}, "%s: %s\n", rule, cmp.Or(p.none, "no new alerts"))
		return err
	}
	return p.print(rule)
}

func (p *printer) print(heading string) error {
	slices.SortStableFunc(p.rows, func(a, b row) int { return a.at.Compare(b.at) })
	_, err := fmt.Fprintf(forPeople{p.out}, "%s\n%s\n", heading, renderTable(p.rows, p.width))
	p.rows = p.rows[:0]
	return err
}

// column is what a reader must know at once; empty columns are left out.
type column struct {
	header string
	cell   func(alerts.Description) string
}

func columns() []column {
	return []column{
		{"FIRST SEEN (UTC)", func(d alerts.Description) string { return d.FirstSeen.UTC().Format("2006-01-02 15:04:05") }},
		{"ACTOR", func(d alerts.Description) string { return lines(d.Actor, d.ActorID) }},
		{"ACCOUNT", func(d alerts.Description) string { return visible(d.Account) }},
		{"CLIENT", func(d alerts.Description) string { return lines(d.IP, d.Place, d.Network) }},
		{"USER AGENT", func(d alerts.Description) string { return lines(d.Browser, d.OS) }},
		{"EVENT", func(d alerts.Description) string { return lines(d.Action, d.Outcome, d.Why, repeated(d.Events)) }},
		{"NEW TERMS", newTerms},
	}
}

// lines puts what is not empty below each other, each text once.
func lines(texts ...string) string {
	var filled []string
	for _, s := range texts {
		if s = visible(s); s != "" && !slices.Contains(filled, s) {
			filled = append(filled, s)
		}
	}
	return strings.Join(filled, "\n")
}

func repeated(events string) string {
	if events == "" || events == "1" {
		return ""
	}
	return events + " events"
}

// newTerms shows the terms that are in no other column.
func newTerms(d alerts.Description) string {
	var terms []string
	for _, t := range d.NewTerms {
		if t.Field != "okta.actor.id" && t.Field != "cloud.account.id" {
			terms = append(terms, t.Value)
		}
	}
	return lines(terms...)
}

// renderTable wraps the widest columns until the table fits the width.
func renderTable(all []row, width int) string {
	var header table.Row
	rows := make([]table.Row, len(all))
	var widths []int
	for n, c := range columns() {
		widest := 0
		for _, r := range all {
			widest = max(widest, text.LongestLineLen(r.cells[n]))
		}
		if widest == 0 {
			continue
		}
		header = append(header, c.header)
		widths = append(widths, max(widest, len(c.header)))
		for i, r := range all {
			rows[i] = append(rows[i], r.cells[n])
		}
	}
	if width > 0 {
		shrink(widths[1:], width-widths[0]-2*(len(widths)-1)) // a time stays on one line
	}
	t := table.NewWriter()
	t.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Format: table.FormatOptions{Header: text.FormatDefault}})
	var configs []table.ColumnConfig
	for i, w := range widths {
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: w, WidthMaxEnforcer: wrapLines})
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	t.AppendRows(rows)
	t.SuppressTrailingSpaces()
	return t.Render()
}

// wrapLines wraps each line of a cell by itself, after a space or a mark such as
// the dots of user.session.start if it can.
func wrapLines(cell string, width int) string {
	var wrapped []string
	for line := range strings.SplitSeq(cell, "\n") {
		for text.StringWidthWithoutEscSequences(line) > width {
			head := text.Trim(line, width)
			if at := strings.LastIndexAny(head, " .:/@_-"); at > 0 {
				head = head[:at+1]
			}
			wrapped, line = append(wrapped, strings.TrimRight(head, " ")), line[len(head):]
		}
		wrapped = append(wrapped, line)
	}
	return strings.Join(wrapped, "\n")
}

// minColumn is the narrowest that a column is made. A time, eight columns of
// this and the gaps between them fit 80 columns.
const minColumn = 6

// shrink makes the widest columns narrower until all fit, if they can.
func shrink(widths []int, total int) {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for ; sum > total; sum-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= minColumn {
			return
		}
		widths[widest]--
	}
}
