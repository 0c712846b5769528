package show

import (
	"fmt"
	"strings"

	"newterms/esquery/elastic/words"
	"newterms/job/backtest"
)

// exclusions prints the effects of the exclusions that were given.
func (r reportView) exclusions(b *strings.Builder) {
	if r.ExclusionEffects == nil {
		return
	}
	fmt.Fprintf(b, "\nwithout these exclusions %s; they remove %d\n", words.Plural(r.Without, "first occurrence", "first occurrences"), r.Without-r.FirstOccurrences)
	if len(r.Exclusions) == 0 {
		fmt.Fprintf(b, "they are %d, and only up to %d are measured one by one\n", r.Number, backtest.MaxMeasuredExclusions)
	}
	effects(b, r.Exclusions)
}

// suggestions prints the exclusions that are worth a thought, each on a line to paste.
func (r reportView) suggestions(b *strings.Builder) {
	s := r.Suggestions
	if s == nil {
		return
	}
	if len(s.Exclusions) > 0 {
		fmt.Fprintf(b, "\nexclusions to consider, for --exclude or a file of them; with all of them\n%s, not %d\n",
			words.Plural(s.Left, "first occurrence", "first occurrences"), r.FirstOccurrences)
		effects(b, s.Exclusions)
	}
	if len(s.Withheld) > 0 {
		b.WriteString("\nnot suggested: they take an alert that was closed as true_positive\n")
		for _, query := range s.Withheld {
			b.WriteString("  " + query + "\n")
		}
	}
}

// effects prints what exclusions take, alone and beside the others, and what they
// create. The KQL stands on a line of its own, uncut.
func effects(b *strings.Builder, exclusions []backtest.Exclusion) {
	for _, e := range exclusions {
		fmt.Fprintf(b, "%s\n  takes %s\n", oneLine(e.Query), alertsAndEvents(e.Alerts, e.Events))
		if len(exclusions) > 1 {
			fmt.Fprintf(b, "  takes %s that the others leave\n", alertsAndEvents(e.AlertsBesides, e.EventsBesides))
		}
		switch e.Creates {
		case 0:
			b.WriteString("  creates no new first occurrence\n")
		case 1:
			b.WriteString("  creates 1 new first occurrence: what came before it is excluded\n")
		default:
			fmt.Fprintf(b, "  creates %d new first occurrences: what came before them is excluded\n", e.Creates)
		}
	}
}

func oneLine(query string) string { return strings.ReplaceAll(query, "\n", " ") }

func alertsAndEvents(alerts, events int64) string {
	return words.Plural(alerts, "alert", "alerts") + " and " + words.Plural(events, "event", "events")
}
