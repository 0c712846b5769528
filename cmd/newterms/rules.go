package main

import (
	"context"
	"errors"
	"flag"
	"math"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/show"
	"newterms/job/overview"
)

const rulesHelp = `lists the rules that would run, with their last runs

  newterms rules [PATH]... [FLAG]...

With a cluster it shows the state of the scheduled runs, a later run by hand,
and the age of the newest alert. Without one it lists the rules alone.

  newterms rules rules/ --output json
`

// listRules prints the rules that would run.
func (p program) listRules(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rules", flag.ContinueOnError)
	var output commandline.Choice[show.Format]
	output.Define(flags, "output", printAs, show.Table, show.JSON)
	paths, err := commandline.Parse(flags, args, math.MaxInt)
	if err != nil {
		return err
	}
	if err := output.Check(); err != nil {
		return err
	}
	rules, unusable := p.loadRules(paths, nil, p.settings.MissingTerms)
	all := overview.Of(rules)
	if p.settings.HasCluster() {
		client, err := p.connect()
		if err == nil {
			err = overview.AddRuns(ctx, p.store(client), all)
		}
		if err != nil {
			return errors.Join(unusable, err)
		}
	}
	return errors.Join(unusable, show.Rules(p.stdout, all, p.settings.HasCluster(), p.now(), output.Value))
}
