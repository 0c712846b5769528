package query

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A ConditionKind is the origin of a Condition.
type ConditionKind string

// The kinds of conditions.
const (
	OfQuery   ConditionKind = "query"     // a clause of the rule's query, which must match
	OfFilter  ConditionKind = "filter"    // of the rule, which must match
	Exclusion ConditionKind = "exclusion" // must not match
	TermField ConditionKind = "term"      // a new-terms field that must be present
)

// A Condition is one that an event must fulfil to have a pair.
type Condition struct {
	Kind  ConditionKind `json:"kind"`
	Text  string        `json:"text"` // KQL, a filter in Query DSL, or the name of the field
	Query DSL           `json:"-"`    // matches the events that fulfil it
}

// maxExclusions is how many exclusions are conditions of their own.
const maxExclusions = 100

// Conditions lists the clauses of the query, the filters, the exclusions and the
// new-terms fields, in this order. Many exclusions are one condition together.
func (o *Opened) Conditions() ([]Condition, error) {
	clauses, err := o.ruleClauses()
	if err != nil {
		return nil, err
	}
	var all []Condition
	for _, c := range clauses {
		if c.negate {
			all = append(all, Condition{c.kind, "not " + c.text, Not(c.query)})
		} else {
			all = append(all, Condition{c.kind, c.text, c.query})
		}
	}
	if n := len(o.Search.Exclude) + len(o.Search.Exceptions); n > maxExclusions {
		excluding, err := o.Search.excluding(o.Mapping.Fields)
		if err != nil {
			return nil, err
		}
		all = append(all, Condition{Exclusion, fmt.Sprintf("one of the %d exclusions", n), Not(AnyOf(excluding))})
	} else {
		exclusions, err := o.exclusions()
		if err != nil {
			return nil, err
		}
		for _, c := range exclusions {
			all = append(all, Condition{c.kind, c.text, Not(c.query)})
		}
	}
	if !o.Search.MissingTerms {
		for _, field := range o.Search.Fields {
			all = append(all, Condition{TermField, field, Exists(field)})
		}
	}
	return all, nil
}

// A clause of a search, with its query as it was written.
type clause struct {
	kind   ConditionKind
	text   string
	query  DSL
	negate bool // a filter that an event must not match
}

// ruleClauses returns the clauses that the rule's query joins with "and", and the
// filters.
func (o *Opened) ruleClauses() ([]clause, error) {
	var all []clause
	known := o.Search.known(o.Mapping.Fields)
	loaded := slices.Collect(maps.Keys(known))
	for _, q := range o.Search.Query.Conjuncts() {
		query, err := q.Compile(o.Mapping.Fields, loaded...)
		if err != nil {
			return nil, err
		}
		all = append(all, clause{OfQuery, q.String(), query, false})
	}
	for _, f := range o.Search.Filters {
		query := f.compile(known)
		text, err := json.Marshal(query)
		if err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		}
		all = append(all, clause{OfFilter, string(text), query, f.Negate})
	}
	return all, nil
}

// exclusions returns the exclusions and exceptions. An event must match none.
func (o *Opened) exclusions() ([]clause, error) {
	var all []clause
	for _, q := range o.Search.Exclude {
		query, err := CompileExclusion(q, o.Mapping.Fields)
		if err != nil {
			return nil, err
		}
		all = append(all, clause{kind: Exclusion, text: q.String(), query: query})
	}
	for _, e := range o.Search.Exceptions {
		all = append(all, clause{kind: Exclusion, text: e.Name, query: e.Compile(o.Mapping.Fields)})
	}
	return all, nil
}
