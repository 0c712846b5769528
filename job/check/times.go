package check

import (
	"fmt"
	"time"

	"newterms/esquery/elastic/words"
	"newterms/esquery/inspect"
)

// futureEvents reports events that are dated in the future. A run sees such an event,
// as candidate or as history, only when its time has come.
func (c *ruleCheck) futureEvents(h inspect.Health) {
	if n := h.Ahead.Events; n > 0 {
		c.warn("ahead", problem(AheadEvents, "%s dated in the future, up to %s (%s ahead): a run finds %s only after that time",
			words.Plural(n, "event is", "events are"), stamp(h.Ahead.To), words.Span(h.Ahead.To.Sub(h.Now).Round(time.Second)), map[bool]string{true: "it", false: "each"}[n == 1]))
	}
}

// arrival reports how late events arrive that are not dated by their ingestion.
// Scheduled runs see those that arrive within the overlap.
func (c *ruleCheck) arrival(h inspect.Health) {
	n := int64(len(h.Arrival.Lags))
	if h.Arrival.Events == 0 {
		return
	}
	overlap := max(c.Check.Overlap, c.Rule.Overlap)
	who := fmt.Sprintf("%s not dated by ingestion, and scheduled runs miss events that arrive more than %s after their time", words.Plural(h.Arrival.Events, "event is", "events are"), words.Span(overlap))
	if n == 0 {
		c.warn("late", problem(LateUnknown, "%s: the events do not show how late they arrive", who))
		return
	}
	median, longest := h.Arrival.Lags[n/2].Round(time.Second), h.Arrival.Lags[n-1].Round(time.Second)
	message := fmt.Sprintf("%s: of the newest %d, half arrived within %s and all within %s", who, n, words.Span(median), words.Span(longest))
	if h.Arrival.Lags[n-1] > overlap {
		c.warn("late", problem(LateUnseen, "%s", message))
	} else {
		c.ok("late", "%s", message)
	}
}
