package compare

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/access"
	"newterms/esquery/elastic"
	"newterms/esquery/kibana"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/compare/schedule"
)

// sides is what both sides did, as far as it can be read.
type sides struct {
	Comparison
	report *Report

	ours, theirs             []entry
	oursUnread, theirsUnread string // what cannot be read; "" if it can
	runNames, severities     names  // what the entries number
	ruleNames                names
	alertsOf                 map[string]int // by execution: how many alerts it wrote
	suppressed               []kibana.Alert

	log        kibana.Log
	logRead    bool
	byName     bool    // no alert shows which runs of the log are the rule's
	unlogged   []entry // Kibana's alerts of runs that the log has not
	executions map[string]*kibana.Execution
	schedule   schedule.Schedule
	editions   map[editionKey]*edition
	newest     map[string]*edition // by rule

	allRuns  []runs.WindowRun
	runsRead bool

	source        *esquery.Source
	bare, exclude query.DSL
	exceptions    []query.DSL // of the rule's items, in their order
	timeClause    string      // of the query, relative to now; "" if there is none
	timeless      query.DSL   // the query without such clauses; nil if they are not alone
	hasArrival    bool        // the events say when they arrived, and are dated by another field
}

// logMargin is how much earlier than the range the log is read: a run must be known to tell
// what the next one had to search.
const logMargin = 24 * time.Hour

// read reads both sides in a window. It fails if the alerts of both are unreadable, or both
// our alerts and our runs.
func (s *sides) read(ctx context.Context, w job.Window) error {
	margin := query.Range{From: w.From.Add(-s.Rule.History), To: w.To.Add(s.Rule.History)}
	ourErr := s.Store.OfRule(ctx, s.Rule.ID, margin.From, margin.To, s.addOurs)
	theirErr := s.readTheirs(ctx, margin)
	switch {
	case ourErr != nil && theirErr != nil:
		return errors.Join(ourErr, theirErr)
	case ourErr != nil && !isUnreadable(ourErr):
		return ourErr
	case theirErr != nil && !isUnreadable(theirErr):
		return theirErr
	}
	s.oursUnread = s.unread(ourErr, "the alerts of newterms", "every alert of Kibana's counts as only there")
	s.theirsUnread = s.unread(theirErr, "Kibana's alerts", "every alert of newterms counts as only here, and the parameters of Kibana's rule are not known")
	if err := s.readLog(ctx, query.Range{From: w.From.Add(-logMargin), To: margin.To.Add(logMargin)}); err != nil {
		return err
	}
	var err error
	s.allRuns, err = s.Store.Windows(ctx, s.Rule.ID, w.From, w.To)
	if s.runsRead = err == nil; err != nil && (!isUnreadable(err) || ourErr != nil) {
		return err
	}
	s.unread(err, "the runs of newterms", "whether newterms ran and succeeded")
	if err = s.openSource(ctx); err != nil && !isUnreadable(err) {
		return err
	}
	s.unread(err, "the events of the rule", "all that depends on them: edges, late events, exceptions")
	return nil
}

// isUnreadable reports whether an error says that there is nothing to read, or not for
// this user.
func isUnreadable(err error) bool {
	var none *access.NotFoundError
	return elastic.HasStatus(err, http.StatusForbidden) || elastic.IsMissing(err) || errors.Is(err, elastic.ErrNoShards) || errors.As(err, &none)
}

// unread notes what an error has made unreadable, and which answers are missing for that.
// It returns "" without an error, and else what that is.
func (s *sides) unread(err error, what, missing string) string {
	if err == nil {
		return ""
	}
	why := "no such index, or no privilege to read it"
	if elastic.HasStatus(err, http.StatusForbidden) {
		why = "no privilege to read it"
	}
	s.report.Unread = append(s.report.Unread, fmt.Sprintf("not read: %s (%s) → these answers are missing: %s", what, why, missing))
	return what
}

func (s *sides) addOurs(a alerts.StoredAlert) error {
	s.ours = append(s.ours, entry{
		pair: keyOf(s.Rule.Search.Fields, a.Terms), at: a.FirstSeen.UnixMilli(), id: a.ID, written: a.Written.UnixMilli(),
		run: s.runNames.number(a.RunID), severity: s.severities.number(a.Severity),
	})
	return nil
}

func (s *sides) readTheirs(ctx context.Context, in query.Range) error {
	editions, err := s.Kibana.Editions(ctx, s.Rule.ID)
	if err != nil {
		return err
	}
	for _, e := range editions { // the newest first
		known := newEdition(e, s.Rule)
		s.editions[editionKey{e.Rule, e.Revision}] = known
		if s.newest[e.Rule] == nil {
			s.newest[e.Rule] = known
		}
	}
	if len(s.newest) > 1 {
		var spaces []string
		for _, e := range s.newest {
			spaces = append(spaces, e.Space)
		}
		slices.Sort(spaces)
		s.report.Notes = append(s.report.Notes, fmt.Sprintf("%d rules of Kibana have this rule_id, in the spaces %s: their alerts count together", len(s.newest), strings.Join(spaces, ", ")))
	}
	return s.Kibana.Alerts(ctx, s.Rule.ID, s.Rule.Search.Timestamp, in, func(a kibana.Alert) error {
		fields := s.Rule.Search.Fields
		terms, ok := inOrder(a, fields)
		if !ok {
			fields = a.Fields
		}
		s.theirs = append(s.theirs, entry{
			pair: keyOf(fields, terms), at: a.At.UnixMilli(), id: a.ID, written: a.Written.UnixMilli(),
			run: s.runNames.number(a.Execution), severity: s.severities.number(a.Severity), rule: s.ruleNames.number(a.Rule),
		})
		if a.Execution != "" {
			s.alertsOf[s.runNames.texts[s.theirs[len(s.theirs)-1].run]]++
		}
		if a.Suppressed != nil {
			s.suppressed = append(s.suppressed, a)
		}
		return nil
	})
}

func (s *sides) readLog(ctx context.Context, in query.Range) error {
	named := kibana.Named{Name: s.Rule.Name}
	for id := range s.newest {
		if id != "" {
			named.IDs = append(named.IDs, id)
		}
	}
	slices.Sort(named.IDs)
	var err error
	s.log, err = s.Kibana.Log(ctx, named, in)
	if s.logRead = err == nil; err != nil && !isUnreadable(err) {
		return err
	}
	s.unread(err, "Kibana's event log", "gaps, failed runs, limits and the windows of Kibana's runs")
	for i := range s.log.Executions {
		if e := &s.log.Executions[i]; e.ID != "" {
			s.executions[e.ID] = e
		}
	}
	s.cutLog()
	s.byName = len(named.IDs) == 0
	switch {
	case !s.byName || !s.logRead || s.theirsUnread != "":
	case len(s.log.Executions) > 0:
		s.report.Notes = append(s.report.Notes, "Kibana has no alert of the rule: its runs are those of the rule that is called "+s.Rule.Name)
	default:
		s.report.Notes = append(s.report.Notes, fmt.Sprintf("Kibana has no alert with the rule_id %s, and no run of a rule that is called %s", s.Rule.ID, s.Rule.Name))
	}
	s.schedule = schedule.New(s.log, func(e *kibana.Execution) (lookback, interval time.Duration) {
		if known := s.editionOf(e.Rule, e.Revision); known != nil {
			return known.lookback, known.interval
		}
		if known := s.newest[e.Rule]; known != nil {
			return known.lookback, known.interval
		}
		return s.Rule.Lookback, intervalOf(s.Rule)
	})
	return nil
}

// cutLog lets the log begin after the last alert of a run that is before all runs that it
// has of the rule: the log of that time is gone. It keeps the alerts of runs that the log
// has not.
func (s *sides) cutLog() {
	for _, e := range s.theirs {
		if s.executions[s.runNames.texts[e.run]] != nil {
			continue
		}
		s.unlogged = append(s.unlogged, e)
		written, isEmpty := time.UnixMilli(e.written).UTC(), len(s.log.Executions) == 0
		if (isEmpty || written.Before(s.log.Executions[0].Start)) && !s.log.Since.IsZero() && written.After(s.log.Since) {
			s.log.Since = written
		}
	}
}

// lacksRun reports whether the log has no document of a run in a hole, though an alert shows
// that there was one.
func (s *sides) lacksRun(h schedule.Hole) bool {
	return h.Before != nil && slices.ContainsFunc(s.unlogged, func(e entry) bool {
		written := time.UnixMilli(e.written)
		return s.ruleNames.texts[e.rule] == h.Before.Rule && written.After(h.Before.Start) && (h.Next == nil || written.Before(h.Next.Start))
	})
}

// interval is how often the rule of an execution runs; nil is one that the log has not.
func (s *sides) interval(e *kibana.Execution) time.Duration {
	if e == nil {
		return intervalOf(s.Rule)
	}
	if known := s.newest[e.Rule]; known != nil && known.interval > 0 {
		return known.interval
	}
	return intervalOf(s.Rule)
}

// editionOf returns the edition of a rule that an alert shows. A run that does not say
// which revision it had, had that of its rule if there is one.
func (s *sides) editionOf(rule string, revision int64) *edition {
	if known := s.editions[editionKey{rule, revision}]; known != nil {
		return known
	}
	if revision < 0 && len(s.editions) == 1 {
		return s.newest[rule]
	}
	return nil
}
