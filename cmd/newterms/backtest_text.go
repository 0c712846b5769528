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
)

// printTrials prints what was found: one rule at length, several as a table.
func (p program) printTrials(trials []*trial, f backtestFlags, several bool) error {
	if len(trials) == 0 {
		return nil
	}
	if f.output == "json" {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		for _, t := range trials {
			if err := encoder.Encode(t.object()); err != nil {
				return err
			}
		}
		return nil
	}
	width, ok := terminalWidth(p.stdout)
	if !ok {
		width = 120 // for mail, tickets and logs
	}
	var b strings.Builder
	if several {
		severalText(&b, trials)
	} else {
		trials[0].text(&b, width)
	}
	_, err := io.WriteString(forPeople{p.stdout}, b.String())
	return err
}

func severalText(b *strings.Builder, trials []*trial) {
	w := trials[0].window
	fmt.Fprintf(b, "from %s to %s\n", exact(w.From), exact(w.To))
	rows := [][]string{}
	for _, t := range trials {
		worst := t.all.worst()
		row := []string{fmt.Sprint(t.all.total), fmt.Sprint(t.all.alerted), fmt.Sprint(t.all.median()), fmt.Sprintf("%d on %s", worst.Count, worst.Day)}
		for _, h := range t.histories {
			row = append(row, fmt.Sprint(h.total))
		}
		rows = append(rows, append(row, t.rule.Name))
	}
	header := []string{"FIRST OCCURRENCES", "ALERTED", "MEDIAN DAY", "WORST DAY"}
	for _, h := range trials[0].histories {
		header = append(header, "WITH "+strings.ToUpper(span(h.history)))
	}
	b.WriteString(columnsOf(append(header, "RULE"), rows) + "\n")
}

// columnsOf aligns cells below a header.
func columnsOf(header []string, rows [][]string) string {
	t := table.NewWriter()
	t.SetStyle(table.Style{Box: table.BoxStyle{PaddingRight: "  "}, Format: table.FormatOptions{Header: text.FormatDefault}})
	line := func(cells []string) table.Row {
		var row table.Row
		for _, cell := range cells {
			row = append(row, visible(cell))
		}
		return row
	}
	t.AppendHeader(line(header))
	for _, cells := range rows {
		t.AppendRow(line(cells))
	}
	t.SuppressTrailingSpaces()
	return t.Render()
}

func (t *trial) text(b *strings.Builder, width int) {
	fmt.Fprintf(b, "%s\nfrom %s to %s: %s\n", t.rule.Name, exact(t.window.From), exact(t.window.To), t.all.found())
	if n := t.all.lacking; n > 0 {
		fmt.Fprintf(b, "%s no pair and cannot be judged\n", plural(n, "event has", "events have"))
	}
	worst := t.all.worst()
	fmt.Fprintf(b, "median day %v, worst day %d on %s\n\n", t.all.median(), worst.Count, worst.Day)
	bars(b, t.all.byDay(), width)
	t.values(b, width)
	t.exclusionText(b)
	if len(t.histories) > 0 {
		var rows [][]string
		for _, h := range t.histories {
			worst := h.worst()
			rows = append(rows, []string{span(h.history), fmt.Sprint(h.total), fmt.Sprint(h.median()), fmt.Sprintf("%d on %s", worst.Count, worst.Day)})
		}
		b.WriteString("\n" + columnsOf([]string{"HISTORY", "FIRST OCCURRENCES", "MEDIAN DAY", "WORST DAY"}, rows) + "\n")
	}
}

// mostBars is how many days have a line each. Of longer ranges weeks do.
const mostBars = 100

// bars draws a line for each day, the longest as wide as there is room.
func bars(b *strings.Builder, days []dayCount, width int) {
	if len(days) > mostBars {
		b.WriteString("weeks, by their first day\n")
		var weeks []dayCount
		for week := range slices.Chunk(days, 7) {
			sum := dayCount{Day: week[0].Day}
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

// How many values and pairs are shown.
const (
	topValues = 5
	topPairs  = 10
)

func (t *trial) values(b *strings.Builder, width int) {
	line := func(name string, c valueCount, counts *valueTally) {
		about := ""
		if counts.forgot > 0 {
			about = " at least"
		}
		share := fmt.Sprintf("%d%%", (200*c.Count/max(1, t.all.total)+1)/2)
		value := text.Trim(visible(c.Value), max(20, width-40))
		fmt.Fprintf(b, "%-12s%8d  %4s%s  %s\n", name, c.Count, share, about, value)
	}
	for i, d := range dimensions() {
		counts := &t.all.values[i]
		name := d.name
		if i == 0 && len(counts.counts) > 0 {
			b.WriteString("\n")
		}
		top := counts.top(topValues, 1)
		if rare := counts.rare(top); rare != "" {
			fmt.Fprintf(b, "%-12s%8s  %4s  %s\n", name, "", "", rare)
			continue
		}
		for _, c := range top {
			line(name, c, counts)
			name = ""
		}
		if more := len(counts.counts) - topValues; more > 0 && counts.forgot == 0 {
			fmt.Fprintf(b, "%-12s%8s  %4s  and %d more\n", "", "", "", more)
		} else if more > 0 {
			fmt.Fprintf(b, "%-12s%8s  %4s  and thousands more\n", "", "", "")
		}
	}
	again := t.all.pairs.top(topPairs, 2)
	if len(again) > 0 {
		b.WriteString("\npairs that come back\n")
	}
	for _, c := range again {
		line("", c, &t.all.pairs)
	}
}

func (t *trial) exclusionText(b *strings.Builder) {
	if len(t.f.measured) == 0 {
		return
	}
	fmt.Fprintf(b, "\nwithout these exclusions %s; they take %d\n", plural(t.without, "first occurrence", "first occurrences"), t.without-t.all.total)
	if len(t.exclusion) == 0 {
		fmt.Fprintf(b, "they are %d, and only up to %d are measured one by one\n", len(t.f.measured), mostMeasured)
		return
	}
	var rows [][]string
	for _, e := range t.exclusion {
		rows = append(rows, []string{
			fmt.Sprint(e.alertsAlone), fmt.Sprint(e.events.Alone), fmt.Sprint(e.alertsAddition), fmt.Sprint(e.events.Only), strings.Join(strings.Fields(e.query), " "),
		})
	}
	b.WriteString(columnsOf([]string{"ALONE: ALERTS", "EVENTS", "BESIDES THE OTHERS: ALERTS", "EVENTS", "EXCLUSION"}, rows) + "\n")
}

// object is the trial for programs.
func (t *trial) object() map[string]any {
	worst := t.all.worst()
	top := map[string][]valueCount{}
	for i, d := range dimensions() {
		top[strings.ReplaceAll(strings.ToLower(d.name), " ", "_")] = t.all.values[i].top(topPairs, 1)
	}
	object := map[string]any{
		"rule": t.rule.Name, "rule_id": t.rule.ID, "from": t.window.From, "to": t.window.To, "history": t.rule.History.String(),
		"first_occurrences": t.all.total, "already_alerted": t.all.alerted, "lacking_terms": t.all.lacking,
		"days": t.all.byDay(), "median_day": t.all.median(), "worst_day": worst,
		"top": top, "pairs_that_come_back": t.all.pairs.top(topPairs, 2),
	}
	if len(t.f.measured) > 0 {
		exclusions := []map[string]any{}
		for _, e := range t.exclusion {
			exclusions = append(exclusions, map[string]any{
				"query": e.query, "alerts": e.alertsAlone, "events": e.events.Alone,
				"alerts_besides_others": e.alertsAddition, "events_besides_others": e.events.Only,
			})
		}
		object["exclusions"], object["without_exclusions"] = exclusions, t.without
	}
	var histories []map[string]any
	for _, h := range t.histories {
		histories = append(histories, map[string]any{
			"history": h.history.String(), "first_occurrences": h.total, "median_day": h.median(), "worst_day": h.worst(),
		})
	}
	if len(histories) > 0 {
		object["histories"] = histories
	}
	return object
}
