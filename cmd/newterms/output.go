package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"newterms/alerts"
	"newterms/job/rule"
)

// printer puts alerts on stdout: ndjson at once, a table when a rule is done.
type printer struct {
	format string
	out    io.Writer
	width  int // of the terminal; 0: no limit
	rows   []row
}

// A row is what the table keeps of an alert: a small part of its document.
type row struct {
	at    time.Time
	cells []string // one for each of the columns
}

func newRow(a alerts.Alert) row {
	r := row{at: a.FirstSeen}
	for _, c := range columns() {
		r.cells = append(r.cells, c.cell(a))
	}
	return r
}

func newPrinter(format string, out io.Writer) (*printer, error) {
	if !slices.Contains([]string{"table", "ndjson", "none"}, format) {
		return nil, usageError{fmt.Errorf("--output: %q is none of table, ndjson, none", format)}
	}
	width, _ := terminalWidth(out)
	return &printer{format: format, out: out, width: width}, nil
}

func (p *printer) alert(a alerts.Alert) error {
	switch p.format {
	case "ndjson":
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(a)
	case "table":
		p.rows = append(p.rows, newRow(a))
	}
	return nil
}

// flush prints what a rule's alerts are collected for.
func (p *printer) flush(r rule.Rule) error {
	if p.format != "table" {
		return nil
	}
	if len(p.rows) == 0 {
		_, err := fmt.Fprintf(p.out, "%s: no new alerts\n", r.Name)
		return err
	}
	slices.SortStableFunc(p.rows, func(a, b row) int { return a.at.Compare(b.at) })
	_, err := fmt.Fprintf(p.out, "%s\n%s\n", r.Name, renderTable(p.rows, p.width))
	p.rows = nil
	return err
}

// column is what a reader must know at once; empty columns are left out.
type column struct {
	header string
	cell   func(alerts.Alert) string
}

func columns() []column {
	return []column{
		{"FIRST SEEN (UTC)", func(a alerts.Alert) string { return a.FirstSeen.UTC().Format("2006-01-02 15:04:05") }},
		{"ACTOR", actor},
		{"ACCOUNT", account},
		{"CLIENT", client},
		{"USER AGENT", userAgent},
		{"EVENT", func(a alerts.Alert) string { return a.Text("okta.event_type", "kibana.alert.original_event.action") }},
		{"OUTCOME", func(a alerts.Alert) string {
			return joinFilled("\n", a.Text("okta.outcome.result", "event.outcome"), a.Text("okta.outcome.reason"))
		}},
		{"EVENTS", func(a alerts.Alert) string { return a.Text("newterms.events") }},
		{"NEW TERMS", newTerms},
	}
}

// actor and account show the term of the pair: an event may hold several.
func actor(a alerts.Alert) string {
	name := a.Text("okta.actor.display_name", "user.full_name", "user.name")
	id := a.Term("okta.actor.id")
	if id == "" {
		id = a.Text("okta.actor.id", "user.id")
	}
	return joinFilled("\n", name, id)
}

func account(a alerts.Alert) string {
	if term := a.Term("cloud.account.id"); term != "" {
		return term
	}
	return a.Text("cloud.account.id")
}

// joinFilled joins what is not empty, each text once.
func joinFilled(separator string, texts ...string) string {
	var filled []string
	for _, s := range texts {
		if s != "" && !slices.Contains(filled, s) {
			filled = append(filled, s)
		}
	}
	return strings.Join(filled, separator)
}

func client(a alerts.Alert) string {
	city, country := a.Text("client.geo.city_name", "source.geo.city_name"), a.Text("client.geo.country_name", "source.geo.country_name")
	network := a.Text("okta.security_context.as.organization.name", "client.as.organization.name", "source.as.organization.name", "okta.security_context.isp")
	return joinFilled("\n", a.Text("okta.client.ip", "client.ip", "source.ip"), joinFilled(", ", city, country), network)
}

func userAgent(a alerts.Alert) string {
	browser, os := a.Text("okta.client.user_agent.browser"), a.Text("okta.client.user_agent.os", "user_agent.os.name")
	if name := a.Text("user_agent.name"); browser == "" || browser == "UNKNOWN" {
		browser = name
	}
	if browser == "" && os == "" {
		return a.Text("okta.client.user_agent.raw_user_agent", "user_agent.original")
	}
	return joinFilled("\n", browser, os)
}

// newTerms shows the pair where the actor and account columns do not.
func newTerms(a alerts.Alert) string {
	if a.Text("newterms.fields") == "okta.actor.id, cloud.account.id" {
		return ""
	}
	return a.Text("kibana.alert.new_terms")
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

// wrapLines wraps each line of a cell by itself, at spaces if it can.
func wrapLines(cell string, width int) string {
	lines := strings.Split(cell, "\n")
	for i, line := range lines {
		lines[i] = text.WrapSoft(line, width)
	}
	return strings.Join(lines, "\n")
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
