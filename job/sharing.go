package job

import (
	"cmp"
	"context"
	"slices"
	"unique"

	"newterms/alerts/alert"
	"newterms/alerts/fields"
	"newterms/alerts/novelty"
	"newterms/alerts/runs"
	"newterms/esquery/before"
	"newterms/job/cause"
)

// mostCompared is how many alerts of a run are compared for a cause. It bounds the
// memory: twice as many take about 10 MB. Of more alerts those with the smallest ids are
// compared. Ids are hashes, so that they are a sample that no order changes.
const mostCompared = 10_000

// Sharing collects what alerts have in common.
type Sharing struct{ alerts []cause.Alert }

// Add adds an alert. isMapped is that of Facets.
func (s *Sharing) Add(a alert.Alert, isMapped func(field string) bool) {
	one := cause.Alert{ID: a.ID, At: a.FirstSeen, Terms: a.Terms()}
	add := func(v cause.Value) {
		if handle := unique.Make(v); !slices.Contains(one.Values, handle) {
			one.Values = append(one.Values, handle)
		}
	}
	for i, t := range a.Describe().NewTerms {
		if one.Terms[i] == nil {
			add(cause.Value{Kind: t.Field, Field: t.Field, Source: true})
		}
	}
	for _, f := range a.Facets(isMapped) {
		if f.Kind != "event type" && f.Kind != "outcome" && len(f.Value) <= before.LongestKeyword {
			add(cause.Value{Kind: f.Kind, Field: f.Field, Value: f.Value, Source: f.Source})
		}
	}
	if known := a.Context(); known != nil {
		one.Facts = facts(one.Terms, known)
	}
	if s.alerts = append(s.alerts, one); len(s.alerts) >= 2*mostCompared {
		s.sample()
	}
}

// facts returns what the context of an alert says of its terms, which come first, and its
// attributes.
func facts(terms []any, known *novelty.Context) []cause.Fact {
	var all []cause.Fact
	for i, t := range known.Terms {
		v := cause.Value{Kind: t.Field, Field: t.Field}
		if terms[i] != nil {
			v.Value = fields.Text(terms[i])
		}
		all = append(all, cause.Fact{Value: unique.Make(v), New: t.Events == 0, Unsearched: true})
	}
	for _, a := range known.Attributes {
		v := cause.Value{Kind: a.Name, Field: a.Field, Value: a.Value}
		all = append(all, cause.Fact{Value: unique.Make(v), New: a.Events == 0, Unsearched: fields.Type(a.Field) == ""})
	}
	return all
}

// sample keeps the alerts that are compared.
func (s *Sharing) sample() []cause.Alert {
	if len(s.alerts) > mostCompared {
		slices.SortFunc(s.alerts, func(a, b cause.Alert) int { return cmp.Compare(a.ID, b.ID) })
		clear(s.alerts[mostCompared:])
		s.alerts = s.alerts[:mostCompared]
	}
	return s.alerts
}

// Cause returns what most of some alerts share, nil if they share nothing. Which values were
// seen before it takes from the alerts' contexts. If those lack one, it asks one question.
// If that fails, it warns, and knows of no other value that is new.
func (m *AlertMaker) Cause(ctx context.Context, s *Sharing, runID string) (*runs.Cause, error) {
	compared := s.sample()
	known, err := m.contexts.known(ctx, cause.Frequent(compared))
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		m.warn(unasked(err))
	}
	found := cause.Find(compared, known)
	if found == nil {
		return nil, nil
	}
	c := &runs.Cause{
		Text: found.String(), Covered: found.Covered, Of: found.Total, Share: found.Share(),
		Exclude: found.Exclusion(), Where: found.Where(runID, m.source.Search.Fields),
	}
	for _, g := range found.Groups {
		for _, v := range g.Values {
			c.Values = append(c.Values, runs.CauseValue{Kind: v.Kind, Field: v.Field, Value: v.Value.Value, New: v.New, Alerts: g.Alerts})
		}
	}
	return c, nil
}

// known says which frequent values nobody had before the first alert with them. With an
// error, or for a nil receiver, it knows only of those in the alerts' contexts.
func (c *contexts) known(ctx context.Context, frequent []cause.Example) ([]cause.Known, error) {
	var known []cause.Known
	var subjects []before.Subject
	var asked []int // positions in known
	for i, f := range frequent {
		isNew, ok := f.Alert.IsNew(f.Field, f.Value.Value)
		known = append(known, cause.Known{Value: f.Value, New: isNew})
		if ok || c == nil || c.failed {
			continue
		}
		s := before.Subject{Terms: f.Alert.Terms, At: f.Alert.At}
		if c.termOf(f) < 0 {
			if !c.asker.CanAsk(f.Field, f.Value.Value) {
				continue
			}
			s.Attributes = []before.Attribute{{Field: f.Field, Value: f.Value.Value}}
		}
		subjects, asked = append(subjects, s), append(asked, i)
	}
	if len(subjects) == 0 {
		return known, nil
	}
	got, err := c.ask(ctx, subjects)
	if err != nil {
		return known, err
	}
	for i, of := range got {
		k := &known[asked[i]]
		if term := c.termOf(frequent[asked[i]]); term >= 0 {
			k.New = of.Terms[term].Events == 0
		} else {
			k.New = of.Attributes[0].Events == 0
		}
	}
	return known, nil
}

// termOf returns which term of its alert a value is; -1 for another value of the event,
// whose new-terms field may have several.
func (c *contexts) termOf(e cause.Example) int {
	term := slices.Index(c.search.Fields, e.Field)
	if term >= 0 && e.Value.Value != "" && fields.Text(e.Alert.Terms[term]) != e.Value.Value {
		return -1
	}
	return term
}
