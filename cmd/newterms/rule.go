package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"

	"newterms/esquery"
	"newterms/job/rule"
)

// rule prints a rule, its compiled query and its requests, for a window of the
// rule's lookback and one made-up pair.
func (p program) rule(_ context.Context, args []string) error {
	paths, err := parseFlags(flag.NewFlagSet("rule", flag.ContinueOnError), args, 1)
	if err != nil {
		return err
	}
	rules, unusable := p.rules(paths, nil, p.settings.MissingTerms)
	for _, r := range rules {
		if err := p.showRule(r); err != nil {
			return errors.Join(unusable, err)
		}
	}
	return unusable
}

func (p program) showRule(r rule.Rule) error {
	out := forPeople{p.stdout}
	now := p.now().UTC()
	window := esquery.Range{From: now.Add(-r.Lookback), To: now}
	history := esquery.Range{From: window.From.Add(-r.History), To: window.From}
	pair := esquery.Candidate{First: now, Terms: make([]any, len(r.Search.Fields))}
	for i, field := range r.Search.Fields {
		pair.Terms[i] = "<" + field + ">"
	}
	requests, err := r.Search.Requests(window, history, []esquery.Candidate{pair})
	if err != nil {
		return err
	}
	timestamp := r.Search.Timestamp
	if r.Search.Fallback != "" {
		timestamp += ", else " + r.Search.Fallback
	}
	for _, line := range [][2]string{
		{"name", r.Name}, {"rule_id", r.ID}, {"severity", fmt.Sprintf("%v, risk score %v", r.Parameters["severity"], r.Parameters["risk_score"])},
		{"index", strings.Join(r.Search.Indices, ", ")}, {"new terms", strings.Join(r.Search.Fields, ", ")},
		{"history", r.History.String()}, {"lookback", r.Lookback.String() + " in the first run"},
		{"timestamp", timestamp}, {"query", strings.TrimSpace(r.QueryText)},
	} {
		fmt.Fprintf(out, "%-10s %s\n", line[0], line[1])
	}
	fmt.Fprintf(out, "\nRequests, with every field taken for a keyword; a run asks for the types first.\n")
	for _, request := range requests {
		body, err := json.MarshalIndent(request.Body, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n# %s\n%s\n%s\n", request.Name, request.Path, body)
	}
	return nil
}
