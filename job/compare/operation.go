package compare

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kibana"
	"newterms/job/compare/schedule"
)

// The classes about what the runs of both sides did, or did not do.

// outside reports that one side had no run at all around the time.
func (s *suspect) outside() (verdict, bool) {
	if s.side == OnlyKibana {
		if !s.runsRead || len(s.runs) > 0 {
			return verdict{}, false
		}
		return verdict{Ours, Proved, s.theirs.Execution, "no run of newterms has a window with " + words.Stamp(s.at)}, true
	}
	hasGap := slices.ContainsFunc(s.schedule.Gaps, func(g kibana.Gap) bool { return !s.at.Before(g.From) && !s.at.After(g.To) }) // which may be filled
	if _, missed := s.missed(); missed || hasGap || !s.logReaches(s.at) || len(s.windows) > 0 {
		return verdict{}, false
	}
	h, found := s.schedule.HoleAt(s.at)
	because := ""
	switch {
	case !found && len(s.log.Executions) == 0 && !s.byName:
		because = "Kibana's event log has no run of the rule"
	case !found || s.lacksRun(h):
		return verdict{}, false
	case h.Before == nil:
		because = fmt.Sprintf("Kibana's first run, at %s, looks back to %s", words.Stamp(h.Next.Start), words.Stamp(h.To))
	case h.Next == nil:
		because = "Kibana's last run was at " + words.Stamp(h.Before.Start)
	default: // for longer than a run makes up for
		because = fmt.Sprintf("Kibana's rule did not run from %s to %s, and recorded no gap", words.Stamp(h.Before.Start), words.Stamp(h.Next.Start))
	}
	return verdict{Operation, Proved, "", because}, true
}

// logReaches reports whether the log has what Kibana did about a time.
func (s *suspect) logReaches(t time.Time) bool {
	return s.logRead && !s.log.Since.IsZero() && !s.log.Since.After(t)
}

func (s *suspect) gapShadow() (verdict, bool) {
	m, ok := s.missed()
	later := s.seen[laterSeen]
	if s.side != OnlyNewterms || !ok {
		return verdict{}, false
	}
	for _, t := range []time.Time{later.First, later.Last} {
		windows, _ := s.schedule.At(t)
		if i := slices.IndexFunc(windows, func(w schedule.Window) bool { return !hasFailed(w.Run) }); i >= 0 {
			return verdict{Operation, Proved, windows[i].Run.ID, fmt.Sprintf("%s; its history includes that time, and so the pair was not new to it at %s either", m.because, words.Stamp(t))}, true
		}
	}
	return verdict{}, false
}

func (s *suspect) gap() (verdict, bool) {
	m, ok := s.missed()
	return verdict{Operation, Proved, m.execution, m.because}, ok && s.side == OnlyNewterms
}

// hasFailed reports whether a run ended with an error. That a time before its window was
// not searched counts as an error of a run too, and such a run has searched its window.
func hasFailed(e *kibana.Execution) bool {
	return e.TimedOut || (e.Failed || e.Status == "failed") && !e.Says("were not queried between")
}

func (s *suspect) failedRun() (verdict, bool) {
	if s.side != OnlyNewterms || len(s.windows) == 0 || s.theirLast() != nil {
		return verdict{}, false
	}
	run := s.windows[0].Run
	v := verdict{Operation, Proved, run.ID, fmt.Sprintf("Kibana's run of %s failed (%s), and no other one searched the time", words.Stamp(run.Start), reason(run))}
	for _, w := range s.windows {
		if n := s.alertsOf[w.Run.ID]; n > 0 {
			v.certainty, v.execution = Inferred, w.Run.ID
			v.because = fmt.Sprintf("Kibana's run of %s failed (%s) after it had written %s", words.Stamp(w.Run.Start), reason(w.Run), words.Plural(n, "alert", "alerts"))
		}
	}
	return v, true
}

func reason(e *kibana.Execution) string {
	if len(e.Messages) == 0 {
		return "without a message"
	}
	return words.Shortened(e.Messages[len(e.Messages)-1], 200)
}

func (s *suspect) maxSignals() (verdict, bool) {
	var capped *verdict
	for _, w := range s.windows {
		n := s.alertsOf[w.Run.ID]
		v := verdict{Operation, Proved, w.Run.ID, fmt.Sprintf("Kibana's run of %s wrote %s and warned that it reached its limit (max_signals)", words.Stamp(w.Run.Start), words.Plural(n, "alert", "alerts"))}
		isFull := n >= s.maxAlerts(w.Run)
		switch {
		case w.Run.Says("maximum alert limit"), isFull && w.Run.Status == "partial failure":
			capped = &v
		case isFull && w.Run.Status == "": // it does not say whether there was a warning
			v.certainty, v.because = Inferred, fmt.Sprintf("Kibana's run of %s wrote %d alerts, as many as max_signals allows", words.Stamp(w.Run.Start), n)
			capped = &v
		case !hasFailed(w.Run):
			return verdict{}, false
		}
	}
	if capped == nil || s.side != OnlyNewterms {
		return verdict{}, false
	}
	return *capped, true
}

// maxAlerts is how many alerts a run may write: max_signals for each of its windows.
func (s *suspect) maxAlerts(run *kibana.Execution) int {
	limit := 100
	parameters := s.Rule.Parameters["max_signals"]
	if s.edition != nil && s.edition.Parameters["max_signals"] != nil {
		parameters = s.edition.Parameters["max_signals"]
	}
	if n, err := strconv.Atoi(text(parameters)); err == nil && n > 0 {
		limit = n
	}
	windows := 0
	for _, w := range s.schedule.Windows {
		if w.Run == run {
			windows++
		}
	}
	return limit * windows
}

func (s *suspect) suppression() (verdict, bool) {
	for i, a := range s.suppressed {
		if s.side == OnlyNewterms && s.seen[numbered("suppressed", i)].Any() {
			return verdict{Operation, Proved, a.Execution, fmt.Sprintf("Kibana's alert %s stands for %s from %s to %s with the same values", a.ID, words.Plural(a.Suppressed.Events, "more event", "more events"), words.Stamp(a.Suppressed.Start), words.Stamp(a.Suppressed.End))}, true
		}
	}
	return verdict{}, false
}

// late reports that the event arrived after the last run of Kibana's that could have found
// it.
func (s *suspect) late() (verdict, bool) {
	run := s.theirLast()
	if s.side != OnlyNewterms || run == nil {
		return verdict{}, false
	}
	if s.arrivedLate() {
		return verdict{Operation, Proved, run.ID, fmt.Sprintf("the event arrived after Kibana's last run that searched its time, of %s", words.Stamp(run.Start))}, true
	}
	written := s.ours.Written
	if i := slices.IndexFunc(s.runs, func(r runs.WindowRun) bool { return r.ID == s.ours.RunID }); i >= 0 {
		written = s.runs[i].Started
	}
	for _, r := range s.runs {
		if r.State == runs.Succeeded && covers(r, s.at) && s.sameSearch(r) && r.Started.Before(written) && run.Start.Before(written) {
			return verdict{Operation, Inferred, run.ID, fmt.Sprintf("the run %s of newterms at %s covered it too and did not find it, so it became searchable later, after Kibana's last run at %s", r.ID, words.Stamp(r.Started), words.Stamp(run.Start))}, true
		}
	}
	return verdict{}, false
}

// arrivedLate reports that the event arrived after the last run of the other side began.
func (s *suspect) arrivedLate() bool { return s.seen[eventDated].Any() && !s.seen[eventInTime].Any() }

// sameSearch reports whether a run of ours had the search of our alert, but for exceptions
// that began or ended between.
func (s *suspect) sameSearch(run runs.WindowRun) bool {
	return run.Search == s.ours.Search || run.Search == s.searchAt(run.Started) && s.ours.Search == s.searchAt(s.ours.Written)
}

func (s *suspect) partialSearch() (verdict, bool) {
	run := s.executions[s.theirs.Execution]
	past := s.seen[pastTheirs]
	if s.side != OnlyKibana || run == nil || !run.Failed && run.Status != "failed" && run.Status != "partial failure" || !run.Says("shard") || !past.Any() {
		return verdict{}, false
	}
	return verdict{Operation, Proved, run.ID, fmt.Sprintf("shards failed in Kibana's run of %s, so it did not see the pair's event at %s", words.Stamp(run.Start), words.Stamp(past.Last))}, true
}

// duplicate reports that Kibana wrote another alert of the pair: of an event of the same
// time, or of one that it found afterwards.
func (s *suspect) duplicate() (verdict, bool) {
	twin := s.twin
	if s.side != OnlyKibana || twin.id == "" || twin.time().Before(s.at) && twin.written < s.theirs.Written.UnixMilli() {
		return verdict{}, false
	}
	return verdict{Meaning, Proved, s.theirs.Execution, fmt.Sprintf("Kibana's alert %s is of the same pair, at %s: another event makes another alert there", twin.id, words.Stamp(twin.time()))}, true
}
