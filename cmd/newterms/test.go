package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"strings"
	"time"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/cmd/newterms/show/caseresult"
	"newterms/esquery/elastic"
	"newterms/esquery/elastic/words"
	"newterms/esquery/estest"
	"newterms/esquery/scratch"
	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/rule"
)

const testHelp = `runs the cases beside rules

  newterms test [PATH]... [FLAG]...

The cases of x.toml are in x.test.toml; PATH is a rule file, a case file or a
folder. Without PATH it takes the rules in NEWTERMS_RULES, or else the built-in
rule. Each case runs on hidden scratch indices (.newterms-test-*) of the
cluster, which are removed. The rule's indices are not read. Without
ELASTICSEARCH_URL it starts a server on this machine, with a JDK and Maven.

  [event]                      # fields of each event of the file
  event.dataset = "vpn.log"
  [[case]]
  name = "back after 8 days"   # from = "-1d", to = "0s" is the window to run;
  [[case.event]]               # schedule = "5m" cuts it into scheduled runs
  at = "-8d"                   # relative to the end: 8 days before
  user.name = "ada"
  [[case.event]]
  at = "-1h"                   # every = "1h", count = 3 repeats it;
  user.name = "ada"            # without = ["event.dataset"] leaves fields out
  [[case.alert]]               # none: no alert is expected
  terms = ["ada"]              # optional: at, severity, name, risk_score

A case may also have recorded events: with events = "session.test.ndjson" and
last = "-1m" their times are moved so that the newest @timestamp is there. With
missing_terms = "include" it runs as with that flag. If the file has several
rules, rule = "ID or name" says whose case it is.

  newterms test rules/ --output junit > report.xml
`

// emptyMapping is the error about a --mapping-of without a value.
const emptyMapping = "it is empty: name a pattern or a .json file"

// mappingOfUsage is the help of --mapping-of.
const mappingOfUsage = "map fields as indices do: those of a `PATTERN`, or of a .json file that has an answer of GET INDEX/_mapping\ndefault: as Elastic's integrations; example: --mapping-of 'logs-okta.system-*'"

// testFlags are the flags of `newterms test`.
type testFlags struct {
	mappingOf string
	mutate    bool
	output    commandline.Choice[show.Format]
}

// test runs the cases of rules.
func (p program) test(ctx context.Context, args []string) error {
	var f testFlags
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	f.output.Define(flags, "output", printAs, show.Text, show.JSON, show.JUnit)
	commandline.Text(flags, &f.mappingOf, "mapping-of", emptyMapping, mappingOfUsage)
	flags.BoolVar(&f.mutate, "mutate", false, "change each rule in small ways, and name the changes that no case notices\ndefault: off; example: newterms test rules/ --mutate")
	paths, err := commandline.Parse(flags, args, math.MaxInt)
	if err != nil {
		return err
	}
	suites, without, unusable := p.suites(paths)
	switch {
	case len(suites) == 0 && unusable != nil:
		return unusable
	case len(suites) == 0:
		return &casefile.Error{Path: cmp.Or(strings.Join(paths, ", "), "the built-in rule"), Line: 1, Err: errors.New("there is no case: write some into x.test.toml beside the rule x.toml; see newterms help test")}
	}
	client, stop, err := p.testServer(ctx)
	if err != nil {
		return errors.Join(unusable, err)
	}
	defer stop()
	outcomes, err := p.runCases(ctx, client, suites, f)
	if err != nil {
		return errors.Join(unusable, err)
	}
	failures := []error{unusable, caseresult.Print(p.stdout, outcomes, without, f.output.Value)}
	for _, s := range outcomes {
		problems, hold := s.Errors()
		if failures = append(failures, problems...); !hold {
			failures = append(failures, &failure.Reported{Exit: failure.ExitFailed})
		}
	}
	return errors.Join(failures...)
}

// suites loads rules and their cases. without are the rules that have none.
func (p program) suites(paths []string) (suites []cases.Suite, without []rule.Rule, err error) {
	files, err := cases.RuleFiles(paths)
	if err != nil {
		return nil, nil, err
	}
	rules, unusable := p.loadRules(files, nil, p.settings.MissingTerms)
	suites, without, err = cases.Suites(rules, files)
	return suites, without, errors.Join(unusable, err)
}

// testServer connects to the cluster of the settings, or starts a server that stop ends.
func (p program) testServer(ctx context.Context) (client *elastic.Client, stop func(), err error) {
	if p.settings.HasCluster() {
		client, err := p.connect()
		return client, func() {}, err
	}
	node, err := estest.Start(ctx, estest.Options{Progress: func(did string) { p.log.Info(did) }})
	if err != nil {
		return nil, nil, settings.Errorf("ELASTICSEARCH_URL is not set, and no server could be started here: %w", err)
	}
	return elastic.NewClient(node, elastic.Options{Retry: p.retry, Log: p.log}), func() { _ = node.Stop() }, nil
}

// runCases runs all cases, several at once, and returns their outcomes in order.
func (p program) runCases(ctx context.Context, client *elastic.Client, suites []cases.Suite, f testFlags) (outcomes []cases.SuiteOutcome, err error) {
	defer p.during("test")()
	space, removed, err := scratch.Open(ctx, client, time.Now()) // other processes compare it with their clocks
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, space.Close(ctx)) }()
	if removed > 0 {
		p.log.Info(fmt.Sprintf("removed %s of a test that was killed", words.Plural(removed, "scratch index", "scratch indices")), "removed", removed)
	}
	r := cases.Runner{
		Client: client, Space: space, Types: cases.IntegrationTypes(), Overlap: time.Duration(p.settings.Overlap), Now: p.now,
		Zero: p.now().UTC().Truncate(time.Minute),
	}
	if f.mappingOf != "" {
		r.Types, err = cases.TypesLike(ctx, f.mappingOf, suites, func() (*elastic.Client, error) { return client, nil })
		if err != nil {
			return nil, err
		}
	}
	return r.RunAll(ctx, suites, int(p.settings.Concurrency), f.mutate)
}
