package compare

import "slices"

// A Class is a cause of differences.
type Class string

// The classes. All but the last three are of alerts that one side has.
const (
	RuleEdited    Class = "rule_edited"
	Outside       Class = "outside"
	GapShadow     Class = "gap_shadow"
	Gap           Class = "gap"
	FailedRun     Class = "failed_run"
	MaxSignals    Class = "max_signals"
	Suppressed    Class = "suppressed"
	Exception     Class = "exception"
	HistoryEdge   Class = "history_edge"
	FromEdge      Class = "from_edge"
	Late          Class = "late"
	PartialSearch Class = "partial_search"
	Duplicate     Class = "duplicate"
	LateHistory   Class = "late_history"
	Manual        Class = "manual"
	QueryTime     Class = "query_time"
	FieldValues   Class = "fields"
	OursFailed    Class = "ours_failed"
	NotKnowable   Class = "unknowable"
	Unexplained   Class = "unexplained"

	OtherEvent Class = "other_event"
	Lag        Class = "lag"
	Severity   Class = "severity"
)

// A verdict is a cause with its proof.
type verdict struct {
	kind      Kind
	certainty Certainty
	execution string
	because   string
}

// A trial tries whether a class is the cause of a difference.
type trial struct {
	class Class
	try   func(*suspect) (verdict, bool)
}

// trials lists the classes in the order in which they are tried: the first that holds is
// the difference's.
func trials() []trial {
	return []trial{
		{NotKnowable, (*suspect).otherUnread},
		{RuleEdited, (*suspect).edited},
		{Outside, (*suspect).outside},
		{GapShadow, (*suspect).gapShadow},
		{Gap, (*suspect).gap},
		{FailedRun, (*suspect).failedRun},
		{MaxSignals, (*suspect).maxSignals},
		{Suppressed, (*suspect).suppression},
		{Exception, (*suspect).exception},
		{HistoryEdge, (*suspect).historyEdge},
		{FromEdge, (*suspect).fromEdge},
		{Late, (*suspect).late},
		{PartialSearch, (*suspect).partialSearch},
		{Duplicate, (*suspect).duplicate},
		{LateHistory, (*suspect).lateHistory},
		{Manual, (*suspect).manual},
		{Late, (*suspect).lateForOurs},
		{QueryTime, (*suspect).queryTime},
		{FieldValues, (*suspect).fieldValues},
		{OursFailed, (*suspect).oursFailed},
		{RuleEdited, (*suspect).perhapsEdited},
		{NotKnowable, (*suspect).notKnowable},
		{QueryTime, (*suspect).perhapsQueryTime},
		{Unexplained, (*suspect).unexplained},
	}
}

// Classes lists all classes in the order of a table.
func Classes() []Class {
	var all []Class
	for _, t := range trials()[1:] { // the first one's class comes again
		if !slices.Contains(all, t.class) {
			all = append(all, t.class)
		}
	}
	return append(all, OtherEvent, Lag, Severity)
}
