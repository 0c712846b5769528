package job

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/job/rule"
)

// An Explainer says why pairs have alerts, or have none. It reads what a run
// reads, judges by the same definition, and writes nothing.
type Explainer struct {
	Rule  rule.Rule // with the settings applied to its search
	Open  func(context.Context, esquery.Search) (*esquery.Source, error)
	Store *alerts.Store
	Warn  func(error) // is given a *PassedOver, *TimeLimited or *LackingTerms
}

// An Explanation is of one pair, in a window and in the history before it.
type Explanation struct {
	Terms  []any // one for each new-terms field
	Window Window
	// Since is where the history begins: all that follows is of [Since, Window.To).
	Since       time.Time
	Events      int64     // matching events of the pair
	First, Last time.Time // of these; zero if there is none
	Days        []Day     // with events, in order
	// Occurrences are in order: the pair's first event in the window, and each
	// later one that is a first occurrence, has an alert, or follows a day without
	// any event.
	Occurrences []Occurrence
	// Others are alerts first seen in the window, at a time that is no occurrence:
	// a run over the same data would not write them now.
	Others []alerts.Existing
	// SameLetters are, by field, values that differ by letter case from the one that
	// was asked for: they make other pairs. The events are of [Since, Window.To).
	SameLetters map[string][]esquery.SimilarValue
}

// A Day counts the events of a UTC day.
type Day struct {
	Day    time.Time
	Events int64
}

// An Occurrence is an event of a pair, and the verdict about it.
type Occurrence struct {
	At              time.Time
	FirstOccurrence bool
	// LastSeen is when the pair was seen before, zero if it was not in the
	// history; and Before the event of that time.
	LastSeen time.Time
	Event    *esquery.Event // without its content
	Before   *esquery.Event // nil if LastSeen is zero
	// Alert is the one because of which a run counts a first occurrence as already
	// alerted, or which was first seen at the time of what is none; else nil.
	Alert *alerts.Existing
	// Looks are the runs that have, or should have, looked at a first occurrence
	// without an alert, the newest first.
	Looks []alerts.Look
}

// silence is how long a pair must be away for its return to be told, even if it
// is no first occurrence.
const silence = 24 * time.Hour

// explainedAtOnce is how many pairs are explained together.
const explainedAtOnce = 200

// Explain gives to each the explanation of every pair that has the values and
// matching events in the window; if there is none, of those that have some in
// the history before it, and then it returns what stands in the way. The values
// are of some or all new-terms fields, one for each.
func (e *Explainer) Explain(ctx context.Context, values esquery.Values, w Window, each func(Explanation) error) (*Obstacles, error) {
	source, err := e.Open(ctx, e.Rule.Search)
	if err != nil {
		return nil, err
	}
	if passedOver := source.PassedOver(); len(passedOver) > 0 {
		e.Warn(&PassedOver{passedOver})
	}
	if clauses := e.Rule.Search.TimeClauses(); len(clauses) > 0 {
		e.Warn(&TimeLimited{clauses})
	}
	letters, err := e.sameLetters(ctx, source, values, w)
	if err != nil {
		return nil, err
	}
	withLetters := func(x Explanation) error {
		x.SameLetters = letters
		return each(x)
	}
	pairs, err := e.explainIn(ctx, source, asked{values, letters}, w, w, withLetters)
	if err != nil || pairs > 0 {
		return nil, err
	}
	if _, err = e.explainIn(ctx, source, asked{values, letters}, Window{w.From.Add(-e.Rule.History), w.From}, w, withLetters); err != nil {
		return nil, err
	}
	return e.obstacles(ctx, source, values, w, letters)
}

// explainIn explains the pairs that have matching events in a range.
func (e *Explainer) explainIn(ctx context.Context, source *esquery.Source, asked asked, in, w Window, each func(Explanation) error) (pairs int, err error) {
	lacking := LackingTerms{ByField: map[string]int64{}, Ignored: map[string]int64{}}
	for page, err := range source.Having(asked.values).Candidates(ctx, in.timeRange()) {
		if err != nil {
			return pairs, err
		}
		lacking.add(page.Lacking)
		candidates := slices.DeleteFunc(page.Candidates, func(c esquery.Candidate) bool { return !asked.isFor(e.Rule.Search.Fields, c, source.Types()) })
		pairs += len(candidates)
		for some := range slices.Chunk(candidates, explainedAtOnce) {
			explanations, err := e.explain(ctx, source, some, w)
			if err != nil {
				return pairs, err
			}
			for _, x := range explanations {
				if err := each(x); err != nil {
					return pairs, fmt.Errorf("print the explanation: %w", err)
				}
			}
		}
	}
	if lacking.Any > 0 && pairs > 0 { // else it is one of the obstacles
		e.Warn(&lacking)
	}
	return pairs, nil
}

// asked is what explanations are asked for: values, and those that differ from
// them by letter case, which are others.
type asked struct {
	values  esquery.Values
	letters map[string][]esquery.SimilarValue
}

// isFor drops pairs of events that have a value which was asked for, and in the
// same array another one.
func (a asked) isFor(fields []string, c esquery.Candidate, types map[string][]string) bool {
	for i, field := range fields {
		asked, ok := a.values[field]
		isIP := slices.Contains(types[field], "ip")
		isOther := slices.ContainsFunc(a.letters[field], func(other esquery.SimilarValue) bool { return c.Terms[i] == other.Value })
		switch {
		case !ok:
		case isIP && isInNetwork(c.Terms[i], asked[0]):
		case isOther, !isSameTerm(c.Terms[i], asked[0]):
			return false
		}
	}
	return true
}

// isInNetwork reports whether a term is an address of the network, or the address,
// that was asked for. As in Elasticsearch, an IPv4 address that is mapped to IPv6
// is the IPv4 address.
func isInNetwork(term, asked any) bool {
	text, _ := asked.(string)
	address, err := netip.ParseAddr(fmt.Sprint(term))
	if err != nil {
		return false
	}
	if one, err := netip.ParseAddr(text); err == nil {
		return one.Unmap() == address.Unmap()
	}
	network, err := netip.ParsePrefix(text)
	return err == nil && network.Contains(address.Unmap())
}

// isSameTerm compares a term with one as people write it, which Elasticsearch
// may read in another form: a number, a date, a value that the mapping turns to
// lower case.
func isSameTerm(term, asked any) bool {
	if term == nil || asked == nil {
		return term == asked
	}
	a, b := fmt.Sprint(term), fmt.Sprint(asked)
	if strings.EqualFold(a, b) {
		return true
	}
	if _, isNumber := term.(json.Number); isNumber {
		x, _ := strconv.ParseFloat(a, 64) // it is a number
		y, err := strconv.ParseFloat(b, 64)
		return err != nil || x == y // a date is written in many ways
	}
	return false
}
