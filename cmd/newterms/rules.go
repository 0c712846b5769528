package main

import (
	"context"
	"errors"
	"flag"
	"math"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/job/cases"
	"newterms/job/lint"
	"newterms/job/overview"
	"newterms/job/rule"
)

const rulesHelp = `lists the rules that would run, with their last runs

  newterms rules [PATH]... [FLAG]...

With a cluster it shows the state of the scheduled runs, a later run by hand,
and the age of the newest alert. Without one it lists the rules alone.

With --check it only checks the files of rules and their cases, without a
cluster, and prints each problem as FILE:LINE: TEXT. It exits with 65 if there
are any.

  newterms rules rules/ --output json
  newterms rules rules/ --check
`

// listRules prints the rules that would run.
func (p program) listRules(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rules", flag.ContinueOnError)
	var output commandline.Choice[show.Format]
	output.Define(flags, "output", printAs, show.Table, show.JSON)
	check := flags.Bool("check", false, "check the files, and list no rules\ndefault: off; example: newterms rules rules/ --check")
	mappingOf := ""
	commandline.Text(flags, &mappingOf, "mapping-of", emptyMapping, "with --check: name fields that the indices of a `PATTERN` do not map, or a .json file that has an answer of GET INDEX/_mapping\ndefault: none; example: --mapping-of okta.json")
	paths, err := commandline.Parse(flags, args, math.MaxInt)
	if err != nil {
		return err
	}
	switch {
	case mappingOf != "" && !*check:
		return failure.Usagef("--mapping-of needs --check: add it, or leave out --mapping-of")
	case *check && commandline.IsGiven(flags, "output"):
		return failure.Usagef("--check prints text: leave out --output")
	case *check:
		return p.checkRules(ctx, paths, mappingOf)
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

// checkRules prints what is wrong with the files of rules and cases.
func (p program) checkRules(ctx context.Context, paths []string, mappingOf string) error {
	exclude, err := p.settings.Exclusions()
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = p.settings.Rules
	}
	report := lint.Check(paths, rule.Settings{Indices: p.settings.Index, Exclude: exclude}, p.now())
	if mappingOf != "" {
		types, err := cases.TypesLike(ctx, mappingOf, report.Suites, p.connect)
		if err != nil {
			return err
		}
		report.AddUnknown(types, mappingOf)
	}
	if err := show.Lint(p.stdout, report); err != nil {
		return err
	}
	if report.Problems() > 0 {
		return &failure.Reported{Exit: failure.ExitRule}
	}
	return nil
}
