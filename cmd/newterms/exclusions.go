package main

import (
	"flag"

	"newterms/cmd/newterms/commandline"
	"newterms/cmd/newterms/failure"
	"newterms/esquery/kql"
	"newterms/job/rule"
)

// exclusionFlags are --exclude and --exclude-file. After parsing, read sets exclude.
type exclusionFlags struct {
	excludes, files commandline.Strings
	exclude         []kql.Query // of both
}

func (f *exclusionFlags) define(flags *flag.FlagSet) {
	flags.Var(&f.excludes, "exclude", "exclude events that `KQL` matches, beside NEWTERMS_EXCLUDE; repeatable\ndefault: none; example: --exclude 'client.ip: 203.0.113.0/24'")
	flags.Var(&f.files, "exclude-file", "exclude events that the KQL in a `FILE` matches; repeatable\ndefault: none; example: --exclude-file known.kql")
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
