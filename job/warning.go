package job

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/esquery"
	"newterms/job/words"
)

// A Gap is time before a scheduled window that no run has looked at.
type Gap struct {
	Window Window
	Rerun  string // the command that runs it
}

func (g *Gap) Error() string {
	return fmt.Sprintf("no run has looked at %s, and this one does not either", g.Window)
}

// A FutureRun is a successful run whose window ended in the future. A clock was
// wrong then; the run was passed over.
type FutureRun struct{ To, Now time.Time }

func (f *FutureRun) Error() string {
	return fmt.Sprintf("a scheduled run has looked at events up to %s, and it is only %s: its clock was wrong, and it is passed over", words.Stamp(f.To), words.Stamp(f.Now))
}

// An OtherSearch tells that scheduled runs of the same rule with another scope
// have succeeded since the last one with this: each follows its own.
type OtherSearch struct{ Search string }

func (o *OtherSearch) Error() string {
	return "this rule also runs with other indices, another query or other fields (search " + o.Search + "): each follows its own last run"
}

// Forgotten says that no run of the rule is kept, and that older runs were deleted:
// the rule may have run before.
type Forgotten struct{ From time.Time } // where the window begins

func (f *Forgotten) Error() string {
	return fmt.Sprintf("there is no run of this rule among those that are kept, and older ones were deleted: it begins at %s, as a rule does that never ran", words.Stamp(f.From))
}

// PassedOver are indices of the rule whose events were not seen.
type PassedOver struct{ Indices []esquery.Unavailable }

func (p *PassedOver) Error() string {
	names := make([]string, len(p.Indices))
	for i, index := range p.Indices {
		names[i] = index.String()
	}
	return "events were not seen, and known pairs may look new: " + strings.Join(names, ", ")
}

// WarnOfSource warns of what limits what a search sees: indices that are passed over,
// fields that no index maps, clauses about time, networks among texts. It reports whether the rule limits the
// time.
func WarnOfSource(source *esquery.Source, s esquery.Search, warn func(error)) (timeLimited bool) {
	if passedOver := source.PassedOver(); len(passedOver) > 0 {
		warn(&PassedOver{passedOver})
	}
	if fields := source.Unmapped(); len(fields) > 0 {
		warn(&Unmapped{fields, s})
	}
	clauses := s.TimeClauses()
	if len(clauses) > 0 {
		warn(&TimeLimited{clauses})
	}
	if networks := source.TextNetworks(); len(networks) > 0 {
		warn(&TextNetworks{networks})
	}
	return len(clauses) > 0
}

// Unmapped names what the rule asks for and no index maps: there is none, or it is
// hidden from this user.
type Unmapped struct {
	Fields []string
	search esquery.Search
}

func (u *Unmapped) Error() string {
	text := "no index maps " + strings.Join(u.Fields, ", ") + ": to the rule it is as if no event had it"
	if slices.Contains(u.Fields, u.search.Timestamp) && u.search.Fallback != "" {
		text += ", and " + u.search.Fallback + " dates the events"
	}
	return text
}

// TimeLimited says that the rule itself limits the time of the events that it
// matches, in the history as well.
type TimeLimited struct{ Clauses []esquery.TimeClause }

func (t *TimeLimited) Error() string {
	texts, relative := make([]string, len(t.Clauses)), false
	for i, c := range t.Clauses {
		texts[i] = c.Text
		relative = relative || c.Relative
	}
	text := "the rule limits the time of the events, and so its history: a pair seen only outside of " + strings.Join(texts, ", ") + " looks new"
	if relative {
		text += "; the limit moves with now, so that a run over earlier days does not see their events"
	}
	return text
}

// TextNetworks are networks in exclusions that take no address, because of the
// types of their fields.
type TextNetworks struct{ Networks []esquery.TextNetwork }

func (t *TextNetworks) Error() string {
	texts := make([]string, len(t.Networks))
	for i, n := range t.Networks {
		texts[i] = n.String()
	}
	return "exclusions of networks take nothing: " + strings.Join(texts, "; ")
}

// LackingTerms are the matching events of a window that lack a new-terms field,
// so that there is no telling whether they are first occurrences.
type LackingTerms esquery.Lacking

func (l *LackingTerms) Error() string {
	return fmt.Sprintf("%s a new-terms field (%s): whether they are first occurrences cannot be told",
		words.Plural(l.Any, "matching event lacks", "matching events lack"), strings.Join(l.Fields(), ", "))
}

// Fields tells each field that is lacking and the number of events, and how many
// of them have a value which is not indexed.
func (l *LackingTerms) Fields() []string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(l.ByField)) {
		if n := l.ByField[field]; n > 0 {
			text := fmt.Sprintf("%s: %d", field, n)
			if ignored := l.Ignored[field]; ignored > 0 {
				text += fmt.Sprintf(", %d with a value that is not indexed because it is too long or malformed", ignored)
			}
			fields = append(fields, text)
		}
	}
	return fields
}

// NewLackingTerms counts none.
func NewLackingTerms() LackingTerms {
	return LackingTerms{ByField: map[string]int64{}, Ignored: map[string]int64{}}
}

// Add sums up the counts of several parts.
func (l *LackingTerms) Add(more esquery.Lacking) {
	l.Any += more.Any
	for field, n := range more.ByField {
		l.ByField[field] += n
		l.Ignored[field] += more.Ignored[field]
	}
}

// NoHistory says that there is not one matching event in the history before the
// window, which tells a source that is new from pairs that are.
type NoHistory struct{ Oldest, HistoryFrom time.Time }

func (n *NoHistory) Error() string {
	return fmt.Sprintf("there is not one matching event in the history since %s, so every pair looks new: the oldest event is of %s",
		words.Stamp(n.HistoryFrom), words.Stamp(n.Oldest))
}

// LeftOut names what an alert lacks of its event, because the mapping of the
// alerts target does not take it or because it cannot be had.
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

// Unreadable reports whether it is the whole event, because Elasticsearch cannot
// read it.
func (l *LeftOut) Unreadable() bool {
	return l != nil && slices.Contains(l.What, "the event, because "+esquery.Unreadable)
}

// Gone reports whether it is the whole event, because it was deleted in mid-run.
func (l *LeftOut) Gone() bool {
	return l != nil && slices.Contains(l.What, "the event, because "+esquery.Gone)
}

// SourceOff names an index that keeps no _source of its events. It is told once in
// a run.
type SourceOff struct{ Index string }

func (s *SourceOff) Error() string {
	return s.Index + " keeps no _source: alerts of its events have nothing of them but the pair and the times"
}

// Uncounted says why it is not known how many events the exclusions take. They
// take them all the same.
type Uncounted struct{ Err error }

func (u *Uncounted) Error() string {
	return fmt.Sprintf("how many events are excluded is not known: %v", u.Err)
}
func (u *Uncounted) Unwrap() error { return u.Err }

// A MaxAlertsError says that a part of the window has more alerts than allowed,
// and that none of them was written.
type MaxAlertsError struct{ Max int }

func (e *MaxAlertsError) Error() string {
	return fmt.Sprintf("more than %d new alerts, which is the limit: none of this part was written", e.Max)
}

// A PrintError says that Emit or Finish failed, so that some or all of what a run
// found is not told.
type PrintError struct {
	Alert   string // that was not told, by its _id; "" for all
	Written bool   // it is, or they are, in the alerts target
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
func (e *PrintError) Unwrap() error { return e.Err }
