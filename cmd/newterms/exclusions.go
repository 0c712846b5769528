package main

import (
	"flag"

	"newterms/cmd/newterms/failure"
	"newterms/esquery/kql"
	"newterms/job/rule"
)

// exclusionFlags are --exclude and --exclude-file. After parsing, read sets exclude.
type exclusionFlags struct {
	excludes, files stringsFlag
	exclude         []kql.Query // of both
}

func (f *exclusionFlags) define(flags *flag.FlagSet) {
	flags.Var(&f.excludes, "exclude", "")
	flags.Var(&f.files, "exclude-file", "")
}

func (f *exclusionFlags) read() error {
	for _, text := range f.excludes {
		q, err := rule.ParseExclusion(text)
		if err != nil {
			return failure.Usagef("--exclude: %w", err)
		}
		f.exclude = append(f.exclude, q)
	}
	for _, path := range f.files {
		more, err := rule.ReadExclusions(path)
		if err != nil {
			return failure.Usagef("--exclude-file: %w", err)
		}
		f.exclude = append(f.exclude, more...)
	}
	return nil
}
