package page

import (
	"slices"

	"newterms/esquery/kql"
	"newterms/job/rule"
)

// Among is what other rules have in common with one.
type Among struct {
	Rules int `json:"rules"` // number of other rules
	// Same counts, for each indicator and each of its values in order, the other rules
	// that look for it in the same field and way. An exists clause has one count.
	Same [][]int `json:"same"`
	// Actions names the rules that look for one of the same event types.
	Actions []string `json:"same_action"`
}

// Compare compares the indicators of a rule with those of others. It skips the
// rule itself, by its id.
func Compare(r rule.Rule, others []rule.Rule) Among {
	p := withoutExceptions(r)
	a := Among{Same: make([][]int, len(p.Indicators))}
	for i, c := range p.Indicators {
		a.Same[i] = make([]int, max(1, len(c.Values)))
	}
	for _, other := range others {
		if other.ID == r.ID {
			continue
		}
		a.Rules++
		theirs := withoutExceptions(other).Indicators
		sameAction := false
		for i, c := range p.Indicators {
			for v := range a.Same[i] {
				if !slices.ContainsFunc(theirs, func(t kql.Clause) bool { return looksForSame(c, v, t) }) {
					continue
				}
				a.Same[i][v]++
				sameAction = sameAction || slices.Contains(actionFields(), c.Field) && !c.Not && c.Kind != "exists"
			}
		}
		if sameAction {
			a.Actions = append(a.Actions, other.Name)
		}
	}
	return a
}

// actionFields are the fields that name what happened.
func actionFields() []string { return []string{"event.action", "event.code", "okta.event_type"} }

func looksForSame(c kql.Clause, value int, other kql.Clause) bool {
	kind := func(kind string) string {
		if kind == "in" {
			return "eq"
		}
		return kind
	}
	if c.Field != other.Field || kind(c.Kind) != kind(other.Kind) || c.Not != other.Not {
		return false
	}
	return len(c.Values) == 0 || slices.Contains(other.Values, c.Values[value])
}
