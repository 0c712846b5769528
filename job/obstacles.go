package job

import (
	"context"
	"fmt"
	"strings"

	"newterms/esquery"
)

// Obstacles tell why no event of a window that has some values matches.
type Obstacles struct {
	Window Window
	Values []Value // in the order of the rule's new-terms fields
	// Of are the values of the events that the rest is about: all values or, where
	// each has events and no event has all of them, the one that the fewest have.
	// It is nil if there is a value that no event has.
	Of []Value
	esquery.Obstacles
}

// A Value is one that was asked for.
type Value struct {
	esquery.ValueCount
	// Similar are values of the field in the window and the history before it,
	// where no event there has the one that was asked for.
	Similar []esquery.SimilarValue
}

func (e *Explainer) obstacles(ctx context.Context, source *esquery.Source, values esquery.Values, w Window) (*Obstacles, error) {
	found, err := source.Obstacles(ctx, w.timeRange(), values)
	if err != nil {
		return nil, err
	}
	o := &Obstacles{Window: w, Obstacles: found}
	var rarest *esquery.ValueCount
	known := true
	for _, field := range e.Rule.Search.Fields {
		for i, v := range found.Values {
			if v.Field != field {
				continue
			}
			value := Value{ValueCount: v}
			known = known && v.Events > 0
			if v.Events > 0 && (rarest == nil || v.Events < rarest.Events) {
				rarest = &found.Values[i]
			}
			if text, ok := v.Value.(string); ok && v.Events == 0 {
				around := esquery.Range{From: w.From.Add(-e.Rule.History), To: w.To}
				if value.Similar, err = source.Similar(ctx, around, field, strings.TrimSpace(text)); err != nil {
					return nil, err
				}
			}
			o.Values = append(o.Values, value)
		}
	}
	switch {
	case found.Events > 0:
		o.Of = o.Values
	case known && rarest != nil:
		if o.Obstacles, err = source.Obstacles(ctx, w.timeRange(), esquery.Values{rarest.Field: {rarest.Value}}); err != nil {
			return nil, fmt.Errorf("of %s: %w", rarest.Field, err)
		}
		o.Of = []Value{{ValueCount: *rarest}}
	}
	return o, nil
}
