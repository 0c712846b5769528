package show

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"newterms/cmd/newterms/terminal"
	"newterms/job/backtest"
	"newterms/job/words"
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
	_, err := io.WriteString(terminal.Fitting(out), b.String())
	return err
}

func severalText(b *strings.Builder, reports []*backtest.Report, columns int) {
	fmt.Fprintf(b, "from %s to %s\n", words.Stamp(reports[0].From), words.Stamp(reports[0].To))
	rows := [][]string{}
	for _, r := range reports {
		row := []string{fmt.Sprint(r.FirstOccurrences), fmt.Sprint(r.AlreadyAlerted), fmt.Sprint(r.MedianDay), dayText(r.WorstDay)}
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

func dayText(d backtest.Day) string { return fmt.Sprintf("%d on %s", d.Count, d.Day) }

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
	fmt.Fprintf(b, "median day %v, worst day %s\n\n", r.MedianDay, dayText(r.WorstDay))
	bars(b, r.Days, r.width)
	r.values(b)
	r.exclusions(b)
	if len(r.Histories) > 0 {
		var rows [][]string
		for _, h := range r.Histories {
			rows = append(rows, []string{words.Span(time.Duration(h.History)), fmt.Sprint(h.FirstOccurrences), fmt.Sprint(h.MedianDay), dayText(h.WorstDay)})
		}
		b.WriteString("\n" + terminal.Columns([]string{"HISTORY", "FIRST OCCURRENCES", "MEDIAN DAY", "WORST DAY"}, rows, r.columns) + "\n")
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

// maxBars is how many days have a bar each. Longer ranges have a bar for each week.
const maxBars = 100

// bars prints a bar for each day; the longest fills the width.
func bars(b *strings.Builder, days []backtest.Day, width int) {
	if len(days) > maxBars {
		b.WriteString("weeks, by their first day\n")
		var weeks []backtest.Day
		for week := range slices.Chunk(days, 7) {
			sum := backtest.Day{Day: week[0].Day}
			for _, d := range week {
				sum.Count += d.Count
			}
			weeks = append(weeks, sum)
		}
		days = weeks
	}
	most := int64(0)
	for _, d := range days {
		most = max(most, d.Count)
	}
	digits := len(fmt.Sprint(most))
	room := int64(max(10, width-len(time.DateOnly)-digits-4))
	for _, d := range days {
		length := int64(0)
		if d.Count > 0 {
			length = max(1, d.Count*min(room, most)/most)
		}
		line := fmt.Sprintf("%s  %*d  %s", d.Day, digits, d.Count, strings.Repeat("█", int(length)))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// longestValue is how many columns of a value are shown: enough for any id or address.
const longestValue = 80

// topValues is how many values of a dimension are shown.
const topValues = 5

func (r reportView) values(b *strings.Builder) {
	any := slices.ContainsFunc(r.Values, func(d backtest.Dimension) bool { return d.Distinct() > 0 })
	if any {
		b.WriteString("\n")
	}
	for _, d := range r.Values {
		r.dimension(b, d)
	}
	wouldWrite := r.Pairs.Top(backtest.MaxTop, 2)
	if len(wouldWrite) > 0 {
		b.WriteString("\npairs that come back\n")
	}
	for _, c := range wouldWrite {
		r.valueLine(b, "", c, r.Pairs.Forgotten() > 0)
	}
}

func (r reportView) dimension(b *strings.Builder, d backtest.Dimension) {
	note := func(name, text string) { fmt.Fprintf(b, "%-12s%8s  %4s  %s\n", name, "", "", text) }
	top, name := d.Top(topValues, 1), d.Name
	switch {
	case d.Forgotten() > 0 && top[0].Count <= d.Forgotten():
		note(name, "thousands, none of them often")
		return
	case d.Distinct() > topValues && top[0].Count == 1:
		note(name, fmt.Sprintf("%d, each once", d.Distinct()))
		return
	}
	for _, c := range top {
		r.valueLine(b, name, c, d.Forgotten() > 0)
		name = ""
	}
	if more := d.Distinct() - topValues; more > 0 && d.Forgotten() == 0 {
		note("", fmt.Sprintf("and %d more", more))
	} else if more > 0 {
		note("", "and thousands more")
	}
}

func (r reportView) valueLine(b *strings.Builder, name string, c backtest.ValueCount, atLeast bool) {
	about := ""
	if atLeast {
		about = " at least"
	}
	share := fmt.Sprintf("%d%%", (200*c.Count/max(1, r.FirstOccurrences)+1)/2)
	fmt.Fprintf(b, "%-12s%8d  %4s%s  %s\n", name, c.Count, share, about, text.Trim(terminal.Escape(c.Value), longestValue))
}

func (r reportView) exclusions(b *strings.Builder) {
	if r.ExclusionEffects == nil {
		return
	}
	fmt.Fprintf(b, "\nwithout these exclusions %s; they remove %d\n", words.Plural(r.Without, "first occurrence", "first occurrences"), r.Without-r.FirstOccurrences)
	if len(r.Exclusions) == 0 {
		fmt.Fprintf(b, "they are %d, and only up to %d are measured one by one\n", r.Number, backtest.MaxMeasuredExclusions)
		return
	}
	var rows [][]string
	for _, e := range r.Exclusions {
		rows = append(rows, []string{fmt.Sprint(e.Alerts), fmt.Sprint(e.Events), fmt.Sprint(e.AlertsBesides), fmt.Sprint(e.EventsBesides), strings.Join(strings.Fields(e.Query), " ")})
	}
	b.WriteString(terminal.Columns([]string{"ALONE: ALERTS", "EVENTS", "BESIDES THE OTHERS: ALERTS", "EVENTS", "EXCLUSION"}, rows, r.columns) + "\n")
}
