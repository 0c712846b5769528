package job

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/esquery"
)

// A Gap is time before a scheduled window that no run has looked at.
type Gap struct {
	Window Window
	Rerun  string // the command that runs it
}

func (g *Gap) Error() string {
	return fmt.Sprintf("no run has looked at %s, and this one does not either", g.Window)
}

// LackingTerms are the matching events of a window that lack a new-terms field,
// so that there is no telling whether they are first occurrences.
type LackingTerms esquery.Lacking

func (l *LackingTerms) Error() string {
	return fmt.Sprintf("%s a new-terms field (%s): whether they are first occurrences cannot be told",
		plural(l.Any, "matching event lacks", "matching events lack"), strings.Join(l.Fields(), ", "))
}

// Fields tells each field that is lacking and the number of events.
func (l *LackingTerms) Fields() []string {
	var fields []string
	for _, field := range slices.Sorted(maps.Keys(l.ByField)) {
		if n := l.ByField[field]; n > 0 {
			fields = append(fields, fmt.Sprintf("%s: %d", field, n))
		}
	}
	return fields
}

// add sums up the counts of several parts.
func (l *LackingTerms) add(more esquery.Lacking) {
	l.Any += more.Any
	for field, n := range more.ByField {
		l.ByField[field] += n
	}
}

// NoHistory says that there is not one matching event in the history before the
// window, which tells a source that is new from pairs that are.
type NoHistory struct{ Oldest, HistoryFrom time.Time }

func (n *NoHistory) Error() string {
	return fmt.Sprintf("there is not one matching event in the history since %s, so every pair looks new: the oldest event is of %s",
		stamp(n.HistoryFrom), stamp(n.Oldest))
}

// LeftOut names fields of an event that do not fit the mapping of the alerts
// target and are not in its alert.
type LeftOut struct {
	Fields       []string
	Alert, Event string // _id, and _index/_id
}

func (l *LeftOut) Error() string {
	return fmt.Sprintf("alert %s is written without %s of its event %s, which the mapping of the alerts target does not take",
		l.Alert, strings.Join(l.Fields, ", "), l.Event)
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
