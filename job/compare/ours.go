package compare

import (
	"fmt"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
)

// The classes about runs of ours, and what remains.

// lateForOurs is late for the last run of ours.
func (s *suspect) lateForOurs() (verdict, bool) {
	run, ok := s.ourLast()
	return verdict{Ours, Proved, s.theirs.Execution, fmt.Sprintf("the event arrived after the last run of newterms that covers its time, %s of %s", run.ID, words.Stamp(run.Started))},
		ok && s.side == OnlyKibana && s.arrivedLate()
}

func (s *suspect) oursFailed() (verdict, bool) {
	if _, ok := s.ourLast(); s.side != OnlyKibana || len(s.runs) == 0 || ok {
		return verdict{}, false
	}
	run := s.runs[len(s.runs)-1]
	because := fmt.Sprintf("the run %s of newterms at %s failed: %s", run.ID, words.Stamp(run.Started), words.Shortened(run.Error, 200))
	switch {
	case !covers(run, s.at):
		because = fmt.Sprintf("the run %s of newterms reports that no run covered %s to %s", run.ID, words.Stamp(run.GapFrom), words.Stamp(run.GapTo))
	case run.State == runs.Started:
		because = fmt.Sprintf("the run %s of newterms at %s did not end", run.ID, words.Stamp(run.Started))
	}
	return verdict{Ours, Proved, s.theirs.Execution, because}, true
}

// covers reports whether the window of a run of ours has a time. Its gap may have it.
func covers(run runs.WindowRun, t time.Time) bool { return !t.Before(run.From) && t.Before(run.To) }

// otherUnread reports that the alerts of the other side cannot be read: it may have one.
func (s *suspect) otherUnread() (verdict, bool) {
	unread := map[Side]string{OnlyNewterms: s.theirsUnread, OnlyKibana: s.oursUnread}[s.side]
	return verdict{NoKind, Unknowable, s.theirs.Execution, unread + " cannot be read"}, unread != ""
}

func (s *suspect) notKnowable() (verdict, bool) {
	switch {
	case !s.logRead:
		return verdict{NoKind, Unknowable, s.theirs.Execution, "Kibana's event log cannot be read"}, true
	case s.log.Since.IsZero():
		return verdict{NoKind, Unknowable, s.theirs.Execution, "Kibana's event log is empty"}, true
	case !s.logReaches(s.at):
		return verdict{NoKind, Unknowable, s.theirs.Execution, "Kibana's event log begins at " + words.Stamp(s.log.Since)}, true
	case s.source == nil:
		return verdict{NoKind, Unknowable, s.theirs.Execution, "the events of the rule cannot be read"}, true
	case s.side == OnlyKibana && !s.runsRead:
		return verdict{NoKind, Unknowable, s.theirs.Execution, "the runs of newterms cannot be read"}, true
	}
	return verdict{}, false
}

// unexplained says what was looked at without a result.
func (s *suspect) unexplained() (verdict, bool) {
	v := verdict{execution: s.theirs.Execution}
	switch {
	case !s.seen[eventAny].Any():
		v.because = "no event of the pair has this time any more"
	case s.side == OnlyKibana && !s.seen[eventNow].Any():
		v.because = "newterms does not match the event, and nothing shows why"
	case s.side == OnlyKibana:
		run, _ := s.ourLast()
		v.because = fmt.Sprintf("the run %s of newterms covered it, did not fail, and wrote no alert", run.ID)
		if past := s.seen[pastTheirs]; past.Any() {
			v.because = fmt.Sprintf("the pair was seen at %s, and nothing shows why it was new for Kibana", words.Stamp(past.Last))
		}
	case s.theirLast() != nil:
		run := s.theirLast()
		v.execution = run.ID
		v.because = fmt.Sprintf("Kibana's run of %s searched it, did not fail, and wrote no alert", words.Stamp(run.Start))
		if !run.Ended {
			v.because = fmt.Sprintf("Kibana's run of %s had to search it, and the log does not say how it ended", words.Stamp(run.Start))
		}
	case s.byName && len(s.log.Executions) == 0:
		v.because = "Kibana has no alert of the rule, and its event log no run of a rule that is called " + s.Rule.Name
	default:
		v.because = "no run of Kibana's that the log has searched it, and nothing shows why"
	}
	return v, true
}
