package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/alerts"
	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/show"
	"newterms/esquery"
	"newterms/esquery/elastic"
	"newterms/esquery/query"
	"newterms/job"
	"newterms/job/explain"
	"newterms/job/rule"
	"newterms/words"
)

const explainHelp = `says why a pair has an alert or none

  newterms explain --term FIELD=VALUE... [FLAG]...
  newterms explain ALERT_ID [FLAG]...

It names what keeps events from matching, and values that differ by a slip or
letter case. Given some of a rule's new-terms fields, it explains each pair that
has these terms. It writes nothing.

  newterms explain --term okta.actor.id=00u1kav9Mw2zBd7Jr5d7 --from now-2d
`

// explain prints why pairs have an alert, or have none. It writes nothing.
func (p program) explain(ctx context.Context, args []string) error {
	var f searchFlags
	var terms commandline.Strings
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	f.define(p, flags, "default: as long ago as the rule's history", show.Text, show.JSON)
	flags.Var(&terms, "term", "a new term of the pair, as `FIELD=VALUE`; once for each field\ndefault: none; example: --term okta.actor.id=00u1kav9Mw2zBd7Jr5d7")
	rest, err := commandline.Parse(flags, args, len(args))
	if err == nil && len(rest) > 0 { // flags may follow the id
		_, err = commandline.Parse(flags, rest[1:], 0)
	}
	if err == nil {
		err = f.read(p)
	}
	if err != nil {
		return err
	}
	values, err := parseTerms(terms)
	switch {
	case err != nil:
		return err
	case len(rest) > 0 && (len(terms) > 0 || f.window != nil):
		return failure.Usagef("explain: an alert has its terms and its time: leave out --term, --from and --to, or the id")
	case len(rest) == 0 && len(terms) == 0:
		return failure.Usagef("explain: say of whom, with --term FIELD=VALUE or the id of an alert; see newterms help explain")
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
		return errors.Join(unusable, p.explainAlert(ctx, client, store, rules, rest[0], &f))
	}
	if rules, err = withFields(rules, values); err != nil {
		return errors.Join(unusable, err)
	}
	failures := []error{unusable}
	for _, r := range rules {
		err := p.explainPairs(ctx, client, p.explainer(client, store, r, &f), values, f.windowOr(r.History, p.now()), f.output.Value)
		if err != nil && len(rules) > 1 {
			err = fmt.Errorf("rule %s: %w", r.Name, err)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// longestTerm is the number of bytes of Lucene's longest term.
const longestTerm = 32_766

// parseTerms parses FIELD=VALUE arguments, each field once.
func parseTerms(terms []string) (query.Values, error) {
	values := query.Values{}
	for _, term := range terms {
		field, value, ok := strings.Cut(term, "=")
		switch {
		case !ok || field == "":
			return nil, failure.Usagef("--term: %q is not FIELD=VALUE", term)
		case values[field] != nil:
			return nil, failure.Usagef("--term: %s is there twice: explain one value at a time", field)
		case len(value) > longestTerm:
			return nil, failure.Usagef("--term: the value of %s has %d bytes, and Elasticsearch keeps no term of more than %d", field, len(value), longestTerm)
		case value == show.MissingValue:
			values[field] = []any{nil}
		default:
			values[field] = []any{value}
		}
	}
	return values, nil
}

// withFields returns the rules whose new-terms fields include all of the given ones.
func withFields(rules []rule.Rule, values query.Values) ([]rule.Rule, error) {
	var kept []rule.Rule
	var known []string
	for _, r := range rules {
		known = append(known, r.Search.Fields...)
		fits := true
		for field := range values {
			fits = fits && slices.Contains(r.Search.Fields, field)
		}
		if fits {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		slices.Sort(known)
		return nil, failure.Usagef("--term: no rule has these new-terms fields; there are %s", strings.Join(slices.Compact(known), ", "))
	}
	return kept, nil
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
func (p program) explainPairs(ctx context.Context, client *elastic.Client, x *explain.Explainer, values query.Values, w job.Window, output show.Format) error {
	requests, _ := client.Usage()
	start := p.now()
	pairs, err := x.Explain(ctx, values, w, show.NewExplanations(x, output, p.stdout))
	if err != nil {
		return asUsageError(err, values)
	}
	after, _ := client.Usage()
	p.log.Info(fmt.Sprintf("%s explained; %s, %.1f s", words.Plural(pairs, "pair", "pairs"),
		words.Plural(after-requests, "request", "requests"), p.now().Sub(start).Seconds()), "rule", x.Rule.Name, "pairs", pairs)
	return nil
}

// asUsageError returns a usage error if err says that a value does not fit its field.
func asUsageError(err error, values query.Values) error {
	var refused *query.MappingError
	if !errors.As(err, &refused) || refused.Part != "" { // of the rule
		return err
	}
	term := "--term"
	for field, value := range values {
		if text, ok := value[0].(string); ok && (strings.Contains(err.Error(), text) || len(values) == 1) {
			term += " " + field
		}
	}
	hint := ""
	if strings.Contains(err.Error(), "IP string literal") {
		hint = "; a network is written 203.0.113.0/24"
	}
	return failure.Usagef("%s: %v%s", term, err, hint) // advice about rules would mislead
}

// explainAlert explains an existing alert, and whether a run would write it again.
func (p program) explainAlert(ctx context.Context, client *elastic.Client, store *alerts.Store, rules []rule.Rule, id string, f *searchFlags) error {
	full, err := store.FullIDs(ctx, []string{id})
	if err != nil {
		return asCommandError("explain", err)
	}
	alert, err := store.Find(ctx, full[0])
	if failure.Is[*alerts.UnknownAlertsError](err) {
		return failure.Usagef("explain: %s has no alert %q: an id is the _id of an alert, or its first digits, as newterms alerts shows it", p.settings.AlertsTarget, id)
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rules, func(r rule.Rule) bool { return r.ID == alert.RuleID })
	if i < 0 {
		return failure.Usagef("explain: the alert is of the rule %s (%s): give it with --rule", alert.RuleName, alert.RuleID)
	}
	r := rules[i]
	if len(alert.Terms) != len(alert.Fields) || !slices.Equal(alert.Fields, r.Search.Fields) {
		return failure.Usagef("explain: the alert is of the new-terms fields %s, and the rule has %s now", strings.Join(alert.Fields, ", "), strings.Join(r.Search.Fields, ", "))
	}
	values := query.Values{}
	for i, field := range alert.Fields {
		values[field] = []any{alert.Terms[i]}
	}
	x := p.explainer(client, store, r, f)
	details, err := store.Details(ctx, alert)
	if err != nil {
		return err
	}
	x.GivenAlert, x.Details, x.Until = &alert, &details, p.now().UTC().Truncate(time.Millisecond)
	window := job.Window{From: alert.FirstSeen, To: alert.FirstSeen.Add(time.Millisecond)}
	if details.WindowTo.After(window.To) { // so that the number of events is the alert's
		window.To = details.WindowTo
	}
	return p.explainPairs(ctx, client, x, values, window, f.output.Value)
}
