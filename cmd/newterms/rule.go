package main

import (
	"context"
	"errors"
	"flag"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/show"
	"newterms/job/rule"
	"newterms/job/rule/page"
)

const ruleHelp = `prints a rule on a page, without a cluster

  newterms rule [PATH] [FLAG]...

The page has ATT&CK, query, exclusions, indicators and the triage guide. Without
PATH it prints the rules in NEWTERMS_RULES, or else the built-in rule.

  newterms rule rules/proxy.toml --requests
`

// ruleFlags are the flags of `newterms rule`.
type ruleFlags struct {
	requests bool
	among    string
	output   commandline.Choice[show.Format]
}

// rule prints the pages of rules.
func (p program) rule(ctx context.Context, args []string) error {
	var f ruleFlags
	flags := flag.NewFlagSet("rule", flag.ContinueOnError)
	flags.BoolVar(&f.requests, "requests", false, "add the requests that a run would send\ndefault: off; example: newterms rule --requests")
	f.output.Define(flags, "output", printAs, show.Text, show.JSON)
	commandline.Text(flags, &f.among, "among", "it is empty: name a folder of rules", "count the rules of a `FOLDER` with the same indicators\ndefault: none; example: --among rules/")
	paths, err := commandline.Parse(flags, args, 1)
	if err != nil {
		return err
	}
	rules, unusable := p.loadRules(paths, nil, p.settings.MissingTerms)
	var others []rule.Rule
	if f.among != "" {
		library, err := rule.Read(f.among)
		if others = library.Rules; len(others) == 0 {
			return errors.Join(unusable, err)
		}
	}
	for _, r := range rules {
		described, err := p.page(ctx, r, f)
		if err == nil && f.among != "" {
			among := page.Compare(r, others)
			described.Among = &among
		}
		if err == nil {
			err = show.Page{Page: described}.Print(p.stdout, f.output.Value)
		}
		if err != nil {
			return errors.Join(unusable, err)
		}
	}
	return unusable
}

// page describes a rule. For JSON it asks the cluster, if there is one, for the types of
// the fields; otherwise every field counts as a keyword.
func (p program) page(ctx context.Context, r rule.Rule, f ruleFlags) (page.Page, error) {
	now := p.now().UTC()
	if f.output.Value == show.JSON && p.settings.HasCluster() {
		client, err := p.connect()
		if err != nil {
			return page.Page{}, err
		}
		return page.OnCluster(ctx, client, r, now)
	}
	described := page.Of(r, now)
	var err error
	if f.output.Value == show.JSON || f.requests {
		described.Requests, err = page.Requests(r, now)
	}
	return described, err
}
