package main

import (
	"flag"
	"fmt"
	"slices"
	"time"

	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/rule"
)

// askedFlags are what explain and backtest are told about the search: the same
// as a run, so that they see what it sees.
type askedFlags struct {
	times           rangeFlags
	paths, excludes list
	missing         missingTerms
	output          string
	outputs         []string // that there are, the default first

	given   *job.Window // by --from and --to; nil if they are not there
	exclude []kql.Query
	repeat  []string // the arguments that a run of the same search needs
}

// newAskedFlags defines the flags of a command.
func (p program) newAskedFlags(command string, outputs ...string) (*askedFlags, *flag.FlagSet) {
	a := &askedFlags{missing: p.settings.MissingTerms, outputs: outputs}
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	a.times.define(flags)
	flags.Var(&a.paths, "rule", "")
	flags.Var(&a.excludes, "exclude", "")
	flags.Func("missing-terms", "", func(text string) error { return a.missing.UnmarshalText([]byte(text)) })
	flags.StringVar(&a.output, "output", outputs[0], "")
	return a, flags
}

// read makes sense of what was parsed, at a time.
func (a *askedFlags) read(p program) error {
	if !slices.Contains(a.outputs, a.output) {
		return usageError{fmt.Errorf("--output: %q is neither %s nor %s", a.output, a.outputs[0], a.outputs[1])}
	}
	for _, text := range a.excludes {
		q, err := parseExclude(text)
		if err != nil {
			return usageError{fmt.Errorf("--exclude: %w", err)}
		}
		a.exclude = append(a.exclude, q)
		a.repeat = append(a.repeat, "--exclude", text)
	}
	for _, path := range a.paths {
		a.repeat = append(a.repeat, "--rule", path)
	}
	if a.missing != p.settings.MissingTerms {
		a.repeat = append(a.repeat, "--missing-terms", a.missing.String())
	}
	var err error
	if a.given, err = a.times.window(p.now()); err != nil {
		return usageError{err}
	}
	return nil
}

// rules are those that were asked for; err is of the others.
func (a *askedFlags) rules(p program) ([]rule.Rule, error) {
	return p.rules(a.paths, a.exclude, a.missing)
}

// window is the range that was asked for, or else the last H up to now.
func (a *askedFlags) window(p program, history time.Duration) job.Window {
	if a.given == nil {
		now := p.now().UTC().Truncate(time.Millisecond)
		return job.Window{From: now.Add(-history), To: now}
	}
	return *a.given
}
