package show

import (
	"fmt"
	"io"
	"strings"
	"time"

	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/backtest"
)

// Reports prints the reports of backtests: one rule in detail, several as a table.
func Reports(out io.Writer, reports []*backtest.Report, format Format, several bool) error {
	if len(reports) == 0 {
		return nil
	}
	if format == JSON {
		for _, r := range reports {
			if err := Line(out, r); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	columns, _ := terminal.Width(out)
	if several {
		severalText(&b, reports, columns)
	} else {
		reportView{reports[0], terminal.WidthOfText(out), columns}.text(&b)
	}
	return write(out, b.String(), reports)
}

// write prints a text. It folds no line that is an exclusion, which people paste.
func write(out io.Writer, text string, reports []*backtest.Report) error {
	pasted := map[string]bool{}
	for _, r := range reports {
		if r.ExclusionEffects != nil {
			for _, e := range r.Exclusions {
				pasted[oneLine(e.Query)] = true
			}
		}
		if r.Suggestions != nil {
			for _, e := range r.Suggestions.Exclusions {
				pasted[oneLine(e.Query)] = true
			}
		}
	}
	for line := range strings.Lines(text) {
		to := terminal.Fitting(out)
		if pasted[strings.TrimSuffix(line, "\n")] {
			to = terminal.Escaping(out)
		}
		if _, err := io.WriteString(to, line); err != nil {
			return err
		}
	}
	return nil
}

func severalText(b *strings.Builder, reports []*backtest.Report, columns int) {
	fmt.Fprintf(b, "from %s to %s\n", words.Stamp(reports[0].From), words.Stamp(reports[0].To))
	rows := [][]string{}
	for _, r := range reports {
		row := []string{fmt.Sprint(r.FirstOccurrences), fmt.Sprint(r.AlreadyAlerted), medianText(r.Counts), worstText(r.Counts)}
		for _, h := range r.Histories {
			row = append(row, fmt.Sprint(h.FirstOccurrences))
		}
		rows = append(rows, append(row, r.Rule))
	}
	header := []string{"FIRST OCCURRENCES", "ALERTED", "MEDIAN DAY", "WORST DAY"}
	for _, h := range reports[0].Histories {
		header = append(header, "WITH "+strings.ToUpper(words.Span(time.Duration(h.History))))
	}
	b.WriteString(terminal.Columns(append(header, "RULE"), rows, columns) + "\n")
}

// A reportView prints a report as text of a width.
type reportView struct {
	*backtest.Report
	width   int // of its bars
	columns int // of the terminal; 0 if there is none
}

func (r reportView) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s\nfrom %s to %s: %s\n", r.Rule, words.Stamp(r.From), words.Stamp(r.To), Found(r.FirstOccurrences, r.AlreadyAlerted))
	if n := r.LackingTerms; n > 0 {
		fmt.Fprintf(b, "%s no pair and cannot be judged\n", words.Plural(n, "event has", "events have"))
	}
	countedDays(b, r.Counts)
	historyReach(b, r.Counts)
	b.WriteString("\n")
	bars(b, r.Days, r.width)
	novelties(b, *r.Report)
	r.values(b)
	r.exclusions(b)
	r.suggestions(b)
	if len(r.Histories) > 0 {
		var rows [][]string
		for _, h := range r.Histories {
			rows = append(rows, []string{words.Span(time.Duration(h.History)), fmt.Sprint(h.FirstOccurrences), medianText(h), worstText(h)})
		}
		b.WriteString("\n" + terminal.Columns([]string{"HISTORY", "FIRST OCCURRENCES", "MEDIAN DAY", "WORST DAY"}, rows, r.columns) + "\n")
		for _, h := range r.Histories {
			historyReach(b, h)
		}
	}
}

// Found returns a sentence about the number of first occurrences and how many of them
// have an alert.
func Found(total, alerted int64) string {
	text := words.Plural(total, "first occurrence", "first occurrences")
	switch {
	case total == 0:
	case alerted == total && total == 1:
		text += ", alerted already"
	case alerted == total:
		text += ", all alerted already"
	case alerted > 0:
		text += fmt.Sprintf(", %d alerted already", alerted)
	}
	return text
}
