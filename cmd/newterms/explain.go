package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"newterms/alerts"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/query"
	"newterms/job"
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

// explain prints why pairs have an alert, or have none. It writes nothing.
func (p program) explain(ctx context.Context, args []string) error {
	var f searchFlags
	var terms commandline.Strings
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	f.define(p, flags, "default: as long ago as the rule's history", show.Text, show.JSON)
	flags.Var(&terms, "term", "a value of the pair or its events, as `FIELD=VALUE`; once for each field\ndefault: none; example: --term okta.actor.id=00u1kav9Mw2zBd7Jr5d7")
	saveCase := flags.String("save-case", "", "append the pairs with their events to a `FILE`, as cases for newterms test, with terms and addresses replaced\ndefault: none; example: --save-case rules/proxy.test.toml")
	rest, err := commandline.Parse(flags, args, 1)
	if err == nil {
		err = f.read(p)
	}
	if err != nil {
		return err
	}
	if commandline.IsGiven(flags, "save-case") {
		if err := checkSaveCase(*saveCase); err != nil {
			return err
		}
	}
	values, err := explain.ParseTerms(terms)
	switch {
	case err != nil:
		return failure.Usagef("--term: %w", err)
	case len(rest) > 0 && (len(terms) > 0 || f.window != nil):
		return failure.Usagef("explain: an alert has its terms and its time: leave out --term, --from and --to, or the id")
	case len(rest) == 0 && len(terms) == 0:
		return failure.Usagef("explain: the pair is missing: give --term FIELD=VALUE or the id of an alert; see newterms help explain")
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
	store := p.store(client)
	if len(rest) > 0 {
		return errors.Join(unusable, p.explainAlert(ctx, client, store, rules, rest[0], &f, *saveCase))
	}
	asked := explain.RulesFor(values, rules)
	if n := len(rules) - len(asked); n > 0 {
		p.log.Info(words.Plural(n, "rule is", "rules are") + " not asked: others have more of these fields as new-terms fields; name a rule with --rule to ask it")
	}
	rules = asked
	failures := []error{unusable}
	for _, r := range rules {
		err := p.explainPairs(ctx, client, p.explainer(client, store, r, &f), values, f.windowOr(r.History, p.now()), f.output.Value, *saveCase)
		if err != nil && len(rules) > 1 {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// explainer returns an Explainer for the pairs of a rule.
func (p program) explainer(client *elastic.Client, store *alerts.Store, r rule.Rule, f *searchFlags) *explain.Explainer {
	return &explain.Explainer{
		Rule: r, Store: store, Warn: p.warnOf(r.Name), Rerun: f.rerun,
		Open: func(ctx context.Context, s query.Search) (*esquery.Source, error) {
			return esquery.Open(ctx, client, s)
		},
	}
}

// explainPairs prints the explanation of the pairs that have the given values.
func (p program) explainPairs(ctx context.Context, client *elastic.Client, x *explain.Explainer, values query.Values, w job.Window, output show.Format, saveCase string) error {
	requests, _ := client.Usage()
	start := p.now()
	kept := &pairKeeper{Printer: show.NewExplanations(x, output, p.stdout)}
	pairs, err := x.Explain(ctx, values, w, kept)
	var invalid *explain.ValueError
	if errors.As(err, &invalid) {
		return failure.Usagef("--term %w", invalid)
	}
	if err == nil && saveCase != "" {
		err = p.saveCases(ctx, client, x.Rule, kept.pairs, saveCase)
	}
	if err != nil {
		return err
	}
	after, _ := client.Usage()
	p.log.Info(fmt.Sprintf("%s explained; %s, %.1f s", words.Plural(pairs, "pair", "pairs"),
		words.Plural(after-requests, "request", "requests"), p.now().Sub(start).Seconds()), "rule", x.Rule.Name, "pairs", pairs)
	return nil
}

// explainAlert explains an existing alert, and whether a run would write it again.
func (p program) explainAlert(ctx context.Context, client *elastic.Client, store *alerts.Store, rules []rule.Rule, id string, f *searchFlags, saveCase string) error {
	full, err := store.FullIDs(ctx, []string{id})
	if err != nil {
		return asCommandError("explain", err)
	}
	alert, details, err := store.Find(ctx, full[0])
	if failure.Is[*alerts.UnknownAlertsError](err) {
		return failure.Usagef("explain: %s has no alert %q: an id is the _id of an alert, or its first digits, as newterms alerts shows it", p.settings.AlertsTarget, id)
	}
	if err != nil {
		return err
	}
	r, err := explain.RuleOf(alert, rules)
	if err != nil {
		return failure.Usagef("explain: %w", err)
	}
	if details.Related, err = store.Related(ctx, alert, details.About); err != nil {
		return err
	}
	x := p.explainer(client, store, r, f)
	values, window := x.About(alert, details, p.now())
	return p.explainPairs(ctx, client, x, values, window, f.output.Value, saveCase)
}
