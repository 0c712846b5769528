package backtest

import (
	"context"
	"fmt"

	"newterms/esquery/inspect"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job"
)

// MaxMeasuredExclusions is how many exclusions are measured one by one: each takes two
// passes over the range.
const MaxMeasuredExclusions = 20

// ExclusionEffects are the effects of the additional exclusions.
type ExclusionEffects struct {
	Number     int         `json:"-"`          // of exclusions
	Exclusions []Exclusion `json:"exclusions"` // in their order; empty if there are more than MaxMeasuredExclusions
	// Without is the number of first occurrences without any of the exclusions.
	Without int64 `json:"without_exclusions"`
}

// An Exclusion is one exclusion and its effect, alone and in addition to the others.
// Alerts can be negative: without a pair's earlier events, a later one becomes a first
// occurrence.
type Exclusion struct {
	Query         string `json:"query"`
	Alerts        int64  `json:"alerts"`
	Events        int64  `json:"events"`
	AlertsBesides int64  `json:"alerts_besides_others"`
	EventsBesides int64  `json:"events_besides_others"`
}

// measureExclusions counts without the exclusions, with each alone, and with all but
// each. total is the count with all of them.
func (b *Backtest) measureExclusions(ctx context.Context, w job.Window, total int64) (*ExclusionEffects, error) {
	c := counter{b, w, map[string]int64{}}
	c.known[c.name(all)] = total
	m := &ExclusionEffects{Number: len(b.Exclude), Exclusions: []Exclusion{}}
	var err error
	if m.Without, err = c.count(ctx, func(int) bool { return false }); err != nil || m.Number > MaxMeasuredExclusions {
		return m, err
	}
	source, err := b.Open(ctx, b.ruleWith(b.Exclude).Search)
	if err != nil {
		return nil, err
	}
	counts, err := inspect.ExclusionEffects(ctx, source.Opened, query.Range(w), len(b.Exclude))
	if err != nil {
		return nil, err
	}
	for i, q := range b.Exclude {
		alone, err := c.count(ctx, func(other int) bool { return other == i })
		if err != nil {
			return nil, fmt.Errorf("with only %s: %w", q, err)
		}
		others, err := c.count(ctx, func(other int) bool { return other != i })
		if err != nil {
			return nil, fmt.Errorf("without %s: %w", q, err)
		}
		m.Exclusions = append(m.Exclusions, Exclusion{
			Query: q.String(), Alerts: m.Without - alone, Events: counts[i].Alone, AlertsBesides: others - total, EventsBesides: counts[i].Only,
		})
	}
	return m, nil
}

func all(int) bool { return true }

// A counter counts first occurrences with a subset of the exclusions. It counts each
// subset once.
type counter struct {
	*Backtest
	window job.Window
	known  map[string]int64 // by the subset's name
}

func (c counter) name(keep func(i int) bool) string {
	name := ""
	for i := range c.Exclude {
		name += map[bool]string{true: "+", false: "-"}[keep(i)]
	}
	return name
}

func (c counter) count(ctx context.Context, keep func(i int) bool) (int64, error) {
	name := c.name(keep)
	if n, ok := c.known[name]; ok {
		return n, nil
	}
	var some []kql.Query
	for i, q := range c.Exclude {
		if keep(i) {
			some = append(some, q)
		}
	}
	n := int64(0)
	if err := c.Backtest.count(ctx, c.window, some, c.Rule.History, func(job.Occurrence) { n++ }); err != nil {
		return 0, err
	}
	c.known[name] = n
	return n, nil
}
