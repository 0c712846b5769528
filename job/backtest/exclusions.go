package backtest

import (
	"context"
	"fmt"

	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/job"
)

// MostMeasured is how many exclusions are measured one by one: each takes two passes
// over the range.
const MostMeasured = 20

// Measured says what the further exclusions take.
type Measured struct {
	Number     int         `json:"-"`          // how many there are
	Exclusions []Exclusion `json:"exclusions"` // in their order; empty of more than MostMeasured
	// Without counts the first occurrences without any of them.
	Without int64 `json:"without_exclusions"`
}

// An Exclusion says what one exclusion takes, alone and beside the others. Alerts may
// be fewer than none: what is left of a pair may be new where it was not.
type Exclusion struct {
	Query         string `json:"query"`
	Alerts        int64  `json:"alerts"`
	Events        int64  `json:"events"`
	AlertsBesides int64  `json:"alerts_besides_others"`
	EventsBesides int64  `json:"events_besides_others"`
}

// measure counts without the exclusions, with each alone, and with all but each,
// where total is what all of them leave.
func (b *Backtest) measure(ctx context.Context, w job.Window, total int64) (*Measured, error) {
	c := counter{b, w, map[string]int64{}}
	c.known[c.name(all)] = total
	m := &Measured{Number: len(b.Exclude), Exclusions: []Exclusion{}}
	var err error
	if m.Without, err = c.count(ctx, func(int) bool { return false }); err != nil || m.Number > MostMeasured {
		return m, err
	}
	source, err := b.Open(ctx, b.ruleWith(b.Exclude).Search)
	if err != nil {
		return nil, err
	}
	taken, err := source.Taken(ctx, esquery.Range(w), len(b.Exclude))
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
			Query: q.String(), Alerts: m.Without - alone, Events: taken[i].Alone, AlertsBesides: others - total, EventsBesides: taken[i].Only,
		})
	}
	return m, nil
}

func all(int) bool { return true }

// A counter counts first occurrences with some of the exclusions; a set is counted
// once.
type counter struct {
	*Backtest
	window job.Window
	known  map[string]int64 // by name
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
