package explanation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/explain"
	"newterms/job/rule"
)

// Printer prints explanations, as text or one JSON object a line. It is an
// explain.Printer.
type Printer struct {
	rule   rule.Rule
	given  *alerts.StoredAlert // nil if no alert's id was given
	format show.Format
	out    io.Writer
	titled bool
}

// New returns the printer of an Explainer's answers.
func New(x *explain.Explainer, format show.Format, out io.Writer) *Printer {
	return &Printer{rule: x.Rule, given: x.GivenAlert, format: format, out: out}
}

func (e *Printer) print(text string, answer any) error {
	if e.format == show.JSON {
		return show.Line(e.out, answer)
	}
	if !e.titled {
		text = e.rule.Name + "\n" + text
		e.titled = true
	}
	_, err := io.WriteString(terminal.Fitting(e.out), text)
	return err
}

// Found prints the pairs whose explanations follow.
func (e *Printer) Found(f explain.Found) error {
	var given []string
	for _, field := range slices.Sorted(maps.Keys(f.Given)) {
		given = append(given, PairText([]string{field}, []any{f.Given[field]}))
	}
	var b strings.Builder
	all := len(f.Pairs) + f.More
	fmt.Fprintf(&b, "\n%s %s matching events with %s from %s to %s\n", words.Plural(all, "pair", "pairs"), has(int64(all)),
		strings.Join(given, " "), words.Stamp(f.From), words.Stamp(f.To))
	for _, pair := range f.Pairs {
		fmt.Fprintf(&b, "  %s: %s\n", PairText(e.rule.Search.Fields, pair.Terms), words.Plural(pair.Events, "event", "events"))
	}
	if f.More > 0 {
		fmt.Fprintf(&b, "  %s more with fewer events: for others give more values with --term\n", words.Plural(f.More, "pair", "pairs"))
	}
	for _, field := range slices.Sorted(maps.Keys(f.LetterCase)) {
		otherLetterCase(&b, field, f.LetterCase[field])
	}
	return e.print(b.String(), f)
}

func otherLetterCase(b *strings.Builder, field string, others explain.Counts) {
	for _, other := range others {
		fmt.Fprintf(b, "  letter case counts: %s=%s is another value, of %s\n", field, other.Value, words.Plural(other.Events, "event", "events"))
	}
}

// Pair prints the answer about a pair.
func (e *Printer) Pair(x explain.Pair) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", PairText(e.rule.Search.Fields, x.Terms))
	if e.given != nil {
		b.WriteString("  alert " + e.alertText(*e.given) + "\n")
		e.detailsText(&b, x)
		b.WriteString("  " + e.wouldWrite(x.Occurrences) + "\n")
	}
	if x.Events > 0 {
		fmt.Fprintf(&b, "  %s since %s, %s\n", words.Plural(x.Events, "matching event", "matching events"), words.Stamp(x.Since), between(x.First, x.Last))
		for _, line := range dayLines(x.Days) {
			b.WriteString("    " + line + "\n")
		}
	}
	for _, field := range e.rule.Search.Fields {
		otherLetterCase(&b, field, x.LetterCase[field])
	}
	for _, o := range x.Occurrences {
		b.WriteString(e.occurrence(o))
	}
	if len(x.Occurrences) == 0 {
		fmt.Fprintf(&b, "  no matching event from %s to %s\n", words.Stamp(x.From), words.Stamp(x.To))
	}
	for _, a := range x.Others {
		if e.given == nil || a.ID != e.given.ID {
			fmt.Fprintf(&b, "  alert %s: first seen %s, where a run would write none now\n", e.alertText(a), words.Stamp(a.FirstSeen))
		}
	}
	return e.print(b.String(), x)
}

func between(first, last time.Time) string {
	if first.Equal(last) {
		return "at " + words.Stamp(first)
	}
	return "from " + words.Stamp(first) + " to " + words.Stamp(last)
}

// maxDays is how many days are listed.
const maxDays = 14

func dayLines(days []explain.Day) []string {
	var lines []string
	for i, d := range days {
		if left := len(days) - maxDays; left > 0 && i == maxDays/2 {
			lines = append(lines, fmt.Sprintf("… %s more", words.Plural(int64(left), "day", "days")))
		}
		if len(days) <= maxDays || i < maxDays/2 || i >= len(days)-maxDays/2 {
			lines = append(lines, fmt.Sprintf("%s  %d", d.Day.Format(time.DateOnly), d.Events))
		}
	}
	return lines
}

func (e *Printer) occurrence(o explain.Occurrence) string {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "    %-7s %s\n", name, text) }
	verdict := "first occurrence: "
	if !o.FirstOccurrence {
		verdict = "no first occurrence: "
	}
	fmt.Fprintf(&b, "  %s  %s%s\n", words.Stamp(o.At), verdict, LastSeen(e.rule, o))
	line("event", o.Event)
	if o.Before != "" {
		line("before", o.Before)
	}
	switch {
	case o.Alert != nil && !o.FirstOccurrence:
		line("alert", e.alertText(*o.Alert)+": a run would not write it now")
	case o.Alert == nil && o.FirstOccurrence:
		for _, why := range o.NoAlert {
			line("none", why)
		}
	case o.Alert == nil:
	case o.Alert.FirstSeen.After(o.At):
		line("known", fmt.Sprintf("takes the place of %s, which has the alert %s: it arrived late", words.Stamp(o.Alert.FirstSeen), e.alertText(*o.Alert)))
	case o.Alert.FirstSeen.Before(o.At):
		line("known", fmt.Sprintf("alert %s of %s, whose event is gone since", e.alertText(*o.Alert), words.Stamp(o.Alert.FirstSeen)))
	default:
		line("alert", e.alertText(*o.Alert))
	}
	return b.String()
}

// LastSeen returns when the pair was seen before.
func LastSeen(r rule.Rule, o explain.Occurrence) string {
	if o.LastSeen.IsZero() && len(r.Search.TimeClauses()) > 0 {
		return "not seen before in the time to which the rule's query is limited"
	}
	if o.LastSeen.IsZero() {
		return "not seen in the " + words.Span(r.History) + " before"
	}
	return fmt.Sprintf("seen %s before, at %s", words.Span(o.At.Sub(o.LastSeen)), words.Stamp(o.LastSeen))
}

// wouldWrite returns whether a run over the same data would write the given alert.
func (e *Printer) wouldWrite(occurrences []explain.Occurrence) string {
	for _, o := range occurrences {
		switch {
		case !o.At.Equal(e.given.FirstSeen):
		case o.FirstOccurrence:
			return "a run over the same data would write it again"
		default:
			return "a run over the same data would not write it: the pair was " + LastSeen(e.rule, o)
		}
	}
	return "a run over the same data would not write it: no event of " + words.Stamp(e.given.FirstSeen) + " matches now"
}

// alertText returns the id of an alert, its status and its run.
func (e *Printer) alertText(a alerts.StoredAlert) string {
	return fmt.Sprintf("%s, %s, written %s by run %s", e.idText(a.ID), a.Status, words.Second(a.Written), a.RunID)
}

// longestIDs is how many columns a line needs for an id behind a label.
const longestIDs = 80

// idText returns an id, or its first digits if a terminal is too narrow for all of it.
func (e *Printer) idText(id string) string {
	if columns, ok := terminal.Width(e.out); ok && columns < longestIDs {
		return show.ShortID(id)
	}
	return id
}

// pairText returns a pair as FIELD=VALUE.
// PairText returns FIELD=VALUE of each term.
func PairText(fields []string, terms []any) string {
	pair := make([]string, len(fields))
	for i, field := range fields {
		pair[i] = field + "=" + termText(terms[i])
	}
	return strings.Join(pair, " ")
}

func termText(term any) string {
	if term == nil {
		return explain.MissingValue
	}
	return fmt.Sprint(term)
}
