package explanation

import (
	"fmt"
	"strings"

	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job/explain"
	"newterms/job/rule"
)

// Nothing prints why no event matches.
func (e *Printer) Nothing(o explain.Nothing) error {
	var b strings.Builder
	b.WriteString("\n")
	if e.given != nil && !e.titled {
		fmt.Fprintf(&b, "alert %s\n  %s\n", e.alertText(*e.given), e.wouldWrite(nil))
	}
	return e.print(b.String()+NothingText(e.rule, o), o)
}

// NothingText returns several lines that say why no event matches.
func NothingText(r rule.Rule, o explain.Nothing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "nothing matches from %s to %s\n", words.Stamp(o.From), words.Stamp(o.To))
	for _, f := range o.Unmapped {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	for _, v := range o.Values {
		if v.Events == 0 || len(o.Of) < len(o.Values) || v.OtherCase > 0 {
			fmt.Fprintf(&b, "  %s at any time: %s\n", events(v.Events), valueText(v))
		}
		if text, _ := v.Value.(string); v.Events == 0 && strings.Contains(text, "*") {
			b.WriteString("    it is taken as it is written: * is no wildcard here\n")
		}
		for _, similar := range v.Similar {
			fmt.Fprintf(&b, "    did you mean %s, of %s?\n", similar.Value, words.Plural(similar.Events, "event", "events"))
		}
		if v.NoSimilar {
			b.WriteString("    similar values are not known: the cluster forbids the search for them (search.allow_expensive_queries is false)\n")
		}
		if v.Ignored > 0 {
			fmt.Fprintf(&b, "    %s %s a value of %s that is not indexed, because it is too long or malformed: nothing finds it\n",
				words.Plural(v.Ignored, "event", "events"), has(v.Ignored), v.Field)
		}
	}
	if len(o.Of) > 0 {
		b.WriteString(obstacleLines(o, r.Search))
	}
	return b.String()
}

// soleObstacle returns how many events fail only this condition.
func soleObstacle(c inspect.Condition) string {
	switch {
	case c.Only == 0:
		return ""
	case c.Only < c.Fail:
		return fmt.Sprintf("; nothing else keeps %d of them out", c.Only)
	case c.Fail == 1:
		return "; nothing else keeps it out"
	}
	return "; nothing else keeps them out"
}

func events(n int64) string {
	if n == 0 {
		return "no event"
	}
	return words.Plural(n, "event", "events")
}

func has(n int64) string { return map[bool]string{true: "has", false: "have"}[n == 1] }

func valueText(v explain.Value) string { return v.Field + "=" + termText(v.Value) }

// obstacleLines returns how many of the events with the given values fail each
// condition.
func obstacleLines(o explain.Nothing, s query.Search) string {
	var b strings.Builder
	var of []string
	for _, v := range o.Of {
		of = append(of, valueText(v))
	}
	fmt.Fprintf(&b, "  %s of %s in that time", events(o.InRange), strings.Join(of, " "))
	if o.InRange > 0 {
		fmt.Fprintf(&b, ", of which %d %s a pair and %s", o.Matching, has(o.Matching), map[bool]string{true: "matches", false: "match"}[o.Matching == 1])
	}
	b.WriteString("\n")
	for _, c := range o.Conditions {
		if c.Fail == 0 {
			continue
		}
		is := map[bool]string{true: "is", false: "are"}[c.Fail == 1]
		what := fmt.Sprintf("%s not %s", is, c.Text)
		negated, isNegated := strings.CutPrefix(c.Text, "not ")
		switch {
		case c.Kind == query.OfQuery && isNegated:
			what = fmt.Sprintf("%s %s, which the rule leaves out", is, negated)
		case c.Kind == query.Exclusion:
			what = fmt.Sprintf("%s excluded by %s", is, c.Text)
		case c.Kind == query.OfFilter:
			what = fmt.Sprintf("%s not what the filter wants: %s", is, c.Text)
		case c.Kind == query.TermField:
			what = map[bool]string{true: "lacks ", false: "lack "}[c.Fail == 1] + c.Text
		}
		fmt.Fprintf(&b, "    %d %s%s\n", c.Fail, what, soleObstacle(c))
	}
	dates := s.Timestamp
	if s.Fallback != "" {
		dates += " nor " + s.Fallback
	}
	for _, outside := range []struct {
		n    int64
		what string
	}{{o.Before, "before that time"}, {o.After, "after that time"}, {o.Undated, "without a time: neither " + dates}} {
		if outside.n > 0 {
			if s.Fallback == "" {
				outside.what = strings.Replace(outside.what, "neither", "no", 1)
			}
			fmt.Fprintf(&b, "  %s of it %s\n", words.Plural(outside.n, "event", "events"), outside.what)
		}
	}
	return b.String()
}
