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
	// SameLetters are values of the field, in the window and the history before it,
	// that differ from it by letter case; and Similar others that are like it, if no
	// event has it.
	SameLetters, Similar []esquery.SimilarValue
	// NoSimilar tells that the cluster does not allow to ask for the latter.
	NoSimilar bool
}

func (e *Explainer) obstacles(ctx context.Context, source *esquery.Source, values esquery.Values, w Window, letters map[string][]esquery.SimilarValue) (*Obstacles, error) {
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
			value := Value{ValueCount: v, SameLetters: letters[field]}
			known = known && v.Events > 0
			if v.Events > 0 && (rarest == nil || v.Events < rarest.Events) {
				rarest = &found.Values[i]
			}
			if text, ok := v.Value.(string); ok && v.Events == 0 {
				if value.Similar, value.NoSimilar, err = source.Similar(ctx, e.around(w), field, strings.TrimSpace(text)); err != nil {
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

// sameLetters asks for each value that was asked for, of a keyword, which others
// differ from it by letter case.
func (e *Explainer) sameLetters(ctx context.Context, source *esquery.Source, values esquery.Values, w Window) (map[string][]esquery.SimilarValue, error) {
	found := map[string][]esquery.SimilarValue{}
	for field, value := range values {
		text, _ := value[0].(string)
		others, err := source.SameLetters(ctx, e.around(w), field, strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if len(others) > 0 {
			found[field] = others
		}
	}
	return found, nil
}

// around is a window and the history before it.
func (e *Explainer) around(w Window) esquery.Range {
	return esquery.Range{From: w.From.Add(-e.Rule.History), To: w.To}
}
