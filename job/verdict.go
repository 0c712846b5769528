package job

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"newterms/alerts"
	"newterms/esquery"
)

// explanation is an Explanation in the making.
type explanation struct {
	Explanation
	pair    esquery.Candidate
	moments []esquery.Moment
}

// explain explains some pairs together, in the order in which they come.
func (e *Explainer) explain(ctx context.Context, source *esquery.Source, pairs []esquery.Candidate, w Window) ([]Explanation, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	since := w.From.Add(-e.Rule.History)
	narrow := source.Having(valuesOf(e.Rule.Search.Fields, pairs))
	moments, err := narrow.Moments(ctx, esquery.Range{From: since, To: w.To}, pairs)
	if err != nil {
		return nil, err
	}
	all := make([]explanation, len(pairs))
	for i, pair := range pairs {
		all[i] = explanation{Explanation{Terms: pair.Terms, Window: w, Since: since}, pair, moments[i]}
		all[i].count()
	}
	if err := e.judge(ctx, narrow, all, w); err != nil {
		return nil, err
	}
	for i := range all {
		all[i].addReturns(e.Rule.History)
	}
	if err := e.addAlerts(ctx, all, w); err != nil {
		return nil, err
	}
	explanations := make([]Explanation, len(all))
	for i := range all {
		all[i].leaveOutOrdinary()
		explanations[i] = all[i].Explanation
	}
	if err := e.addEvents(ctx, narrow, explanations); err != nil {
		return nil, err
	}
	return explanations, e.addLooks(ctx, explanations)
}

// valuesOf are the values of some pairs, each once.
func valuesOf(fields []string, pairs []esquery.Candidate) esquery.Values {
	values := esquery.Values{}
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

// count sums up the pair's events.
func (x *explanation) count() {
	for _, m := range x.moments {
		if x.Events == 0 {
			x.First = m.At
		}
		x.Last = m.At
		x.Events += m.Events
		day := m.At.Truncate(24 * time.Hour)
		if last := len(x.Days) - 1; last < 0 || !x.Days[last].Day.Equal(day) {
			x.Days = append(x.Days, Day{Day: day})
		}
		x.Days[len(x.Days)-1].Events += m.Events
	}
}

// judge does what a run does with the window: in each part of at most H it takes
// the earliest event of each pair, and asks when the pair was seen before.
func (e *Explainer) judge(ctx context.Context, source *esquery.Source, all []explanation, w Window) error {
	positions := map[string]int{}
	for i, x := range all {
		k, err := json.Marshal(x.Terms)
		if err != nil {
			return err
		}
		positions[string(k)] = i
	}
	for part := range w.parts(e.Rule.History) {
		if !slices.ContainsFunc(all, func(x explanation) bool { return x.hasEventIn(part) }) {
			continue
		}
		history := esquery.Range{From: part.From.Add(-e.Rule.History), To: part.From}
		for page, err := range source.Candidates(ctx, part.timeRange()) {
			if err != nil {
				return err
			}
			var of []int // positions of the candidates that were asked for
			var candidates []esquery.Candidate
			for _, c := range page.Candidates {
				k, err := json.Marshal(c.Terms)
				if err != nil {
					return err
				}
				if i, ok := positions[string(k)]; ok {
					of, candidates = append(of, i), append(candidates, c)
				}
			}
			if len(candidates) == 0 {
				continue
			}
			lastSeen, err := source.LastSeen(ctx, history, candidates)
			if err != nil {
				return err
			}
			for n, c := range candidates {
				x := &all[of[n]]
				x.Occurrences = append(x.Occurrences, Occurrence{
					At: c.First, LastSeen: lastSeen[n], FirstOccurrence: isFirstOccurrence(c.First, lastSeen[n], e.Rule.History),
				})
			}
		}
	}
	return nil
}

// hasEventIn reports whether the pair has an event in a part of the window.
func (x *explanation) hasEventIn(part Window) bool {
	i, _ := slices.BinarySearchFunc(x.moments, part.From, func(m esquery.Moment, from time.Time) int { return m.At.Compare(from) })
	return i < len(x.moments) && x.moments[i].At.Before(part.To)
}

// addReturns adds the events that follow a silence inside of a part.
func (x *explanation) addReturns(history time.Duration) {
	for i, m := range x.moments {
		if i == 0 || m.At.Before(x.Window.From) || m.At.Sub(x.moments[i-1].At) < silence {
			continue
		}
		if slices.ContainsFunc(x.Occurrences, func(o Occurrence) bool { return o.At.Equal(m.At) }) {
			continue
		}
		before := x.moments[i-1].At
		x.Occurrences = append(x.Occurrences, Occurrence{At: m.At, LastSeen: before, FirstOccurrence: isFirstOccurrence(m.At, before, history)})
	}
	slices.SortStableFunc(x.Occurrences, func(a, b Occurrence) int { return a.At.Compare(b.At) })
}

// leaveOutOrdinary drops what is only the first event of a part that happens to
// begin there.
func (x *explanation) leaveOutOrdinary() {
	first := true
	x.Occurrences = slices.DeleteFunc(x.Occurrences, func(o Occurrence) bool {
		keep := first || o.FirstOccurrence || o.Alert != nil || o.At.Sub(o.LastSeen) >= silence
		first = false
		return !keep
	})
}

// addAlerts tells which alerts belong to the occurrences.
func (e *Explainer) addAlerts(ctx context.Context, all []explanation, w Window) error {
	search, err := e.Rule.Search.Hash()
	if err != nil {
		return err
	}
	fields := e.Rule.Search.Fields
	keys := make([]alerts.Key, len(all))
	for i, x := range all {
		if keys[i], err = alerts.NewKey(e.Rule.ID, fields, x.Terms, w.From); err != nil {
			return err
		}
	}
	existing, err := e.Store.Existing(ctx, keys, fields, w.From.Add(-e.Rule.History), w.To.Add(e.Rule.History))
	if err != nil {
		return err
	}
	lookup := alerts.Lookup{History: e.Rule.History, Search: search, Fields: fields}
	for i := range all {
		all[i].addAlerts(existing[i], lookup)
	}
	return nil
}

func (x *explanation) addAlerts(existing []alerts.Existing, lookup alerts.Lookup) {
	told := map[string]bool{}
	for n := range x.Occurrences {
		o := &x.Occurrences[n]
		for _, alert := range existing {
			same := alert.FirstSeen.Equal(o.At)
			if !same && (o.Alert != nil || !o.FirstOccurrence || !lookup.IsToldBy(o.At, alert)) {
				continue
			}
			o.Alert = &alert
			if told[alert.ID] = true; same {
				break
			}
		}
	}
	for _, alert := range existing {
		if !told[alert.ID] && !alert.FirstSeen.Before(x.Window.From) && alert.FirstSeen.Before(x.Window.To) {
			x.Others = append(x.Others, alert)
		}
	}
}

// addEvents finds the events of the occurrences and those before them.
func (e *Explainer) addEvents(ctx context.Context, source *esquery.Source, all []Explanation) error {
	var wanted []esquery.Candidate
	var into []**esquery.Event
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
		*into[i] = event
	}
	return err
}

// addLooks asks which runs have looked at what has no alert.
func (e *Explainer) addLooks(ctx context.Context, all []Explanation) error {
	for i := range all {
		for n := range all[i].Occurrences {
			o := &all[i].Occurrences[n]
			if !o.FirstOccurrence || o.Alert != nil {
				continue
			}
			var err error
			if o.Looks, err = e.Store.Looks(ctx, e.Rule.ID, o.At); err != nil {
				return err
			}
		}
	}
	return nil
}
