package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/show/explanation"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/explain"
	"newterms/job/rule"
)

const explainHelp = `explains why a pair has an alert or none

  newterms explain --term FIELD=VALUE... [FLAG]...
  newterms explain ALERT_ID [FLAG]...

It names the conditions that events fail, and similar values. Given some of a
rule's new-terms fields, it explains each pair that has these terms. Given other
fields, it lists the pairs of the events with these values, and explains the 20
with the most of these. It writes nothing.

  newterms explain --term okta.actor.id=00u1kav9Mw2zBd7Jr5d7 --from now-2d
  newterms explain --term client.ip=203.0.113.0/24
  newterms explain ALERT_ID --save-case rules/proxy.test.toml
`

// explainFlags are the flags of `newterms explain`.
type explainFlags struct {
	searchFlags
	values   query.Values // of the pair or its events
	alert    string       // its id; "" if there are values
	saveCase string       // a case file; "" saves none
}

// explain prints why pairs have an alert, or have none. It writes nothing.
func (p program) explain(ctx context.Context, args []string) error {
	f, err := p.parseExplain(args)
	if err != nil {
		return err
	}
	rules, unusable := p.loadRules(f.paths, f.exclude, f.missing)
	if len(rules) == 0 {
		return unusable
	}
	client, err := p.connect()
	if err != nil {
		return err
	}
	defer p.during("explain")()
	if f.alert != "" {
		return errors.Join(unusable, p.explainAlert(ctx, client, rules, f))
	}
	asked := explain.RulesFor(f.values, rules)
	if n := len(rules) - len(asked); n > 0 {
		p.log.Info(words.Plural(n, "rule is", "rules are") + " not asked: others have more of these fields as new-terms fields; name a rule with --rule to ask it")
	}
	failures := []error{unusable}
	for _, r := range asked {
		err := p.explainPairs(ctx, client, &explain.Explainer{Rule: r}, f.values, f.windowOr(r.History, p.now()), f)
		if err != nil && len(asked) > 1 {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (p program) parseExplain(args []string) (explainFlags, error) {
	var f explainFlags
	var terms commandline.Strings
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	f.define(p, flags, "default: as long ago as the rule's history", show.Text, show.JSON)
	flags.Var(&terms, "term", "a value of the pair or its events, as `FIELD=VALUE`; once for each field\ndefault: none; example: --term okta.actor.id=00u1kav9Mw2zBd7Jr5d7")
	commandline.Text(flags, &f.saveCase, "save-case", "it names no file", "append the pairs with their events to a `FILE`, as cases for newterms test, with terms and addresses replaced\ndefault: none; example: --save-case rules/proxy.test.toml")
	rest, err := commandline.Parse(flags, args, 1)
	if err == nil {
		err = f.read(p)
	}
	if err == nil && f.saveCase != "" {
		err = saveError(cases.CanSave(f.saveCase))
	}
	if err != nil {
		return f, err
	}
	f.values, err = explain.ParseTerms(terms)
	switch {
	case err != nil:
		return f, failure.Usagef("--term: %w", err)
	case len(rest) > 0 && (len(terms) > 0 || f.window != nil):
		return f, failure.Usagef("explain: an alert has its terms and its time: leave out --term, --from and --to, or the id")
	case len(rest) == 0 && len(terms) == 0:
		return f, failure.Usagef("explain: the pair is missing: give --term FIELD=VALUE or the id of an alert; see newterms help explain")
	case len(rest) > 0:
		f.alert = rest[0]
	}
	return f, nil
}

// saveError returns a usage error about a file that cannot take cases.
func saveError(err error) error {
	if err == nil || failure.Is[*casefile.Error](err) { // which names the file
		return err
	}
	return failure.Usagef("--save-case: %w", err)
}

// explainAlert explains an existing alert, and whether a run would write it again.
func (p program) explainAlert(ctx context.Context, client *elastic.Client, rules []rule.Rule, f explainFlags) error {
	x, err := explain.ForAlert(ctx, p.store(client), rules, f.alert, p.now())
	if failure.Is[*explain.AlertError](err) {
		return failure.Usagef("explain: %w", err)
	}
	if err != nil {
		return asCommandError("explain", err)
	}
	values, window := x.About()
	return p.explainPairs(ctx, client, x, values, window, f)
}

// explainPairs prints the explanation of the pairs that have the given values.
func (p program) explainPairs(ctx context.Context, client *elastic.Client, x *explain.Explainer, values query.Values, w job.Window, f explainFlags) error {
	start := p.now()
	client = client.Clone(p.log) // which counts these requests alone
	x.Open, x.Store, x.Warn, x.Rerun = esquery.Opener(client), p.store(client), p.warnOf(x.Rule.Name), f.rerun
	recorder := &cases.Recorder{Printer: explanation.New(x, f.output.Value, p.stdout)}
	pairs, err := x.Explain(ctx, values, w, recorder)
	if invalid, ok := errors.AsType[*explain.ValueError](err); ok {
		return failure.Usagef("--term %w", invalid)
	}
	if err == nil && f.saveCase != "" {
		err = p.saveCases(ctx, client, x.Rule, recorder, f.saveCase)
	}
	if err != nil {
		return err
	}
	requests, _ := client.Usage()
	p.log.Info(words.Plural(pairs, "pair", "pairs")+" explained; "+show.Spent(requests, p.now().Sub(start)), "rule", x.Rule.Name, "pairs", pairs)
	return nil
}

func (p program) saveCases(ctx context.Context, client *elastic.Client, r rule.Rule, from *cases.Recorder, path string) error {
	saved, err := from.Save(ctx, client, r, path)
	switch {
	case failure.Is[*fs.PathError](err):
		return saveError(err)
	case err != nil:
		return fmt.Errorf("save the case: %w", err)
	case saved == 0:
		return failure.Usagef("--save-case: there is no pair to save")
	}
	p.log.Info(fmt.Sprintf("saved %s to %s: read it before you share it; newterms test runs it", words.Plural(saved, "case", "cases"), path), "cases", saved)
	return nil
}
