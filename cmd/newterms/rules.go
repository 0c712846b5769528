package main

import (
	"context"
	"errors"
	"flag"
	"math"

	"newterms/cmd/newterms/show"
	"newterms/job/rule"
)

const rulesHelp = `  newterms rules  [PATH]... [--output table|json]
                  lists what would run: fields, history, indices, exceptions
                  and, with a cluster, the last run and alert of each
`

// listRules prints the rules that would run.
func (p program) listRules(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rules", flag.ContinueOnError)
	var output outputFlag
	output.define(flags, show.Table, show.JSON)
	paths, err := parseFlags(flags, args, math.MaxInt)
	if err != nil {
		return err
	}
	if err := output.check(); err != nil {
		return err
	}
	rules, unusable := p.loadRules(paths, nil, p.settings.MissingTerms)
	all := make([]show.Rule, len(rules))
	for i, r := range rules {
		page := r.Page(p.now())
		all[i] = show.Rule{
			ID: r.ID, Name: r.Name, Source: r.Source, Fields: r.Search.Fields, History: page.History, Indices: r.Search.Indices, Exceptions: len(r.Search.Exclude) + len(r.Search.Exceptions),
		}
	}
	hasCluster := len(p.settings.URLs)+len(p.settings.CloudID) > 0
	if hasCluster {
		if err := p.addLastRuns(ctx, rules, all); err != nil {
			return errors.Join(unusable, err)
		}
	}
	return errors.Join(unusable, show.Rules(p.stdout, all, hasCluster, p.now(), output.output))
}

// addLastRuns adds the last run and alert of each rule, in two searches.
func (p program) addLastRuns(ctx context.Context, rules []rule.Rule, all []show.Rule) error {
	client, err := p.connect()
	if err != nil {
		return err
	}
	ids := make([]string, len(rules))
	for i, r := range rules {
		ids[i] = r.ID
	}
	store := p.store(client)
	runs, err := store.LastRuns(ctx, ids)
	if err != nil {
		return err
	}
	newest, err := store.LastAlerts(ctx, ids)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].State, all[i].Error = runs[i].State, runs[i].Error; runs[i].State != "" {
			all[i].LastRun = &runs[i].At
		}
		if !newest[i].IsZero() {
			all[i].LastAlert = &newest[i]
		}
	}
	return nil
}
