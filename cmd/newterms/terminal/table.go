package terminal

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A Table aligns cells below a header. A cell may have several lines.
type Table struct {
	Header []string
	Rows   [][]string
	widths []int // maximum width of each column; nil for no limit
}

// Columns aligns cells of one line each below a header, and escapes them.
func Columns(header []string, rows [][]string) string {
	t := Table{Header: header}
	for _, cells := range rows {
		escaped := make([]string, len(cells))
		for i, cell := range cells {
			escaped[i] = Escape(cell)
		}
		t.Rows = append(t.Rows, escaped)
	}
	return t.String()
}

// Lines escapes texts, and joins those that are not empty by newlines, each text once.
func Lines(texts ...string) string {
	var filled []string
	for _, s := range texts {
		if s = Escape(s); s != "" && !slices.Contains(filled, s) {
			filled = append(filled, s)
		}
	}
	return strings.Join(filled, "\n")
}

// Limit wraps the lines of each column at a width.
func (t Table) Limit(widths ...int) Table {
	t.widths = widths
	return t
}

// Fit drops empty columns, and narrows the widest ones until the table fits a width, if
// possible. The first column, a time, stays on one line.
func (t Table) Fit(width int) Table {
	fit := Table{Rows: make([][]string, len(t.Rows))}
	for n, name := range t.Header {
		widest := 0
		for _, row := range t.Rows {
			widest = max(widest, text.LongestLineLen(row[n]))
		}
		if widest == 0 {
			continue
		}
		fit.Header = append(fit.Header, name)
		fit.widths = append(fit.widths, max(widest, len(name)))
		for i, row := range t.Rows {
			fit.Rows[i] = append(fit.Rows[i], row[n])
		}
	}
	if width > 0 && len(fit.widths) > 0 {
		shrink(fit.widths[1:], width-fit.widths[0]-2*(len(fit.widths)-1))
	}
	return fit
}

// String returns the table without a newline at its end.
func (t Table) String() string {
	w := table.NewWriter()
	w.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Format: table.FormatOptions{Header: text.FormatDefault}})
	var configs []table.ColumnConfig
	for i, width := range t.widths {
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: width, WidthMaxEnforcer: wrapLines})
	}
	w.SetColumnConfigs(configs)
	w.AppendHeader(row(t.Header))
	for _, cells := range t.Rows {
		w.AppendRow(row(cells))
	}
	w.SuppressTrailingSpaces()
	return w.Render()
}

func row(cells []string) table.Row {
	var row table.Row
	for _, cell := range cells {
		row = append(row, cell)
	}
	return row
}

// wrapLines wraps each line of a cell, if possible after a space or a mark such as the
// dots of user.session.start.
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

// minColumn is the width of the narrowest column. A time, eight such columns and the
// gaps between them fit 80 columns.
const minColumn = 6

// shrink makes the widest columns narrower until all fit, if possible.
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
