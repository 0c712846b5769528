package cases

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
	"newterms/job/rule"
)

// A Mutation is a small change of a rule.
type Mutation struct {
	What    string `json:"change"`  // such as "without the clause okta.severity: HIGH"
	Noticed bool   `json:"noticed"` // by a case, which does not hold then

	rule rule.Rule
}

// mutations are those of a rule. It is safe for concurrent use.
type mutations struct {
	mu  sync.Mutex
	all []Mutation
}

// newMutations returns the mutations of a rule.
func newMutations(r rule.Rule) (*mutations, error) {
	m := &mutations{}
	add := func(what string, change func(*rule.Rule)) {
		changed := r
		changed.Parameters = maps.Clone(r.Parameters)
		change(&changed)
		m.all = append(m.all, Mutation{What: what, rule: changed})
	}
	clauses := r.Search.Query.Conjuncts()
	for i, c := range clauses {
		rest, err := joined(without(clauses, i))
		if err != nil {
			return nil, fmt.Errorf("rule %s: leave out %s: %w", r.Name, c, err)
		}
		add("without the clause "+c.String(), func(r *rule.Rule) { r.Search.Query = rest })
	}
	for i := range r.Search.Filters {
		add(fmt.Sprintf("without filter %d", i+1), func(r *rule.Rule) { r.Search.Filters = without(r.Search.Filters, i) })
	}
	for i, e := range r.Search.Exceptions {
		add("without the exception "+e.Name, func(r *rule.Rule) { r.Search.Exceptions = without(r.Search.Exceptions, i) })
	}
	for i, q := range r.Search.Exclude {
		add("without the exclusion "+q.String(), func(r *rule.Rule) { r.Search.Exclude = without(r.Search.Exclude, i) })
	}
	for _, history := range []time.Duration{r.History / 2, r.History * 2} {
		add("with a history of "+words.Span(history), func(r *rule.Rule) { r.History = history })
	}
	if fields := r.Search.Fields; len(fields) > 1 {
		turned := slices.Clone(fields)
		slices.Reverse(turned)
		add("with the new-terms fields in the order "+strings.Join(turned, ", "), func(r *rule.Rule) { setFields(r, turned) })
		for i, field := range fields {
			add("without the new-terms field "+field, func(r *rule.Rule) { setFields(r, without(fields, i)) })
		}
	}
	other := "include"
	if r.Search.MissingTerms {
		other = "skip"
	}
	add("with --missing-terms "+other, func(r *rule.Rule) { r.Search.MissingTerms = !r.Search.MissingTerms })
	return m, nil
}

func setFields(r *rule.Rule, fields []string) {
	r.Search.Fields, r.Parameters["new_terms_fields"] = fields, fields
}

func without[T any](list []T, i int) []T { return slices.Delete(slices.Clone(list), i, i+1) }

// joined returns a query that matches what all of some clauses match.
func joined(clauses []kql.Query) (kql.Query, error) {
	texts := make([]string, len(clauses))
	for i, c := range clauses {
		texts[i] = "(" + c.String() + ")"
	}
	return kql.Parse(strings.Join(texts, " and "))
}

// unnoticed returns the positions of the mutations that no case has noticed yet.
func (m *mutations) unnoticed() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var left []int
	for i, one := range m.all {
		if !one.Noticed {
			left = append(left, i)
		}
	}
	return left
}

// mutate runs the mutations that no case has noticed yet. One that the rule's fields do
// not allow is noticed.
func (t *trial) mutate(ctx context.Context, m *mutations) error {
	for _, i := range m.unnoticed() {
		changed := m.all[i].rule
		changed.Search.Indices = t.rule.Search.Indices
		if changed.Search.MissingTerms == t.usual { // the case decides, unless that is the change
			changed.Search.MissingTerms = t.rule.Search.MissingTerms
		} else {
			changed.Search.MissingTerms = !t.rule.Search.MissingTerms
		}
		got, _, err := t.run(ctx, changed, nil)
		var lost *elastic.NoAnswerError
		if ctx.Err() != nil || errors.As(err, &lost) {
			return err
		}
		if err != nil || len(compare(t.expected, got)) > 0 {
			m.mu.Lock()
			m.all[i].Noticed = true
			m.mu.Unlock()
		}
	}
	return nil
}
