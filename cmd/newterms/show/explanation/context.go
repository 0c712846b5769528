package explanation

import (
	"fmt"
	"time"

	"newterms/alerts/novelty"
	"newterms/cmd/newterms/show"
	"newterms/esquery"
	"newterms/esquery/before"
	"newterms/esquery/elastic/words"
)

// contextText prints what was known before an alert, and where the numbers come from.
func contextText(line func(label, text string), c novelty.Context, asked *esquery.Request) {
	line("context", c.Missing)
	if c.Missing != "" {
		return
	}
	line("context", c.Text())
	line("novelty", fmt.Sprint(c.Novelty()))
	if !c.PairLast.IsZero() {
		line("pair", "last seen at "+words.Stamp(c.PairLast))
	}
	never := "never before"
	if !c.Young { // the source may have older events
		never = "not in the " + words.Span(c.History) + " before"
	}
	for _, t := range c.Terms {
		text := seenText(t.Events, t.Last, never, "matching event", "matching events")
		if t.Events > 0 && len(c.Terms) > 1 {
			text += ", " + others(t.Others, "value of the other fields", "values of the other fields")
		}
		line("term", t.Field+": "+text)
	}
	for _, a := range c.Attributes {
		text := seenText(a.Events, a.Last, never, "event", "events")
		if a.Events > 0 {
			text += fmt.Sprintf(", %d of them its own, %s", a.OfUser.Events, others(a.Users, "other", "others"))
		}
		line("value", fmt.Sprintf("%s %s: %s", a.Name, show.Cut(a.Value), text))
	}
	if asked != nil {
		line("question", asked.Path+"; --output json prints it")
	}
}

func seenText(events int64, last time.Time, never, one, many string) string {
	if events == 0 {
		return never
	}
	text := words.Plural(events, one, many)
	if !last.IsZero() {
		text += ", last at " + words.Stamp(last)
	}
	return text
}

// others counts up to before.MaxOthers, which is that many or more.
func others(n int, one, many string) string {
	text := words.Plural(int64(n), one, many)
	if n >= before.MaxOthers {
		text += " or more"
	}
	return text
}
