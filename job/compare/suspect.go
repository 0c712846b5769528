package compare

import (
	"fmt"
	"time"

	"newterms/alerts"
	"newterms/alerts/runs"
	"newterms/esquery"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kibana"
	"newterms/esquery/query"
	"newterms/job/compare/schedule"
)

// A suspect is an alert that the other side does not have, with all that is known of it.
type suspect struct {
	*sides
	side   Side
	ours   alerts.StoredAlert // if the side is newterms
	theirs kibana.Alert       // if the side is kibana
	twin   entry              // another alert of Kibana's of the pair; zero if there is none
	terms  []any
	at     time.Time
	// windows are those of Kibana that have the time; of an alert of Kibana's, those of its
	// run. sure reports that they have it away from their edges.
	windows []schedule.Window
	sure    bool
	runs    []runs.WindowRun // ours whose window or gap has the time
	edition *edition         // of Kibana's rule then; nil if no alert shows it
	seen    map[string]esquery.Seen
}

// theirHistory returns where the history of Kibana's run begins, and where its window ends.
// Without a log, the window ends when the alert was written, or somewhat before.
func (s *suspect) theirHistory() (from, to time.Time) {
	for _, w := range s.windows { // the last one that has the alert
		if w.To.After(to) {
			to = w.To
		}
	}
	switch {
	case !to.IsZero():
	case !s.theirs.Until.IsZero():
		to = s.theirs.Until
	default:
		to = s.theirs.Written
	}
	history := s.Rule.History
	if s.edition != nil {
		history = s.edition.history
	}
	return to.Add(-history), to
}

// theirLast returns the last run of Kibana's that has the time and did not fail; nil if
// there is none.
func (s *suspect) theirLast() (last *kibana.Execution) {
	for _, w := range s.windows {
		if !hasFailed(w.Run) && (last == nil || w.Run.Start.After(last.Start)) {
			last = w.Run
		}
	}
	return last
}

// ourLast returns our last run that covers the time and did not fail.
func (s *suspect) ourLast() (last runs.WindowRun, ok bool) {
	for _, run := range s.runs {
		if run.State == runs.Succeeded && covers(run, s.at) && (!ok || run.Started.After(last.Started)) {
			last, ok = run, true
		}
	}
	return last, ok
}

// The questions about a suspect, each a spot: about its event, and about earlier and later
// events of its pair.
const (
	eventNow      = "event"            // as our search matches it
	eventBare     = "event, bare"      // as our search without exclusions matches it
	eventAny      = "event, any"       // whatever the query
	eventExcluded = "event, excluded"  // NEWTERMS_EXCLUDE removes it
	eventTheirs   = "event, theirs"    // as Kibana's edition matches it
	eventTimeless = "event, timeless"  // without clauses of the query on the time
	eventInTime   = "event, in time"   // it had arrived when the last run of the other side began
	eventDated    = "event, dated"     // it says when it arrived
	pastH         = "past"             // in our history
	pastTimeless  = "past, timeless"   // in our history, without clauses of the query on the time
	pastEdge      = "past, edge"       // in our history, before Kibana's
	pastTheirs    = "past, theirs"     // in Kibana's history
	pastLonger    = "past, longer"     // in Kibana's history, before ours
	pastInTime    = "past, in time"    // in Kibana's history, and there when it searched
	pastDated     = "past, dated"      // in Kibana's history, and says when it arrived
	pastExcluded  = "past, excluded"   // NEWTERMS_EXCLUDE removes it
	pastEdition   = "past, by edition" // as Kibana's edition matches it
	laterSeen     = "later"            // after a gap
)

// numbered is a question about an exception or a suppression, by its position.
func numbered(kind string, i int) string { return fmt.Sprint(kind, " ", i) }

// questions returns the spots that decide about most classes.
func (s *suspect) questions() map[string]esquery.Spot {
	at, before := s.moment(), query.Range{From: s.at.Add(-s.Rule.History), To: s.at}
	asked := map[string]esquery.Spot{
		eventNow: {In: at}, eventBare: {In: at, Instead: s.bare}, eventAny: {In: at, Instead: query.DSL{"match_all": query.DSL{}}}, pastH: {In: before},
	}
	if s.timeless != nil {
		asked[eventTimeless] = esquery.Spot{In: at, Instead: s.timeless}
		asked[pastTimeless] = esquery.Spot{In: before, Instead: s.timeless}
	}
	if s.exclude != nil {
		asked[eventExcluded] = esquery.Spot{In: at, Instead: s.bare, Also: s.exclude}
		asked[pastExcluded] = esquery.Spot{In: before, Instead: s.bare, Also: s.exclude}
	}
	if s.edition != nil && s.edition.matches != nil {
		asked[eventTheirs] = esquery.Spot{In: at, Instead: s.edition.matches}
		asked[pastEdition] = esquery.Spot{In: before, Instead: s.edition.matches}
	}
	if s.side == OnlyKibana {
		s.askOfKibana(asked)
	} else {
		s.askOfOurs(asked)
	}
	return asked
}

func (s *suspect) moment() query.Range {
	return query.Range{From: s.at, To: s.at.Add(time.Millisecond)}
}

func (s *suspect) askOfKibana(asked map[string]esquery.Spot) {
	from, _ := s.theirHistory()
	past := query.Range{From: from, To: s.at}
	asked[pastTheirs] = esquery.Spot{In: past}
	asked[pastEdge] = esquery.Spot{In: query.Range{From: s.at.Add(-s.Rule.History), To: from}}
	if run := s.executions[s.theirs.Execution]; run != nil && s.hasArrival {
		asked[pastInTime] = esquery.Spot{In: past, Also: arrivedBy(run.Start)}
		asked[pastDated] = esquery.Spot{In: past, Also: query.Exists(arrival)}
	}
	if run, ok := s.ourLast(); ok && s.hasArrival {
		asked[eventInTime] = esquery.Spot{In: s.moment(), Also: arrivedBy(run.Started)}
		asked[eventDated] = esquery.Spot{In: s.moment(), Also: query.Exists(arrival)}
	}
}

func (s *suspect) askOfOurs(asked map[string]esquery.Spot) {
	if run := s.theirLast(); run != nil && s.hasArrival {
		asked[eventInTime] = esquery.Spot{In: s.moment(), Also: arrivedBy(run.Start)}
		asked[eventDated] = esquery.Spot{In: s.moment(), Also: query.Exists(arrival)}
	}
	if m, ok := s.missed(); ok {
		asked[laterSeen] = esquery.Spot{In: query.Range{From: m.to.Add(time.Millisecond), To: s.at.Add(s.Rule.History)}}
	}
	if s.edition != nil {
		asked[pastLonger] = esquery.Spot{In: query.Range{From: s.at.Add(-s.edition.history), To: s.at.Add(-s.Rule.History)}}
	}
	for i, a := range s.suppressed {
		if within(a.Suppressed, s.at) {
			asked[numbered("suppressed", i)] = esquery.Spot{In: s.moment(), Also: standsFor(a.Suppressed)}
		}
	}
}

// exceptionQuestions returns the spots that decide about exceptions, which may be large.
// They matter for an event that is excluded now, and if an item has expired.
func (s *suspect) exceptionQuestions() map[string]esquery.Spot {
	asked := map[string]esquery.Spot{}
	isExcluded := s.seen[eventBare].Any() && !s.seen[eventNow].Any()
	for i, item := range s.Rule.Exceptions {
		if isExcluded || s.side == OnlyNewterms && !item.Expires.IsZero() {
			asked[numbered("exception", i)] = esquery.Spot{In: s.moment(), Instead: s.bare, Also: s.exceptions[i]}
		}
	}
	return asked
}

// arrival is the field that says when an event came to Elasticsearch.
const arrival = "event.ingested"

// arrivedBy matches events that arrived by a time. event.ingested may have whole seconds,
// cut off.
func arrivedBy(t time.Time) query.DSL {
	return query.DSL{"range": query.DSL{arrival: query.DSL{"lte": words.Stamp(t)}}}
}

// maxDelay is how much later than its own time an event may be ingested, and still be
// looked for among suppressed ones. A suppression has the times of events, and a rule may
// date them by their arrival.
const maxDelay = 24 * time.Hour

func within(s *kibana.Suppression, t time.Time) bool {
	return !t.Before(s.Start) && !t.After(s.End.Add(maxDelay))
}

// standsFor matches the events that a suppression counts.
func standsFor(of *kibana.Suppression) query.DSL {
	span := query.DSL{"gte": words.Stamp(of.Start), "lte": words.Stamp(of.End)}
	filters := []query.DSL{{"range": query.DSL{"@timestamp": span}}}
	for field, values := range of.Values {
		if values[0] == nil {
			filters = append(filters, query.Lacks(field))
		} else {
			filters = append(filters, query.DSL{"terms": query.DSL{field: values}})
		}
	}
	return query.DSL{"bool": query.DSL{"filter": filters}}
}

// A missing time is one that no run of Kibana's has searched.
type missing struct {
	to        time.Time
	because   string
	execution string // that reports it; "" if Kibana recorded it itself
}

// missed returns the missing time that has the event.
func (s *suspect) missed() (m missing, ok bool) {
	if s.sure && s.theirLast() != nil {
		return m, false
	}
	for _, g := range s.schedule.Gaps {
		if g.Open(s.at) {
			m.to, m.because = g.To, fmt.Sprintf("Kibana recorded that it did not search from %s to %s", words.Stamp(g.From), words.Stamp(g.To))
			if g.Reason != "" {
				m.because += " (" + g.Reason + ")"
			}
			return m, true
		}
	}
	if h, found := s.schedule.HoleAt(s.at); found && h.Reported > 0 {
		return missing{h.To, fmt.Sprintf("Kibana's run of %s reports that it did not search %s before its window", words.Stamp(h.Next.Start), words.Span(h.Reported)), h.Next.ID}, true
	}
	return m, false
}
