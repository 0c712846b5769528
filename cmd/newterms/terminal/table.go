package terminal

import (
	"fmt"
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

// Columns aligns cells of one line each below a header, and escapes them. It fits them
// to the columns, as Fit does.
func Columns(header []string, rows [][]string, columns int) string {
	t := Table{Header: header}
	for _, cells := range rows {
		escaped := make([]string, len(cells))
		for i, cell := range cells {
			escaped[i] = Escape(cell)
		}
		t.Rows = append(t.Rows, escaped)
	}
	return t.Fit(columns)
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

// Fit returns the table without empty columns, the widest ones narrowed until it fits
// the given columns; 0 is no limit. Cells break between words, and those of the first
// column, a time or a number, nowhere. A table that cannot fit becomes cards.
func (t Table) Fit(columns int) string {
	t = t.filled()
	least, sum := make([]int, len(t.Header)), 0
	for n, name := range t.Header {
		width := len(name)
		least[n] = width
		for _, row := range t.Rows {
			width = max(width, text.LongestLineLen(row[n]))
			for word := range strings.FieldsSeq(row[n]) {
				least[n] = max(least[n], widthOf(word))
			}
		}
		t.widths, sum = append(t.widths, width), sum+width+2
	}
	for sum -= 2; columns > 0 && sum > columns; sum-- {
		widest := 0
		for n := 1; n < len(t.widths); n++ {
			if t.widths[n] > least[n] && (widest == 0 || t.widths[n] > t.widths[widest]) {
				widest = n
			}
		}
		if widest == 0 {
			return t.Cards(columns)
		}
		t.widths[widest]--
	}
	return t.String()
}

// filled returns the table without its empty columns.
func (t Table) filled() Table {
	filled := Table{Rows: make([][]string, len(t.Rows))}
	for n, name := range t.Header {
		if !slices.ContainsFunc(t.Rows, func(row []string) bool { return row[n] != "" }) {
			continue
		}
		filled.Header = append(filled.Header, name)
		for i, row := range t.Rows {
			filled.Rows[i] = append(filled.Rows[i], row[n])
		}
	}
	return filled
}

// Cards returns a paragraph for each row, with a line for each cell that is not empty:
// the name of its column and its text.
func (t Table) Cards(columns int) string {
	label := 0
	for _, name := range t.filled().Header {
		label = max(label, len(name))
	}
	var cards []string
	for _, row := range t.Rows {
		var card []string
		for n, cell := range row {
			if cell != "" {
				card = append(card, Fold(fmt.Sprintf("%-*s  %s", label, t.Header[n], strings.ReplaceAll(cell, "\n", ", ")), columns))
			}
		}
		cards = append(cards, strings.Join(card, "\n"))
	}
	return strings.Join(cards, "\n\n")
}

// String returns the table without a newline at its end.
func (t Table) String() string {
	w := table.NewWriter()
	w.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Format: table.FormatOptions{Header: text.FormatDefault}})
	var configs []table.ColumnConfig
	for i, width := range t.widths {
		configs = append(configs, table.ColumnConfig{Number: i + 1, WidthMax: width, WidthMaxEnforcer: breakLines})
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

// breakLines breaks each line of a cell.
func breakLines(cell string, width int) string {
	lines := strings.Split(cell, "\n")
	for i, line := range lines {
		lines[i] = breakLine(line, width, 0)
	}
	return strings.Join(lines, "\n")
}
