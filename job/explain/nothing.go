package explain

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"newterms/esquery"
	"newterms/esquery/inspect"
	"newterms/esquery/query"
	"newterms/job/limits"
)

// nothing finds out why the events that have the values do not match.
func (e *Explainer) nothing(ctx context.Context, source *esquery.Source, q question) (Nothing, error) {
	w := q.window
	unmapped := slices.DeleteFunc(slices.Clone(q.others), source.IsMapped)
	found, err := inspect.FindMismatches(ctx, source.Opened, query.Range(w), q.values)
	if err != nil {
		return Nothing{}, err
	}
	answer := Nothing{header: e.header(nil), From: w.From, To: w.To, Mismatches: found, OfFields: []string{}, Unmapped: limits.FindMistyped(ctx, source, unmapped...)}
	for _, field := range slices.Concat(e.Rule.Search.Fields, q.others) {
		i := slices.IndexFunc(found.ByValue, func(v inspect.ValueCount) bool { return v.Field == field })
		if i < 0 {
			continue
		}
		value, err := e.value(ctx, source, found.ByValue[i], q)
		if err != nil {
			return answer, err
		}
		answer.Values = append(answer.Values, value)
	}
	if found.Events > 0 {
		answer.Of = answer.Values
	} else if rarest, ok := rarestOf(answer.Values); ok {
		answer.Of = []Value{rarest}
		if answer.Mismatches, err = inspect.FindMismatches(ctx, source.Opened, query.Range(w), query.Values{rarest.Field: {rarest.Value}}); err != nil {
			return answer, fmt.Errorf("of %s: %w", rarest.Field, err)
		}
	}
	for _, v := range answer.Of {
		answer.OfFields = append(answer.OfFields, v.Field)
	}
	return answer, nil
}

// rarestOf returns the value that the fewest events have; ok is false if one of the
// values has no event.
func rarestOf(values []Value) (rarest Value, ok bool) {
	for i, v := range values {
		if v.Events == 0 {
			return Value{}, false
		}
		if i == 0 || v.Events < rarest.Events {
			rarest = v
		}
	}
	return rarest, len(values) > 0
}

// value returns a value with the values similar to it.
func (e *Explainer) value(ctx context.Context, source *esquery.Source, of inspect.ValueCount, q question) (Value, error) {
	v := Value{ValueCount: of, Similar: slices.Clone(q.otherCase[of.Field])}
	v.OtherCase = len(v.Similar)
	text, ok := of.Value.(string)
	if !ok || of.Events > 0 {
		return v, nil
	}
	similar, notAllowed, err := inspect.Similar(ctx, source.Opened, e.around(q.window), of.Field, strings.TrimSpace(text))
	v.Similar, v.NoSimilar = append(v.Similar, similar...), notAllowed
	return v, err
}
