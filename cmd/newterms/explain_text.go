package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job"
	"newterms/job/rule"
)

// explainPrinter prints explanations, as text or one JSON object a line.
type explainPrinter struct {
	rule   rule.Rule
	asJSON bool
	out    io.Writer
	alert  *alerts.Existing // that was asked for, nil if none was
	why    func(job.Occurrence) []string
	titled bool
}

func (e *explainPrinter) print(text string, object any) error {
	if e.asJSON {
		encoder := json.NewEncoder(e.out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(object)
	}
	if !e.titled {
		text = e.rule.Name + "\n" + text
		e.titled = true
	}
	_, err := io.WriteString(forPeople{e.out}, text)
	return err
}

func (e *explainPrinter) pair(x job.Explanation) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", named(e.rule.Search.Fields, x.Terms))
	if e.alert != nil {
		b.WriteString("  alert " + alertText(*e.alert) + "\n")
		b.WriteString("  " + e.again(x) + "\n")
	}
	if x.Events > 0 {
		fmt.Fprintf(&b, "  %s since %s, %s\n", plural(x.Events, "matching event", "matching events"), exact(x.Since), between(x.First, x.Last))
		for _, line := range dayLines(x.Days) {
			b.WriteString("    " + line + "\n")
		}
	}
	for _, field := range e.rule.Search.Fields {
		for _, other := range x.SameLetters[field] {
			fmt.Fprintf(&b, "  letter case counts: %s=%s is another value, of %s\n", field, other.Value, plural(other.Events, "event", "events"))
		}
	}
	for _, o := range x.Occurrences {
		b.WriteString(e.occurrence(o))
	}
	if len(x.Occurrences) == 0 {
		fmt.Fprintf(&b, "  no matching event from %s to %s\n", exact(x.Window.From), exact(x.Window.To))
	}
	for _, a := range x.Others {
		if e.alert == nil || a.ID != e.alert.ID {
			fmt.Fprintf(&b, "  alert %s: first seen %s, where a run would write none now\n", alertText(a), exact(a.FirstSeen))
		}
	}
	return e.print(b.String(), e.pairObject(x))
}

func between(first, last time.Time) string {
	if first.Equal(last) {
		return "at " + exact(first)
	}
	return "from " + exact(first) + " to " + exact(last)
}

// maxDays is how many days are listed before some are left out.
const maxDays = 14

func dayLines(days []job.Day) []string {
	var lines []string
	for i, d := range days {
		if left := len(days) - maxDays; left > 0 && i == maxDays/2 {
			lines = append(lines, fmt.Sprintf("… %s more", plural(int64(left), "day", "days")))
		}
		if len(days) <= maxDays || i < maxDays/2 || i >= len(days)-maxDays/2 {
			lines = append(lines, fmt.Sprintf("%s  %d", d.Day.Format(time.DateOnly), d.Events))
		}
	}
	return lines
}

func (e *explainPrinter) occurrence(o job.Occurrence) string {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "    %-7s %s\n", name, text) }
	verdict := "first occurrence: "
	if !o.FirstOccurrence {
		verdict = "no first occurrence: "
	}
	fmt.Fprintf(&b, "  %s  %s%s\n", exact(o.At), verdict, e.seen(o))
	line("event", place(o.Event))
	if o.Before != nil {
		line("before", place(o.Before))
	}
	switch {
	case o.Alert != nil && !o.FirstOccurrence:
		line("alert", alertText(*o.Alert)+": a run would not write it now")
	case o.Alert == nil && o.FirstOccurrence:
		for _, why := range e.why(o) {
			line("none", why)
		}
	case o.Alert == nil:
	case o.Alert.FirstSeen.After(o.At):
		line("known", fmt.Sprintf("takes the place of %s, which has the alert %s: it arrived late", exact(o.Alert.FirstSeen), alertText(*o.Alert)))
	case o.Alert.FirstSeen.Before(o.At):
		line("known", fmt.Sprintf("alert %s of %s, whose event is gone since", alertText(*o.Alert), exact(o.Alert.FirstSeen)))
	default:
		line("alert", alertText(*o.Alert))
	}
	return b.String()
}

// seen says when the pair was seen before.
func (e *explainPrinter) seen(o job.Occurrence) string {
	if o.LastSeen.IsZero() && len(e.rule.Search.TimeClauses()) > 0 {
		return "not seen before in the time to which the rule's query is limited"
	}
	if o.LastSeen.IsZero() {
		return "not seen in the " + span(e.rule.History) + " before"
	}
	return fmt.Sprintf("seen %s before, at %s", span(o.At.Sub(o.LastSeen)), exact(o.LastSeen))
}

// again says whether a run over the same data would write the alert that was
// asked for.
func (e *explainPrinter) again(x job.Explanation) string {
	for _, o := range x.Occurrences {
		switch {
		case !o.At.Equal(e.alert.FirstSeen):
		case o.FirstOccurrence:
			return "a run over the same data would write it again"
		default:
			return "a run over the same data would not write it: the pair was " + e.seen(o)
		}
	}
	return "a run over the same data would not write it: no event of " + exact(e.alert.FirstSeen) + " matches now"
}

func alertText(a alerts.Existing) string {
	return fmt.Sprintf("%s, %s, written %s by run %s", a.ID, a.Status, minute(a.Written), a.RunID)
}

func place(event *esquery.Event) string {
	switch {
	case event == nil || event.ID == "" && event.Missing == "":
		return "not known"
	case event.ID == "":
		return event.Missing
	}
	return event.Index + "/" + event.ID
}

// named is a pair as FIELD=VALUE.
func named(fields []string, terms []any) string {
	words := make([]string, len(fields))
	for i, field := range fields {
		words[i] = field + "=" + termText(terms[i])
	}
	return strings.Join(words, " ")
}

func termText(term any) string {
	if term == nil {
		return missingValue
	}
	return fmt.Sprint(term)
}

func exact(t time.Time) string  { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// span is a length of time in days, or in its two largest units.
func span(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return plural(int64(d/(24*time.Hour)), "day", "days")
	}
	if d < time.Millisecond {
		return "0 s"
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := d / unit.length; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
			d -= n * unit.length
		} else if len(parts) > 0 {
			break
		}
	}
	return strings.Join(parts, " ")
}
