package main

import (
	"context"
	"errors"
	"flag"
	"math"

	"newterms/alerts/runs"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/show"
	"newterms/job/rule"
	"newterms/words"
)

const rulesHelp = `lists the rules that would run, with their last runs

  newterms rules [PATH]... [FLAG]...

With a cluster it has the state of the scheduled runs, a run by hand if that was
the last one, and the age of the newest alert. Without one it has the rest.

  newterms rules rules/ --output json
`

// listRules prints the rules that would run.
func (p program) listRules(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rules", flag.ContinueOnError)
	var output outputFlag
	output.define(flags, show.Table, show.JSON)
	paths, err := commandline.Parse(flags, args, math.MaxInt)
	if err != nil {
		return err
	}
	if err := output.check(); err != nil {
		return err
	}
	rules, unusable := p.loadRules(paths, nil, p.settings.MissingTerms)
	all := make([]show.Rule, len(rules))
	for i, r := range rules {
		all[i] = show.Rule{
			ID: r.ID, Name: r.Name, Source: r.Source, Fields: r.Search.Fields, History: words.Span(r.History), Indices: r.Search.Indices, Exceptions: len(r.Search.Exclude) + len(r.Search.Exceptions),
		}
	}
	hasCluster := p.settings.HasCluster()
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
	latest, err := store.LastRuns(ctx, ids)
	if err != nil {
		return err
	}
	newest, err := store.LastAlerts(ctx, ids)
	if err != nil {
		return err
	}
	for i := range all {
		last := latest[i]
		if all[i].State, all[i].Error = last.State, last.Error; last.State != "" {
			all[i].LastRun = &last.At
		}
		all[i].Scheduled = show.NewRun(last.Scheduled)
		if last.Type == runs.Manual {
			if last.Terminated { // which its user knows
				last.State, last.Error = "stopped", ""
			}
			all[i].ByHand = show.NewRun(last.StoredRun)
		}
		if !newest[i].IsZero() {
			all[i].LastAlert = &newest[i]
		}
	}
	return nil
}
