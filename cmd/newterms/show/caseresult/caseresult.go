// Package caseresult prints the outcomes of cases, as text, JSON and JUnit.
package caseresult

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/show/explanation"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery/elastic/words"
	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/explain"
	"newterms/job/limits"
	"newterms/job/rule"
)

// shownWithout is how many rules without cases are named.
const shownWithout = 5

// Print prints the outcomes of cases: those that do not hold, and the counts. without are
// the rules that have no cases.
func Print(out io.Writer, all []cases.SuiteOutcome, without []rule.Rule, format show.Format) error {
	switch format {
	case show.JSON:
		return show.Object(out, caseReport(all, without))
	case show.JUnit:
		return caseSuites(out, all)
	}
	var b strings.Builder
	total, fail, unusable := 0, 0, 0
	unknown := map[string]bool{}
	for _, s := range all {
		for _, o := range s.Cases {
			total++
			for _, field := range o.Unknown {
				unknown[field] = true
			}
			if o.Err == nil && len(o.Differences) > 0 {
				fmt.Fprintf(&b, "%s:%d: %s: %s\n%s\n", o.Case.Path, o.Case.Line, s.Rule.Name, o.Case.Name, differenceLines(s, o))
			}
			switch {
			case o.Err != nil:
				unusable++
			case !o.Holds():
				fail++
			}
		}
	}
	for _, s := range all {
		b.WriteString(mutationLines(s))
	}
	b.WriteString(words.Plural(len(all), "rule", "rules") + ", " + words.Plural(total, "case", "cases") + ": ")
	var counts []string
	if fail > 0 {
		counts = append(counts, fmt.Sprintf("%d %s not hold", fail, map[bool]string{true: "does", false: "do"}[fail == 1]))
	}
	if unusable > 0 {
		counts = append(counts, fmt.Sprintf("%d cannot run", unusable))
	}
	b.WriteString(cmp.Or(strings.Join(counts, ", "), "all hold") + "\n")
	b.WriteString(withoutLine(without))
	if len(unknown) > 0 {
		fmt.Fprintf(&b, "fields of unknown type, taken as keywords: %s\n", strings.Join(slices.Sorted(maps.Keys(unknown)), ", "))
	}
	_, err := io.WriteString(terminal.Fitting(out), b.String())
	return err
}

// withoutLine names the first rules without cases; "" if there are none.
func withoutLine(without []rule.Rule) string {
	n := len(without)
	if n == 0 {
		return ""
	}
	var sources []string
	for _, r := range without[:min(n, shownWithout)] {
		sources = append(sources, r.Source)
	}
	text := fmt.Sprintf("%s %s no cases: %s", words.Plural(n, "rule", "rules"), map[bool]string{true: "has", false: "have"}[n == 1], strings.Join(sources, ", "))
	if n > shownWithout {
		text += fmt.Sprintf(" and %d more", n-shownWithout)
	}
	return text + "\n"
}

// differenceLines returns what was expected and what came, with the reasons.
func differenceLines(s cases.SuiteOutcome, o cases.Outcome) string {
	var b strings.Builder
	for _, d := range o.Differences {
		pair := explanation.PairText(s.Rule.Search.Fields, d.Terms)
		if d.At != nil {
			pair += " at " + casefile.Offset(*d.At)
		}
		switch d.Kind {
		case cases.Missing:
			fmt.Fprintf(&b, "  no alert, and one is expected: %s\n", pair)
		case cases.Unexpected:
			fmt.Fprintf(&b, "  an alert, and none is expected: %s\n", pair)
		case cases.Other:
			fmt.Fprintf(&b, "  an alert with other values: %s\n", pair)
		}
		for _, v := range d.Values {
			fmt.Fprintf(&b, "    %s is %s, and %s is expected\n", v.Field, v.Got, v.Want)
		}
		b.WriteString(verdictLines(s, o, d))
	}
	for _, w := range o.Warnings {
		if _, isYoung := w.(*limits.NoHistory); !isYoung { // events of a case seldom fill the history
			fmt.Fprintf(&b, "  warning: %s\n", w)
		}
	}
	return b.String()
}

// verdictLines says why the alert of a difference was written, or why none was.
func verdictLines(s cases.SuiteOutcome, o cases.Outcome, d cases.Difference) string {
	var b strings.Builder
	switch {
	case d.Pair != nil:
		var at []explain.Occurrence
		for _, occurrence := range d.Pair.Occurrences {
			if d.At == nil || occurrence.At.Equal(o.Zero.Add(*d.At)) {
				at = append(at, occurrence)
			}
		}
		if len(at) == 0 {
			at = d.Pair.Occurrences
		}
		for _, occurrence := range at {
			verdict := map[bool]string{true: "first occurrence", false: "no first occurrence"}[occurrence.FirstOccurrence]
			fmt.Fprintf(&b, "    %s (%s): %s: %s\n", casefile.Offset(occurrence.At.Sub(o.Zero)), words.Stamp(occurrence.At), verdict, explanation.LastSeen(s.Rule, occurrence))
		}
		if len(at) == 0 {
			fmt.Fprintf(&b, "    no event in the window matches; %s before it %s\n", words.Plural(d.Pair.Events, "event", "events"),
				map[bool]string{true: "does", false: "do"}[d.Pair.Events == 1])
		}
	case d.Nothing != nil:
		for line := range strings.Lines(explanation.NothingText(s.Rule, *d.Nothing)) {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// mutationLines lists the changes of a rule that no case notices.
func mutationLines(s cases.SuiteOutcome) string {
	if s.Mutations == nil {
		return ""
	}
	var b strings.Builder
	noticed := 0
	for _, m := range s.Mutations {
		if m.Noticed {
			noticed++
		} else {
			fmt.Fprintf(&b, "  no case notices the rule %s\n", m.What)
		}
	}
	return fmt.Sprintf("%s: cases notice %d of %s\n%s", s.Rule.Name, noticed, words.Plural(len(s.Mutations), "change", "changes"), b.String())
}
