package job

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/esquery"
	"newterms/esquery/elastic/words"
)

// LeftOut lists what an alert lacks of its event: what the mapping of the alerts target
// refuses, or what could not be fetched.
type LeftOut struct {
	What  []string
	Alert string // its _id
	Event string // _index/_id, "" if it is not known
}

func (l *LeftOut) Error() string {
	text := fmt.Sprintf("alert %s is written without %s", l.Alert, strings.Join(l.What, ", "))
	if l.Event != "" {
		text += " (event " + l.Event + ")"
	}
	return text
}

// PlainJSONAdvice is the advice about events whose source Elasticsearch cannot read.
const PlainJSONAdvice = "configure the sender of such events to write plain JSON in UTF-8: no other encoding, no YAML, no comments"

func (l *LeftOut) Action() string { return "event-incomplete" }

func (l *LeftOut) Advice() string {
	switch {
	case l.lacksEvent(esquery.Unreadable):
		return PlainJSONAdvice
	case l.lacksEvent(esquery.Gone):
		return "nothing to do: the event was deleted after the run had found it, and the alert holds its pair and time"
	}
	return "nothing to do: this does not fit the alerts mapping, and the event itself still has it"
}

func (l *LeftOut) lacksEvent(because string) bool {
	return slices.Contains(l.What, "the event, because "+because)
}

func (l *LeftOut) Attrs() []any {
	return []any{"left_out", strings.Join(l.What, ", "), "alert", l.Alert, "event", l.Event}
}

// An Unanswered says what a run does without, because a question failed. Its alerts are
// written all the same.
type Unanswered struct {
	without, action, advice string
	Err                     error
}

func (u *Unanswered) Error() string  { return u.without + ": " + u.Err.Error() }
func (u *Unanswered) Action() string { return u.action }
func (u *Unanswered) Advice() string { return u.advice }
func (u *Unanswered) Unwrap() error  { return u.Err }

func unsummarized(err error) *Unanswered {
	return &Unanswered{"alerts are written without the summary of their events", "summary-missing",
		"nothing to do for these alerts: newterms explain ALERT_ID asks again", err}
}

func uncontexted(err error) *Unanswered {
	return &Unanswered{"alerts are written without their context", "context-missing",
		"nothing to do for these alerts: newterms explain ALERT_ID shows the pair's history; NEWTERMS_CONTEXT=0 asks for no context", err}
}

func unasked(err error) *Unanswered {
	return &Unanswered{"the run does not know which values that its alerts share were seen before", "cause-unasked",
		"nothing to do: the alerts are written, and newterms explain ALERT_ID shows what is new of one", err}
}

func uncounted(err error) *Unanswered {
	return &Unanswered{"the excluded events could not be counted", "exclusions-uncounted", "nothing to do: they are excluded all the same", err}
}

// ContextLimit counts the alerts of a run beyond those that get their context.
type ContextLimit struct{ Most, Without int }

func (c *ContextLimit) Error() string {
	return fmt.Sprintf("%s written without context, because a run gets it for %d (NEWTERMS_CONTEXT)", words.Plural(int64(c.Without), "alert was", "alerts were"), c.Most)
}

func (c *ContextLimit) Action() string { return "context-limited" }

func (c *ContextLimit) Advice() string {
	return "raise NEWTERMS_CONTEXT for contexts of all alerts: 500 of them cost one request"
}

func (c *ContextLimit) Attrs() []any { return []any{"without_context", c.Without} }

// YoungSource counts the alerts whose source has no event as old as the rule's history
// is long: their values may look new because the source is.
type YoungSource struct {
	Alerts int
	Oldest time.Time // of the rule's indices
}

func (y *YoungSource) Error() string {
	return fmt.Sprintf("%s less history than the rule wants, because the oldest event of the rule's indices is of %s",
		words.Plural(int64(y.Alerts), "alert has", "alerts have"), words.Stamp(y.Oldest))
}

func (y *YoungSource) Action() string { return "source-young" }

func (y *YoungSource) Advice() string {
	return "nothing to do if the source is that new: find these alerts with newterms.context.young: true"
}

func (y *YoungSource) Attrs() []any { return []any{"young", y.Alerts, "oldest_event", y.Oldest} }

// A MaxAlertsError reports that a part of the window has more alerts than the limit.
// None of them was written.
type MaxAlertsError struct{ Max int }

func (e *MaxAlertsError) Error() string {
	return fmt.Sprintf("more than %d new alerts (NEWTERMS_MAX_ALERTS): none of this part was written", e.Max)
}

func (e *MaxAlertsError) Advice() string {
	return "list them with --dry-run, then raise NEWTERMS_MAX_ALERTS or exclude known events"
}

// A PrintError reports that Emit or Finish failed: some or all of the alerts were not
// printed.
type PrintError struct {
	Alert   string // _id of the alert that was not printed; "" for all
	Written bool   // whether it is, or they are, in the alerts target
	Err     error
}

func (e *PrintError) Error() string {
	text := "print the alerts, which are written"
	switch {
	case e.Alert != "" && e.Written:
		text = "print alert " + e.Alert + ", which is written"
	case e.Alert != "":
		text = "print alert " + e.Alert
	case !e.Written:
		text = "print what was found"
	}
	return text + ": " + e.Err.Error()
}

// Covered is the advice about the window of a failed run.
const Covered = "the next scheduled run covers the window again; repeat a run that you started by hand"

func (e *PrintError) Advice() string {
	return "repair the reader of stdout, or run with --output none; " + Covered + "; written alerts count as already alerted"
}
func (e *PrintError) Unwrap() error { return e.Err }
