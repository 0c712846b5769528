package compare

import (
	"context"
	"fmt"
	"slices"
	"time"

	"newterms/alerts/runs"
	"newterms/esquery/elastic/words"
	"newterms/job/compare/schedule"
)

// both lists what differs about alerts that both sides have.
func (s *sides) both(ctx context.Context, p pairing, emit func(Difference) error) error {
	period := s.ourPeriods()
	isLate := func(m match) bool { // by more than each makes up for by itself
		delay := time.Duration(m.theirs.written-m.ours.written) * time.Millisecond
		return delay > (schedule.MaxCatchups+1)*s.interval(s.executions[s.runNames.texts[m.theirs.run]]) || -delay > period[s.runNames.texts[m.ours.run]]
	}
	differs := slices.Clone(p.other)
	for _, m := range p.same {
		if isLate(m) || m.ours.severity != m.theirs.severity {
			differs = append(differs, m)
		}
	}
	for some := range slices.Chunk(differs, atOnce) {
		var all []entry
		for _, m := range some {
			all = append(all, *m.ours)
		}
		stored, err := s.Store.ByID(ctx, ids(all))
		if err != nil {
			return err
		}
		for _, m := range some {
			terms := stored[m.ours.id].Terms
			d := Difference{
				Rule: s.Rule.ID, Side: Both, Certainty: Proved, Terms: terms, FirstSeen: m.ours.time(), Alert: m.ours.id, KibanaAlert: m.theirs.id,
				Execution: s.runNames.texts[m.theirs.run], Command: s.command(terms, m.ours.time()),
			}
			delay := time.Duration(m.theirs.written-m.ours.written) * time.Millisecond
			after := words.Span(delay.Abs()) + map[bool]string{true: " earlier", false: " later"}[delay < 0]
			switch {
			case m.ours.at != m.theirs.at:
				d.Class, d.Kind, d.Because = OtherEvent, Meaning, fmt.Sprintf("Kibana's alert is of the pair's event at %s, and was written %s", words.Stamp(m.theirs.time()), after)
			case m.ours.severity != m.theirs.severity:
				d.Class, d.Because = Severity, fmt.Sprintf("Kibana's severity is %s, ours %s", s.severities.texts[m.theirs.severity], s.severities.texts[m.ours.severity])
			default:
				d.Class, d.Kind, d.Because = Lag, Operation, "Kibana wrote its alert "+after
			}
			if err := emit(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// ourPeriods returns, by the ids of our runs, how long before each the last successful one
// began. A run has several parts, with an id each.
func (s *sides) ourPeriods() map[string]time.Duration {
	periods := map[string]time.Duration{}
	var last, before time.Time // when the newest began, and the one before that
	for _, run := range s.allRuns {
		if run.State != runs.Succeeded {
			continue
		}
		if run.Started.After(last) {
			last, before = run.Started, last
		}
		if before.IsZero() {
			periods[run.ID] = run.Started.Sub(run.From)
		} else {
			periods[run.ID] = run.Started.Sub(before)
		}
	}
	return periods
}
