// Package page describes a rule to an analyst who must judge it, and compares it with
// others.
package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"newterms/alerts/alert"
	"newterms/esquery"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job/rule"
	"newterms/job/rule/document"
)

// A Page is what an analyst must know about a rule to judge it.
type Page struct {
	Name           string         `json:"name"`
	ID             string         `json:"rule_id"`
	Source         string         `json:"source"`
	Status         string         `json:"status"`
	BuildingBlock  bool           `json:"building_block,omitempty"`
	Severity       string         `json:"severity"`
	RiskScore      any            `json:"risk_score"`
	Index          []string       `json:"index"`
	NewTerms       []string       `json:"new_terms"`
	History        string         `json:"history"` // 7 days
	Lookback       string         `json:"lookback"`
	Timestamp      string         `json:"timestamp"`
	Fallback       string         `json:"timestamp_fallback,omitempty"`
	TimeClauses    []string       `json:"time_clauses,omitempty"` // limits of the rule's own, on the window and the history
	Overrides      []string       `json:"overrides,omitempty"`    // event fields that give an alert its rule name, risk score or severity
	MaxSignals     any            `json:"max_signals,omitempty"`  // without effect
	Tactics        []Tactic       `json:"attack"`
	Query          string         `json:"query"`
	Exclusions     [][]kql.Clause `json:"exclusions"` // each excludes the events that match all its clauses
	Indicators     []kql.Clause   `json:"indicators"`
	Exceptions     []Exception    `json:"exceptions"` // of settings and lists
	Investigate    []string       `json:"investigation_fields,omitempty"`
	Description    string         `json:"description,omitempty"`
	FalsePositives []string       `json:"false_positives,omitempty"`
	Guide          string         `json:"guide,omitempty"` // Markdown
	// Among is a comparison with other rules, if somebody asks for it.
	Among *Among `json:"among,omitempty"`
	// Types are the cluster's types of the fields, if there is a cluster.
	Types    map[string][]string `json:"field_types,omitempty"`
	Requests []esquery.Request   `json:"requests,omitempty"`
}

// A Tactic is one of MITRE ATT&CK, with the techniques that the rule covers.
type Tactic struct {
	Technique
	Techniques []Technique `json:"techniques,omitempty"`
}

// A Technique of MITRE ATT&CK, or a tactic or sub-technique.
type Technique struct {
	ID            string      `json:"id"`
	Name          string      `json:"name"`
	Subtechniques []Technique `json:"subtechniques,omitempty"`
}

// Of describes a rule, with its exclusions and exceptions. It marks the exceptions that
// have expired by now.
func Of(r rule.Rule, now time.Time) Page {
	p := withoutExceptions(r)
	p.Exceptions = exceptionsAt(r, now)
	return p
}

func withoutExceptions(r rule.Rule) Page {
	text := func(name string) string { s, _ := r.Parameters[name].(string); return s }
	p := Page{
		Name: r.Name, ID: r.ID, Source: r.Source, Status: r.Status, BuildingBlock: text("building_block_type") != "",
		Severity: text("severity"), RiskScore: r.Parameters["risk_score"], Index: r.Search.Indices, NewTerms: r.Search.Fields,
		History: words.Span(r.History), Lookback: words.Span(r.Lookback), Timestamp: r.Search.Timestamp, Fallback: r.Search.Fallback,
		Overrides: overrideFields(r), MaxSignals: r.Parameters["max_signals"], Tactics: tactics(r.Parameters["threat"]), Query: strings.TrimSpace(r.QueryText),
		Exclusions: r.Search.Query.Exclusions(), Indicators: r.Search.Query.Indicators(), Guide: strings.TrimSpace(text("note")),
		Description: strings.TrimSpace(text("description")),
	}
	p.FalsePositives, _ = document.Texts(r.Parameters["false_positives"])
	if fields, ok := r.Parameters["investigation_fields"].(map[string]any); ok {
		p.Investigate, _ = document.Texts(fields["field_names"])
	}
	for _, f := range r.Search.Filters {
		if c := filterClauses(f); f.Negate {
			p.Exclusions = append(p.Exclusions, c)
		} else {
			p.Indicators = append(p.Indicators, c...)
		}
	}
	for _, c := range r.Search.TimeClauses() {
		p.TimeClauses = append(p.TimeClauses, c.Text)
	}
	return p
}

func overrideFields(r rule.Rule) []string {
	o, err := alert.OverridesOf(r.Parameters)
	if err != nil { // refused by the loader
		return nil
	}
	return o.Fields()
}

func tactics(threat any) []Tactic {
	var all []Tactic
	tables, _ := document.Tables(threat)
	for _, table := range tables {
		tactic, _ := table["tactic"].(map[string]any)
		all = append(all, Tactic{technique(tactic), techniques(table["technique"])})
	}
	return all
}

func techniques(value any) []Technique {
	var all []Technique
	tables, _ := document.Tables(value)
	for _, table := range tables {
		t := technique(table)
		t.Subtechniques = techniques(table["subtechnique"])
		all = append(all, t)
	}
	return all
}

func technique(table map[string]any) Technique {
	id, _ := table["id"].(string)
	name, _ := table["name"].(string)
	return Technique{ID: id, Name: name}
}

// filterClauses returns a filter as clauses; its wildcards are Elasticsearch's.
func filterClauses(f query.Filter) []kql.Clause {
	var clauses []kql.Clause
	if f.Any && slices.ContainsFunc(f.Of, func(of query.Filter) bool { return of.Query == nil && len(of.Of) == 0 }) {
		return nil // every event matches it
	}
	if phrases := phrasesOf(f); len(phrases) > 0 {
		return []kql.Clause{{Field: f.Field, Kind: "in", Values: phrases}}
	}
	for _, of := range f.Of {
		for _, c := range filterClauses(of) {
			c.Not = c.Not != of.Negate
			clauses = append(clauses, c)
		}
	}
	kinds := map[string]string{"term": "eq", "match": "eq", "match_phrase": "eq", "terms": "in", "prefix": "starts_with"}
	for _, kind := range slices.Sorted(maps.Keys(f.Query)) {
		body, _ := f.Query[kind].(map[string]any)
		if kind == "exists" {
			clauses = append(clauses, kql.Clause{Field: fmt.Sprint(body["field"]), Kind: kind})
			continue
		}
		named := kinds[kind]
		if named == "" {
			named = kind
		}
		for _, field := range slices.Sorted(maps.Keys(body)) {
			clauses = append(clauses, kql.Clause{Field: field, Kind: named, Values: filterValues(body[field])})
		}
	}
	return clauses
}

// phrasesOf returns the values of a filter of several phrases.
func phrasesOf(f query.Filter) []string {
	body, _ := f.Query["bool"].(map[string]any)
	should, _ := document.Tables(body["should"])
	var phrases []string
	for _, one := range should {
		if match, ok := one["match_phrase"].(map[string]any); ok && f.Field != "" {
			phrases = append(phrases, filterValues(match[f.Field])...)
		}
	}
	return phrases
}

func filterValues(value any) []string {
	switch v := value.(type) {
	case []any:
		var values []string
		for _, element := range v {
			values = append(values, fmt.Sprint(element))
		}
		return values
	case map[string]any:
		for _, name := range []string{"value", "query"} {
			if inner, ok := v[name]; ok {
				return filterValues(inner)
			}
		}
		var bounds []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			bounds = append(bounds, fmt.Sprintf("%s %v", name, v[name]))
		}
		return bounds
	}
	return []string{fmt.Sprint(value)}
}
