package compare

import (
	"fmt"
	"slices"
	"strings"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/job/compare/schedule"
)

// The classes about what the two sides define as an alert.

// edited reports that the sides had other rules, and that this makes the difference.
func (s *suspect) edited() (verdict, bool) {
	e := s.edition
	v := verdict{Operation, Proved, s.execution(), ""}
	if e == nil {
		return v, false
	}
	revision := fmt.Sprintf("revision %d of Kibana's rule", e.Revision)
	fits, past := s.seen[eventTheirs].Any(), s.seen[pastEdition]
	switch ours := s.side == OnlyNewterms; {
	case e.has("new_terms_fields"), e.has("timestamp_override"):
		v.because = revision + " has another " + strings.Join(e.differs, ", ")
	case e.has("history_window_start") && ours && s.seen[pastLonger].Any():
		v.because = fmt.Sprintf("%s looks back %s, to the pair's event at %s", revision, words.Span(e.history), words.Stamp(s.seen[pastLonger].Last))
	case e.has("history_window_start") && !ours && s.seen[pastEdge].Any() && !s.seen[pastTheirs].Any():
		v.because = fmt.Sprintf("%s looks back only %s, and the pair's last event was at %s", revision, words.Span(e.history), words.Stamp(s.seen[pastEdge].Last))
	case e.matches == nil:
		return v, false
	case ours && s.seen[eventNow].Any() && !fits:
		v.because = "the query of " + revision + " does not match the event"
	case ours && past.Any() && !s.seen[pastH].Any():
		v.because = fmt.Sprintf("the query of %s matches the pair at %s already", revision, words.Stamp(past.Last))
	case !ours && fits && !s.seen[eventBare].Any():
		v.because = "only the query of " + revision + " matches the event"
	case !ours && s.seen[pastH].Any() && !past.Any():
		v.because = fmt.Sprintf("the query of %s does not match the pair's event at %s", revision, words.Stamp(s.seen[pastH].Last))
	default:
		return v, false
	}
	return v, true
}

// perhapsEdited reports that the sides had other rules, though nothing shows that this
// makes the difference.
func (s *suspect) perhapsEdited() (verdict, bool) {
	v := verdict{Operation, Inferred, s.execution(), ""}
	if e := s.edition; e != nil && (s.isElsewhere() || e.has("filters") || e.has("query") && e.matches == nil) {
		v.because = fmt.Sprintf("revision %d of Kibana's rule has another %s", e.Revision, strings.Join(e.differs, ", "))
		return v, true
	}
	if run := s.theirLast(); s.side == OnlyNewterms && s.edition == nil && run != nil && run.Revision >= 0 {
		if newest := s.newest[run.Rule]; newest != nil && newest.Revision != run.Revision {
			v.because = fmt.Sprintf("Kibana's run had revision %d of the rule, of which no alert shows the parameters; the newest one known is %d", run.Revision, newest.Revision)
			return v, true
		}
	}
	if i := slices.IndexFunc(s.runs, func(run runs.WindowRun) bool { return run.Search == s.searchAt(run.Started) }); s.side == OnlyKibana && len(s.runs) > 0 && i < 0 {
		v.kind, v.because = Ours, fmt.Sprintf("the run %s of newterms had another query, other indices, fields or exclusions than the rule has now", s.runs[0].ID)
		return v, true
	}
	if s.side == OnlyNewterms && s.ours.Search != s.searchAt(s.ours.Written) && s.seen[eventAny].Any() && !s.seen[eventNow].Any() {
		v.kind, v.because = Ours, "our rule does not match the event any more: it was edited since, or its exclusions"
		return v, true
	}
	return v, false
}

// isElsewhere reports that the sides search other indices, and that the event is in none of the
// other side's.
func (s *suspect) isElsewhere() bool {
	if s.side == OnlyKibana {
		return s.edition.has("index") && !s.seen[eventAny].Any()
	}
	return s.edition.has("index") && !s.edition.searches(s.ours.Index)
}

// execution is the run of Kibana's that decides, "" if it is not known.
func (s *suspect) execution() string {
	if run := s.theirLast(); s.side == OnlyNewterms && run != nil {
		return run.ID
	}
	return s.theirs.Execution
}

// exception reports that one side excludes the event, or an earlier one, and the other did
// not then.
func (s *suspect) exception() (verdict, bool) {
	v := verdict{Ours, Proved, s.execution(), ""}
	switch {
	case s.side == OnlyKibana && s.seen[eventExcluded].Any():
		v.because = "NEWTERMS_EXCLUDE excludes the event, which Kibana does not read"
		return v, true
	case s.side == OnlyNewterms && s.seen[pastExcluded].Any() && !s.seen[pastH].Any():
		v.because = fmt.Sprintf("NEWTERMS_EXCLUDE excludes the pair's event at %s, which is history for Kibana", words.Stamp(s.seen[pastExcluded].Last))
		return v, true
	}
	run := s.theirLast()
	for i, item := range s.Rule.Exceptions {
		if !s.seen[numbered("exception", i)].Any() {
			continue
		}
		v.kind = Operation
		switch {
		case s.side == OnlyKibana && item.Created.After(s.theirs.Written):
			v.because = fmt.Sprintf("the exception %q excludes the event since %s, after Kibana's alert", item.Name, words.Stamp(item.Created))
		case s.side == OnlyNewterms && run != nil && item.Expires.After(run.Start) && !item.Expires.After(s.ours.Written):
			v.because = fmt.Sprintf("the exception %q excluded the event until %s; Kibana searched before that, and newterms after", item.Name, words.Stamp(item.Expires))
		case s.side == OnlyNewterms && run != nil && !item.Created.IsZero() && item.Created.Before(run.Start) && s.ours.Search != s.searchAt(s.ours.Written) && !s.seen[eventNow].Any():
			v.because = fmt.Sprintf("the exception %q excludes the event since %s; newterms did not have it yet", item.Name, words.Stamp(item.Created))
		default:
			continue
		}
		return v, true
	}
	return v, false
}

// historyEdge is a difference of definition: Kibana's history begins H before the end of
// its window, and ours H before the event.
func (s *suspect) historyEdge() (verdict, bool) {
	if s.theirs.Manual {
		return verdict{}, false
	}
	return s.beforeTheirHistory()
}

// manual reports that somebody asked for the run that found the event: after our last run
// that covers it, or in a wide window, whose history begins late.
func (s *suspect) manual() (verdict, bool) {
	if s.side != OnlyKibana || !s.theirs.Manual {
		return verdict{}, false
	}
	if v, ok := s.beforeTheirHistory(); ok {
		v.because += "; it was a manual run"
		return v, true
	}
	run, ok := s.ourLast()
	v := verdict{Operation, Inferred, s.theirs.Execution, fmt.Sprintf("Kibana's run of %s was a manual one, after the last run of newterms that covers the time, of %s", words.Stamp(s.theirs.Written), words.Stamp(run.Started))}
	if s.seen[eventDated].Any() && !s.seen[eventInTime].Any() {
		v.certainty = Proved
		v.because += "; the event arrived between"
	}
	return v, ok && run.Started.Before(s.theirs.Written)
}

func (s *suspect) beforeTheirHistory() (verdict, bool) {
	past := s.seen[pastEdge]
	from, to := s.theirHistory()
	v := verdict{Meaning, Proved, s.theirs.Execution, fmt.Sprintf("the pair was seen at %s, %s before; the history of Kibana's run, which counts back from the end of its window at %s, begins after that, at %s",
		words.Stamp(past.Last), words.Span(s.at.Sub(past.Last)), words.Stamp(to), words.Stamp(from))}
	if len(s.windows) == 0 {
		v.certainty = Inferred // the window ends when the alert was written, or somewhat earlier
	}
	return v, s.side == OnlyKibana && past.Any() && !s.seen[pastTheirs].Any()
}

// fromEdge is a difference of definition: an event exactly where Kibana's window begins is
// not new there.
func (s *suspect) fromEdge() (verdict, bool) {
	if s.side != OnlyNewterms {
		return verdict{}, false
	}
	for _, w := range s.windows {
		if distance := s.at.Sub(w.From).Abs(); distance <= schedule.Edge && !hasFailed(w.Run) {
			v := verdict{Meaning, Inferred, w.Run.ID, fmt.Sprintf("it is %s from the beginning of the only window of Kibana's that may have it, %s, which is not part of it", words.Span(distance), w)}
			if distance < schedule.AtEdge {
				v.certainty = Proved
			}
			return v, true
		}
	}
	return verdict{}, false
}

// lateHistory reports that an earlier event of the pair is there now, which the side that
// wrote the alert had not seen.
func (s *suspect) lateHistory() (verdict, bool) {
	if s.side == OnlyNewterms {
		past := s.seen[pastH]
		return verdict{Ours, Inferred, s.execution(), fmt.Sprintf("the pair has an event at %s, which newterms had not seen when it wrote the alert at %s", words.Stamp(past.Last), words.Stamp(s.ours.Written))}, past.Any()
	}
	past := s.seen[pastTheirs]
	v := verdict{Operation, Inferred, s.theirs.Execution, fmt.Sprintf("the pair has an event at %s, which Kibana's run had not seen", words.Stamp(past.Last))}
	if s.seen[pastDated].Any() {
		v.certainty = Proved
		v.because += ": it arrived later"
	}
	// Without its documents in the log, shards may have failed in the run.
	return v, past.Any() && !s.seen[pastInTime].Any() && s.executions[s.theirs.Execution] != nil
}

// queryTime reports that the rule's own query limits the time of its events relative to
// now: without these clauses it matches the event, or an earlier one, and with them it does
// not now.
func (s *suspect) queryTime() (verdict, bool) {
	v := verdict{Meaning, Proved, s.execution(), "the query's clause " + s.timeClause + " matched the event only for a time"}
	if s.seen[eventTimeless].Any() && !s.seen[eventBare].Any() {
		return v, true
	}
	v.certainty, v.because = Inferred, "the query's clause "+s.timeClause+" matched the pair's earlier event only for a time"
	return v, s.seen[pastTimeless].Any() && !s.seen[pastH].Any()
}

// perhapsQueryTime reports that the query limits the time, though nothing shows that this
// makes the difference.
func (s *suspect) perhapsQueryTime() (verdict, bool) {
	return verdict{Meaning, Inferred, s.execution(), "the query's clause " + s.timeClause + " means another time in each run"}, s.timeClause != ""
}

// fieldValues reports that Kibana cannot have such a pair.
func (s *suspect) fieldValues() (verdict, bool) {
	if n := slices.Index(s.terms, nil); n >= 0 && s.side == OnlyNewterms {
		return verdict{Meaning, Proved, s.execution(), "the event lacks " + s.Rule.Search.Fields[n] + "; Kibana skips it, and NEWTERMS_MISSING_TERMS=include does not"}, true
	}
	return verdict{}, false
}
