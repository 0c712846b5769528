package explain

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/alerts/alert"
	"newterms/esquery"
	"newterms/esquery/query"
	"newterms/job"
)

// A draft is a Pair under construction.
type draft struct {
	Pair
	moments []esquery.Moment
}

// explain explains some pairs together, and keeps their order.
func (e *Explainer) explain(ctx context.Context, source *esquery.Source, pairs []esquery.Candidate, q question) ([]Pair, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	w, fields := q.window, e.Rule.Search.Fields
	narrow := source.Narrow(valuesOf(fields, pairs))
	moments, err := narrow.Moments(ctx, e.around(w), pairs)
	if err != nil {
		return nil, err
	}
	letterCase := maps.Clone(q.otherCase)
	maps.DeleteFunc(letterCase, func(field string, _ Counts) bool { return slices.Contains(q.others, field) })
	all := make([]draft, len(pairs))
	for i, pair := range pairs {
		all[i] = draft{Pair{Pair: asPair(fields, pair.Terms), Terms: pair.Terms, From: w.From, To: w.To, Since: e.around(w).From, LetterCase: letterCase}, moments[i]}
		all[i].count()
	}
	if err := e.judge(ctx, narrow, pairs, all, w); err != nil {
		return nil, err
	}
	for i := range all {
		all[i].addReturns(job.Finder{History: e.Rule.History})
	}
	if err := e.addAlerts(ctx, all, w); err != nil {
		return nil, err
	}
	later, err := e.later(ctx, source)
	if err != nil {
		return nil, err
	}
	explained := make([]Pair, len(all))
	for i := range all {
		all[i].leaveOutOrdinary()
		explained[i] = all[i].Pair
		explained[i].header = e.header(all[i].Occurrences)
		explained[i].Later, explained[i].ContextRequest = later, e.contextRequest(source)
	}
	if err := e.addEvents(ctx, narrow, explained); err != nil {
		return nil, err
	}
	return explained, e.addWhy(ctx, explained)
}

// valuesOf returns the values of some pairs, each once.
func valuesOf(fields []string, pairs []esquery.Candidate) query.Values {
	values := query.Values{}
	for i, field := range fields {
		seen := map[any]bool{}
		for _, pair := range pairs {
			if term := pair.Terms[i]; !seen[term] {
				seen[term] = true
				values[field] = append(values[field], term)
			}
		}
	}
	return values
}

// count counts the pair's events.
func (d *draft) count() {
	for _, m := range d.moments {
		if d.Events == 0 {
			d.First = m.At
		}
		d.Last = m.At
		d.Events += m.Events
		day := m.At.Truncate(24 * time.Hour)
		if last := len(d.Days) - 1; last < 0 || !d.Days[last].Day.Equal(day) {
			d.Days = append(d.Days, Day{Day: day})
		}
		d.Days[len(d.Days)-1].Events += m.Events
	}
}

// judge adds what a run finds about the pairs: the earliest event of each in each part
// of the window, and when the pair was seen before.
func (e *Explainer) judge(ctx context.Context, narrow *esquery.Source, pairs []esquery.Candidate, all []draft, w job.Window) error {
	positions := map[string]int{}
	for i, pair := range pairs {
		positions[pair.Terms.Key()] = i
	}
	for page, err := range (job.Finder{Source: narrow, History: e.Rule.History}).Find(ctx, w) {
		if err != nil {
			return err
		}
		for _, v := range page.Verdicts {
			if i, ok := positions[v.Terms.Key()]; ok { // other pairs share some values with these
				all[i].Occurrences = append(all[i].Occurrences, Occurrence{At: v.First, LastSeen: v.LastSeen, FirstOccurrence: v.FirstOccurrence})
			}
		}
	}
	return nil
}

// addReturns adds the events that follow a silence within a part.
func (d *draft) addReturns(f job.Finder) {
	for i, m := range d.moments {
		if i == 0 || m.At.Before(d.From) || m.At.Sub(d.moments[i-1].At) < silence {
			continue
		}
		if slices.ContainsFunc(d.Occurrences, func(o Occurrence) bool { return o.At.Equal(m.At) }) {
			continue
		}
		before := d.moments[i-1].At
		d.Occurrences = append(d.Occurrences, Occurrence{At: m.At, LastSeen: before, FirstOccurrence: f.IsFirstOccurrence(m.At, before)})
	}
	slices.SortStableFunc(d.Occurrences, func(a, b Occurrence) int { return a.At.Compare(b.At) })
}

// leaveOutOrdinary drops occurrences that are only the first event of a part.
func (d *draft) leaveOutOrdinary() {
	first := true
	d.Occurrences = slices.DeleteFunc(d.Occurrences, func(o Occurrence) bool {
		keep := first || o.FirstOccurrence || o.Alert != nil || o.At.Sub(o.LastSeen) >= silence
		first = false
		return !keep
	})
	if d.Occurrences == nil {
		d.Occurrences = []Occurrence{}
	}
}

// addAlerts adds the alerts of the occurrences.
func (e *Explainer) addAlerts(ctx context.Context, all []draft, w job.Window) error {
	lookup, err := job.LookupOf(e.Rule)
	if err != nil {
		return err
	}
	fields := lookup.Fields
	keys := make([]alert.Key, len(all))
	for i, d := range all {
		if keys[i], err = alert.NewKey(e.Rule.ID, fields, d.Terms, w.From); err != nil {
			return err
		}
	}
	stored, err := e.Store.StoredAlerts(ctx, keys, fields, w.From.Add(-e.Rule.History), w.To.Add(e.Rule.History))
	if err != nil {
		return err
	}
	for i := range all {
		all[i].addAlerts(stored[i], lookup)
	}
	return nil
}

func (d *draft) addAlerts(stored []alerts.StoredAlert, lookup alerts.Lookup) {
	assigned := map[string]bool{}
	for n := range d.Occurrences {
		o := &d.Occurrences[n]
		for _, alert := range stored {
			same := alert.FirstSeen.Equal(o.At)
			if !same && (o.Alert != nil || !o.FirstOccurrence || !lookup.Covers(o.At, alert)) {
				continue
			}
			o.Alert = &alert
			if assigned[alert.ID] = true; same {
				break
			}
		}
	}
	for _, alert := range stored {
		if !assigned[alert.ID] && !alert.FirstSeen.Before(d.From) && alert.FirstSeen.Before(d.To) {
			d.Others = append(d.Others, alert)
		}
	}
}

// addEvents adds the events of the occurrences, and the events before those.
func (e *Explainer) addEvents(ctx context.Context, source *esquery.Source, all []Pair) error {
	var wanted []esquery.Candidate
	var into []*string
	for i := range all {
		for n := range all[i].Occurrences {
			o := &all[i].Occurrences[n]
			wanted, into = append(wanted, esquery.Candidate{Terms: all[i].Terms, First: o.At}), append(into, &o.Event)
			if !o.LastSeen.IsZero() {
				wanted, into = append(wanted, esquery.Candidate{Terms: all[i].Terms, First: o.LastSeen}), append(into, &o.Before)
			}
		}
	}
	places, err := source.Places(ctx, wanted)
	for i, event := range places {
		*into[i] = place(event)
	}
	return err
}

func place(event *esquery.Event) string {
	if event == nil {
		return "not known"
	}
	return cmp.Or(event.Place(), event.Missing, "not known")
}
