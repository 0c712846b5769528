package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/cmd/newterms/show"
	"newterms/job"
	"newterms/job/datemath"
)

// searchFlags are the flags that run, explain and backtest have in common: the rules,
// the range, the exclusions. After parsing, read sets the fields below.
type searchFlags struct {
	from, to *string // nil if not given: "" may be an unset variable of a script
	paths    commandline.Strings
	missing  settings.MissingTerms
	exclusionFlags
	outputFlag

	window *job.Window // of --from and --to; nil if they are not given
	repeat []string    // the arguments that repeat the search in a run
}

// ruleUsage is the help of --rule.
const ruleUsage = "a rule file or a folder of them, as `PATH`; repeatable\ndefault: NEWTERMS_RULES, else the built-in one; example: --rule proxy.toml"

// define defines the flags. fromDefault says what the range is without --from; the first
// format is the default.
func (f *searchFlags) define(p program, flags *flag.FlagSet, fromDefault string, formats ...show.Format) {
	f.defineRange(flags, fromDefault)
	flags.Var(&f.paths, "rule", ruleUsage)
	f.exclusionFlags.define(flags)
	f.missing = p.settings.MissingTerms
	flags.Func("missing-terms", "`skip|include` events that lack a new-terms field\ndefault: NEWTERMS_MISSING_TERMS; example: --missing-terms include", func(text string) error { return f.missing.UnmarshalText([]byte(text)) })
	f.outputFlag.define(flags, formats...)
}

// defineRange defines --from and --to. fromDefault says what the range is without --from.
func (f *searchFlags) defineRange(flags *flag.FlagSet, fromDefault string) {
	given := func(into **string) func(string) error {
		return func(text string) error { *into = &text; return nil }
	}
	flags.Func("from", "begin at `T`: RFC 3339, YYYY-MM-DD (UTC) or Elastic date math\n"+fromDefault+"; example: --from now-7d/d", given(&f.from))
	flags.Func("to", "end before `T`, which has the same forms\ndefault: now; example: --to 2026-11-08", given(&f.to))
}

// read checks the parsed flags, and sets window, exclude and repeat.
func (f *searchFlags) read(p program) error {
	if err := f.outputFlag.check(); err != nil {
		return err
	}
	if err := f.exclusionFlags.read(); err != nil {
		return err
	}
	for _, text := range f.excludes {
		f.repeat = append(f.repeat, "--exclude", text)
	}
	for _, path := range f.files {
		f.repeat = append(f.repeat, "--exclude-file", path)
	}
	for _, path := range f.paths {
		f.repeat = append(f.repeat, "--rule", path)
	}
	if f.missing != p.settings.MissingTerms {
		f.repeat = append(f.repeat, "--missing-terms", f.missing.String())
	}
	var err error
	if f.window, err = f.readWindow(p.now()); err != nil {
		return failure.Usagef("%w", err)
	}
	return nil
}

// readWindow returns the range in whole milliseconds, nil if no flag is given. Without
// --to it ends now.
func (f *searchFlags) readWindow(now time.Time) (*job.Window, error) {
	switch {
	case f.from == nil && f.to == nil:
		return nil, nil
	case f.from == nil:
		return nil, errors.New("--to needs --from: it ends a range that --from begins")
	}
	to := "now"
	if f.to != nil {
		to = *f.to
	}
	begin, err := datemath.Parse(*f.from, now)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	end, err := datemath.Parse(to, now)
	if err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	w := job.Window{From: begin.Truncate(time.Millisecond), To: end.Truncate(time.Millisecond)}
	if !w.From.Before(w.To) {
		return nil, fmt.Errorf("--from %s is not before --to %s", begin.Format(time.RFC3339Nano), end.Format(time.RFC3339Nano))
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
	const layout = "2006-01-02T15:04:05.000Z07:00"
	words := append([]string{"newterms", "run", "--from", w.From.Format(layout), "--to", w.To.Format(layout)}, f.repeat...)
	for i, word := range words {
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:") != "" || word == "" {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// outputFlag is --output.
type outputFlag struct {
	output  show.Format
	formats []show.Format
}

// define defines it; the first format is the default.
func (o *outputFlag) define(flags *flag.FlagSet, formats ...show.Format) {
	o.output, o.formats = formats[0], formats
	names := make([]string, len(formats))
	for i, format := range formats {
		names[i] = string(format)
	}
	usage := fmt.Sprintf("print as `%s`\ndefault: %s; example: --output %s", strings.Join(names, "|"), names[0], names[1])
	flags.Func("output", usage, func(text string) error { o.output = show.Format(text); return nil })
}

func (o *outputFlag) check() error {
	if slices.Contains(o.formats, o.output) {
		return nil
	}
	if len(o.formats) == 2 {
		return failure.Usagef("--output: %q is neither %s nor %s", string(o.output), o.formats[0], o.formats[1])
	}
	names := make([]string, len(o.formats))
	for i, format := range o.formats {
		names[i] = string(format)
	}
	return failure.Usagef("--output: %q is none of %s", string(o.output), strings.Join(names, ", "))
}
