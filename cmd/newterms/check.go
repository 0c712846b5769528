package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/esquery/kibana"
	"newterms/job/check"
	"newterms/job/rule"
)

const checkHelp = `checks whether a run would work, and advises if not

  newterms check [FLAG]...

It checks the server, privileges, targets, events and the last run, and the
effect of each exclusion. It writes nothing, and exits with 0 or with the code
of the worst error.

  newterms check --rule rules/proxy.toml
  newterms check --exclude 'okta.actor.id: 00u1'
`

func (p program) check(ctx context.Context, args []string) error {
	var paths commandline.Strings
	var exclusions exclusionFlags
	var output commandline.Choice[show.Format]
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.Var(&paths, "rule", ruleUsage)
	exclusions.define(flags)
	output.Define(flags, "output", printAs, show.Text, show.JSON)
	if _, err := commandline.Parse(flags, args, 0); err != nil {
		return err
	}
	if err := exclusions.read(); err != nil {
		return err
	}
	defer p.during("check")()
	var findings []show.Finding
	add := func(f check.Finding) {
		findings = append(findings, show.Finding{Finding: f, Do: failure.Advice(f.Err)})
	}
	addOfRules := func(level check.Level, err error) {
		add(check.Finding{Level: level, Check: "rule", Message: err.Error(), Err: err})
	}
	p.onRuleWarning = func(w *rule.Warning) { addOfRules(check.Warning, w) }
	rules, unusable := p.loadRules(paths, exclusions.exclude, p.settings.MissingTerms)
	client, err := p.connect()
	if err != nil {
		return errors.Join(unusable, err)
	}
	c := check.Check{
		Client: client, Store: p.store(client),
		AlertsTarget: p.settings.AlertsTarget, RunsTarget: p.settings.RunsTarget, KibanaAlerts: kibana.Alerts, KibanaEvents: kibana.Events,
		Rules: rules, Overlap: time.Duration(p.settings.Overlap), Version: version(), Now: p.now,
	}
	for _, f := range c.Run(ctx) {
		add(f)
	}
	for _, err := range failure.Causes(unusable) {
		addOfRules(check.Error, err)
	}
	return p.report(findings, output.Value)
}

// report prints the findings. Its error has the exit code of the worst one.
func (p program) report(findings []show.Finding, format show.Format) error {
	code := failure.ExitDone
	for _, f := range findings {
		if f.Level == check.Error {
			code = max(code, failure.Code(f.Err)) // ExitFailed is the smallest code
		}
	}
	if err := show.Findings(p.stdout, findings, code, format); err != nil {
		return err
	}
	if code != failure.ExitDone {
		return &failure.Reported{Exit: code}
	}
	return nil
}
