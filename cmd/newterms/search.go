package main

import (
	"flag"
	"time"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/esquery/elastic/words"
	"newterms/esquery/kql"
	"newterms/job"
	"newterms/job/exclusion"
)

// searchFlags are the flags that run, explain and backtest have in common: the rules,
// the range, the exclusions. After parsing, read sets the fields below.
type searchFlags struct {
	from, to *string // nil if not given: "" may be an unset variable of a script
	paths    commandline.Strings
	missing  settings.MissingTerms
	exclusionFlags
	output commandline.Choice[show.Format]

	window *job.Window // of --from and --to; nil if they are not given
	repeat []string    // the arguments that repeat the search in a run
}

// printAs is the beginning of the help of --output.
const printAs = "print as"

// ruleUsage is the help of --rule.
const ruleUsage = "a rule file or a folder of them, as `PATH`; repeatable\ndefault: NEWTERMS_RULES, else the built-in one; example: --rule proxy.toml"

// define defines the flags. fromDefault describes the range without --from; the first
// format is the default.
func (f *searchFlags) define(p program, flags *flag.FlagSet, fromDefault string, formats ...show.Format) {
	f.defineRange(flags, fromDefault)
	flags.Var(&f.paths, "rule", ruleUsage)
	f.exclusionFlags.define(flags)
	f.missing = p.settings.MissingTerms
	flags.Func("missing-terms", "`skip|include` events that lack a new-terms field\ndefault: NEWTERMS_MISSING_TERMS; example: --missing-terms include", func(text string) error { return f.missing.UnmarshalText([]byte(text)) })
	f.output.Define(flags, "output", printAs, formats...)
}

// defineRange defines --from and --to. fromDefault describes the range without --from.
func (f *searchFlags) defineRange(flags *flag.FlagSet, fromDefault string) {
	given := func(into **string) func(string) error {
		return func(text string) error { *into = &text; return nil }
	}
	flags.Func("from", "begin at `T`: RFC 3339, YYYY-MM-DD (UTC) or Elastic date math\n"+fromDefault+"; example: --from now-7d/d", given(&f.from))
	flags.Func("to", "end before `T`, which has the same forms\ndefault: now; example: --to 2026-11-08", given(&f.to))
}

// read checks the parsed flags, and sets window, exclude and repeat.
func (f *searchFlags) read(p program) error {
	if err := f.exclusionFlags.read(); err != nil {
		return err
	}
	repeat := func(flag string, values []string) {
		for _, value := range values {
			f.repeat = append(f.repeat, flag, value)
		}
	}
	repeat("--exclude", f.excludes)
	repeat("--exclude-file", f.files)
	repeat("--rule", f.paths)
	if f.missing != p.settings.MissingTerms {
		repeat("--missing-terms", []string{f.missing.String()})
	}
	var err error
	f.window, err = f.readWindow(p.now())
	return err
}

// readWindow returns the range, nil if no flag is given.
func (f *searchFlags) readWindow(now time.Time) (*job.Window, error) {
	if f.from == nil && f.to == nil {
		return nil, nil
	}
	w, err := job.ParseWindow(f.from, f.to, now)
	if err != nil {
		return nil, failure.Usagef("%w", err)
	}
	return &w, nil
}

// windowOr returns the given range, or else the last H up to now.
func (f *searchFlags) windowOr(history time.Duration, now time.Time) job.Window {
	if f.window == nil {
		now = now.UTC().Truncate(time.Millisecond)
		return job.Window{From: now.Add(-history), To: now}
	}
	return *f.window
}

// rerun returns the shell command that runs a window by hand with the same search.
func (f *searchFlags) rerun(w job.Window) string {
	return commandline.Quote(append([]string{"newterms", "run", "--from", words.Stamp(w.From), "--to", words.Stamp(w.To)}, f.repeat...))
}

// exclusionFlags are --exclude and --exclude-file. After parsing, read sets exclude.
type exclusionFlags struct {
	excludes, files commandline.Strings
	exclude         []kql.Query // of both
}

func (f *exclusionFlags) define(flags *flag.FlagSet) {
	flags.Var(&f.excludes, "exclude", "exclude events that `KQL` matches, in addition to NEWTERMS_EXCLUDE; repeatable\ndefault: none; example: --exclude 'client.ip: 203.0.113.0/24'")
	flags.Var(&f.files, "exclude-file", "exclude events that the KQL in a `FILE` matches; repeatable\ndefault: none; example: --exclude-file known.kql")
}

func (f *exclusionFlags) read() error {
	for _, text := range f.excludes {
		q, err := exclusion.Parse(text)
		if err != nil {
			return failure.Usagef("--exclude: %w", err)
		}
		f.exclude = append(f.exclude, q)
	}
	for _, path := range f.files {
		more, err := exclusion.ReadFile(path)
		if err != nil {
			return failure.Usagef("--exclude-file: %w", err)
		}
		f.exclude = append(f.exclude, more...)
	}
	return nil
}
