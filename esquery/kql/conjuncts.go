package kql

import "strings"

// Conjuncts returns the parts that the query joins with "and" at the top: an event
// matches the query if it matches each of them. A query without such an "and" is its
// own only conjunct, and the empty query has none.
func (q Query) Conjuncts() []Query {
	if q.root == nil {
		return nil
	}
	return conjunctsOf(q, []rune(q.text))
}

func conjunctsOf(q Query, text []rune) []Query {
	c, ok := q.root.(chain)
	if !ok || c.or || c.spans == nil {
		return []Query{{root: q.root, text: strings.TrimSpace(q.text)}}
	}
	var conjuncts []Query
	for i, n := range c.nodes {
		conjuncts = append(conjuncts, conjunctsOf(Query{root: n, text: string(text[c.spans[i].from:c.spans[i].to])}, text)...)
	}
	return conjuncts
}
