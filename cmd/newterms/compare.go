package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/show/comparison"
	"newterms/cmd/newterms/terminal"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kibana"
	"newterms/job"
	"newterms/job/compare"
	"newterms/job/explain"
	"newterms/job/rule"
)

const compareHelp = `explains how Kibana's alerts differ from ours

  newterms compare --from T [FLAG]...

It reads the alerts and runs of both sides, and names the cause of each alert
that one side lacks. It writes nothing, and needs to read only: what it may not
read is listed. Its exit code is 3 if a difference is unexplained.

  newterms compare --from now-14d
  newterms compare --from now-14d --kibana-alerts .alerts-security.alerts-soc
`

// compare prints the differences between Kibana's alerts and ours, with their causes.
func (p program) compare(ctx context.Context, args []string) error {
	var f searchFlags
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.defineRange(flags, "required")
	flags.Var(&f.paths, "rule", ruleUsage)
	alerts, events := kibana.Alerts, kibana.Events
	commandline.Text(flags, &alerts, "kibana-alerts", "it is empty: leave it out for the default", "Kibana's alerts, as a `PATTERN`\ndefault: "+kibana.Alerts+"; example: --kibana-alerts .alerts-security.alerts-soc")
	commandline.Text(flags, &events, "events", "it is empty: leave it out for the default", "Kibana's event log, as a `PATTERN`\ndefault: "+kibana.Events+"; example: --events .kibana-event-log-ds")
	f.missing = p.settings.MissingTerms
	f.output.Define(flags, "output", printAs, show.Text, show.JSON)
	_, err := commandline.Parse(flags, args, 0)
	if err == nil {
		err = f.read(p)
	}
	switch {
	case err != nil:
		return err
	case f.window == nil:
		return failure.Usagef("compare: --from is missing: give the beginning of the range, such as --from now-14d")
	}
	rules, unusable := p.loadRules(f.paths, nil, f.missing)
	if len(rules) == 0 {
		return unusable
	}
	client, err := p.connect()
	if err != nil {
		return errors.Join(unusable, err)
	}
	defer p.during("compare")()
	failures := []error{unusable}
	for i, r := range rules {
		if i > 0 && f.output.Value == show.Text {
			fmt.Fprintln(p.stdout)
		}
		err := p.compareRule(ctx, client.Clone(p.log), kibana.NewReader(client, alerts, events), r, &f)
		if err != nil && len(rules) > 1 && !failure.Is[*failure.Reported](err) {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// compareRule prints the comparison of a rule. Its error is a *failure.Reported if some
// difference is unexplained.
func (p program) compareRule(ctx context.Context, client *elastic.Client, reader *kibana.Reader, r rule.Rule, f *searchFlags) error {
	view := comparison.New(p.stdout, f.output.Value)
	c := compare.Comparison{
		Rule: r, Open: esquery.Opener(client), Store: p.store(client), Kibana: reader,
		Command: func(terms []any, w job.Window) string { return f.explainCommand(r, terms, w) },
	}
	report, err := c.Run(ctx, *f.window, view.Difference)
	if err == nil {
		err = view.Report(r.Name, report)
	}
	if err == nil && report.Unexplained > 0 {
		err = &failure.Reported{Exit: failure.ExitUnexplained}
	}
	return err
}

// explainCommand returns the shell command that explains a pair in a window. Without a
// pair, or if nobody can paste its terms, it is a run that writes nothing.
func (f *searchFlags) explainCommand(r rule.Rule, terms []any, w job.Window) string {
	command := []string{"newterms", "explain"}
	for i, term := range terms {
		value := explain.MissingValue
		if term != nil {
			value = fmt.Sprint(term)
		}
		if terminal.Escape(value) != value {
			terms = nil
			break
		}
		command = append(command, "--term", r.Search.Fields[i]+"="+value)
	}
	if terms == nil {
		return f.rerun(w) + " --dry-run"
	}
	command = append(command, "--from", words.Stamp(w.From), "--to", words.Stamp(w.To))
	return commandline.Quote(append(command, f.repeat...))
}
