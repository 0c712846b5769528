package show

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/job/backtest"
)

// medianText and worstText return a cell of a table, "-" if no day counts.
func medianText(c backtest.Counts) string {
	if c.MedianDay == nil {
		return "-"
	}
	return fmt.Sprint(*c.MedianDay)
}

func worstText(c backtest.Counts) string {
	if c.WorstDay == nil {
		return "-"
	}
	return fmt.Sprintf("%d on %s", c.WorstDay.Count, c.WorstDay.Day)
}

// countedDays prints the median and the worst day, and of which days they are.
func countedDays(b *strings.Builder, c backtest.Counts) {
	after := map[bool]string{true: " after the warm-up"}[len(c.WarmUp) > 0]
	if c.CountedDays == 0 {
		fmt.Fprintf(b, "no median: there is no whole day with data%s\n", after)
		return
	}
	fmt.Fprintf(b, "median day %s, worst day %s\nof %s with data%s\n", medianText(c), worstText(c), words.Plural(int64(c.CountedDays), "whole day", "whole days"), after)
}

// maxWarmUps is how many warm-ups are listed.
const maxWarmUps = 3

// historyReach prints how far the history reaches.
func historyReach(b *strings.Builder, c backtest.Counts) {
	history := words.Span(time.Duration(c.History))
	if len(c.WarmUp) == 0 {
		fmt.Fprintf(b, "the history of %s is complete\n", history)
		return
	}
	for _, p := range c.WarmUp[:min(len(c.WarmUp), maxWarmUps)] {
		fmt.Fprintf(b, "no event in the %s before %s:\npairs look new until %s (warm-up)\n", history, words.Stamp(p.From), words.Stamp(p.To))
	}
	if more := len(c.WarmUp) - maxWarmUps; more > 0 {
		fmt.Fprintf(b, "and so after %s\n", words.Plural(int64(more), "other gap", "other gaps"))
	}
}

// maxBars is how many days have a bar each. Longer ranges have a bar for each week.
const maxBars = 100

// bars prints a bar for each day, with a mark on those that do not count; the longest
// fills the width.
func bars(b *strings.Builder, days []backtest.Day, width int) {
	if len(days) > maxBars {
		b.WriteString("weeks, by their first day\n")
		days = weeks(days)
	}
	most, longest := int64(0), 0
	for _, d := range days {
		most, longest = max(most, d.Count), max(longest, len(markOf(d)))
	}
	digits := len(fmt.Sprint(most))
	room := int64(max(10, width-len(time.DateOnly)-digits-longest-5))
	for _, d := range days {
		length := int64(0)
		if d.Count > 0 {
			length = max(1, d.Count*min(room, most)/most)
		}
		bar := strings.TrimSpace(strings.Repeat("█", int(length)) + " " + markOf(d))
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s  %*d  %s", d.Day, digits, d.Count, bar), " ") + "\n")
	}
}

// markOf says why a day does not count.
func markOf(d backtest.Day) string {
	var why []string
	if d.NoData {
		why = append(why, "no data")
	} else if d.WarmUp {
		why = append(why, "warm-up")
	}
	if d.Partial {
		why = append(why, "partial")
	}
	return strings.Join(why, ", ")
}

// weeks sums up days. A week has the marks of any of its days, but no data only if none
// has any.
func weeks(days []backtest.Day) []backtest.Day {
	var all []backtest.Day
	for week := range slices.Chunk(days, 7) {
		sum := backtest.Day{Day: week[0].Day, NoData: true}
		for _, d := range week {
			sum.Count += d.Count
			sum.NoData = sum.NoData && d.NoData
			sum.WarmUp = sum.WarmUp || d.WarmUp
			sum.Partial = sum.Partial || d.Partial
		}
		sum.Partial = sum.Partial || len(week) < 7
		all = append(all, sum)
	}
	return all
}
