package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"

	"newterms/esquery"
	"newterms/job/rule"
)

// ruleFlags are what `newterms rule` was told.
type ruleFlags struct {
	requests bool
	output   string
	among    string
}

// rulePage is what `newterms rule --output json` prints of a rule.
type rulePage struct {
	rule.Page
	Among *rule.Among `json:"among,omitempty"`
	// Types are asked of the cluster, if there is one.
	Types    map[string][]string `json:"field_types,omitempty"`
	Requests []esquery.Request   `json:"requests,omitempty"`
}

// rule prints the pages of rules.
func (p program) rule(ctx context.Context, args []string) error {
	var f ruleFlags
	flags := flag.NewFlagSet("rule", flag.ContinueOnError)
	flags.BoolVar(&f.requests, "requests", false, "")
	flags.StringVar(&f.output, "output", "text", "")
	flags.StringVar(&f.among, "among", "", "")
	paths, err := parseFlags(flags, args, 1)
	if err != nil {
		return err
	}
	if isGiven(flags, "among") && f.among == "" {
		return usageError{errors.New("--among: it is empty: name a folder of rules")}
	}
	if f.output != "text" && f.output != "json" {
		return usageError{fmt.Errorf("--output: %q is neither text nor json", f.output)}
	}
	rules, unusable := p.rules(paths, nil, p.settings.MissingTerms)
	var others []rule.Rule
	if f.among != "" {
		library, err := rule.Read(f.among)
		if others = library.Rules; len(others) == 0 {
			return errors.Join(unusable, err)
		}
	}
	for _, r := range rules {
		page, err := p.page(ctx, r, f)
		if err == nil && f.among != "" {
			among := rule.CompareAmong(r, others)
			page.Among = &among
		}
		if err == nil {
			err = p.printPage(page, f)
		}
		if err != nil {
			return errors.Join(unusable, err)
		}
	}
	return unusable
}

func (p program) printPage(page rulePage, f ruleFlags) error {
	if f.output == "json" {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(page)
	}
	_, err := fmt.Fprint(forPeople{p.stdout}, page.text())
	return err
}

// page collects what there is to say. For JSON it asks the cluster, if there is
// one, which types the fields have; else every field is taken for a keyword.
func (p program) page(ctx context.Context, r rule.Rule, f ruleFlags) (rulePage, error) {
	page := rulePage{Page: r.Page()}
	now := p.now().UTC()
	window := esquery.Range{From: now.Add(-r.Lookback), To: now}
	history := esquery.Range{From: window.From.Add(-r.History), To: window.From}
	pair := esquery.Candidate{First: now, Terms: make([]any, len(r.Search.Fields))}
	for i, field := range r.Search.Fields {
		pair.Terms[i] = "<" + field + ">"
	}
	var err error
	switch {
	case f.output == "json" && len(p.settings.URLs)+len(p.settings.CloudID) > 0:
		client, err := p.connect()
		if err != nil {
			return page, err
		}
		source, err := esquery.Open(ctx, client, r.Search)
		if err != nil {
			return page, fmt.Errorf("rule %s: %w", r.Name, err)
		}
		page.Types, page.Requests = source.Types(), source.Requests(window, history, []esquery.Candidate{pair})
	case f.output == "json" || f.requests:
		page.Requests, err = r.Search.Requests(window, history, []esquery.Candidate{pair})
	}
	return page, err
}
