package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"newterms/alerts/fields"
	"newterms/cmd/newterms/failure"
	"newterms/cmd/newterms/settings"
	"newterms/esquery/kql"
	"newterms/esquery/query"
	"newterms/job/rule"
)

// loadRules loads rules, and applies the settings and the exclusions of --exclude to
// their searches. Its error may be about some rules; it still returns the others.
func (p program) loadRules(paths []string, exclude []kql.Query, missing settings.MissingTerms) ([]rule.Rule, error) {
	// The settings always apply, so that a rerun by hand excludes what scheduled
	// runs exclude. All rules share the list, which may be long.
	exclude = append(slices.Clone([]kql.Query(p.settings.Exclude)), exclude...)
	for _, path := range p.settings.ExcludeFiles {
		more, err := rule.ReadExclusions(path)
		if err != nil {
			return nil, settings.Errorf("NEWTERMS_EXCLUDE_FILE: %w", err)
		}
		exclude = append(exclude, more...)
	}
	loaded, err := p.load(paths)
	var rules []rule.Rule
	for _, r := range loaded {
		warning, unusable := r.ReadFrom(p.settings.Index)
		if unusable != nil {
			err = errors.Join(err, unusable)
			continue
		}
		if warning != nil {
			p.log.Warn(failure.Line(warning))
		}
		r.Search.Exclude = exclude
		r.Search.Exceptions = p.unexpired(r)
		r.Search.MissingTerms = bool(missing)
		r.Search.Wanted = append(fields.EventFields(), r.Search.Wanted...)
		r.Search.PageSize = p.pageSize
		rules = append(rules, r)
		if long := settings.FitsPath(r.Search.Indices); long != nil {
			err = errors.Join(err, &rule.Error{Path: r.Name, Err: fmt.Errorf("index: %w", long)})
		}
	}
	return rules, err
}

func (p program) load(paths []string) ([]rule.Rule, error) {
	if len(paths) == 0 {
		paths = p.settings.Rules
	}
	if len(paths) == 0 {
		builtin, err := rule.Builtin()
		if err != nil {
			return nil, err
		}
		p.warnOfRules(builtin.Warnings)
		return []rule.Rule{builtin}, nil
	}
	library, err := rule.Read(paths...)
	p.warnOfRules(library.Warnings)
	if len(library.Skipped) > 0 {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(library.Skipped)) {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, library.Skipped[kind]))
		}
		p.log.Info("skipped rules that are not enabled new_terms rules: "+strings.Join(kinds, ", "), "skipped", library.Skipped)
	}
	return library.Rules, err
}

func (p program) warnOfRules(warnings []*rule.Warning) {
	for _, warning := range warnings {
		p.log.Warn(failure.Line(warning))
	}
}

// unexpired are the exceptions of a rule that hold.
func (p program) unexpired(r rule.Rule) []query.Exception {
	hold, expired := r.ExceptionsAt(p.now())
	for _, e := range expired {
		p.log.Info(fmt.Sprintf("%s: the exception %s expired at %s and excludes nothing", r.Name, e.Name, e.Expires.UTC().Format("2006-01-02T15:04:05Z")), "rule", r.Name)
	}
	return hold
}
