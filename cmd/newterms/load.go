package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"newterms/alerts"
	"newterms/esquery"
	"newterms/esquery/kql"
	"newterms/job/rule"
)

// rules loads the rules that were asked for, and applies the settings and the
// exclusions of --exclude to what they read. It returns those that can be used
// even with an error about others.
func (p program) rules(paths []string, exclude []kql.Query, missing missingTerms) ([]rule.Rule, error) {
	// Together, so that a rerun by hand cannot forget what scheduled runs leave
	// out. All rules share the list, which may be long.
	exclude = append(slices.Clone([]kql.Query(p.settings.Exclude)), exclude...)
	for _, path := range p.settings.ExcludeFiles {
		more, err := readExcludeFile(path)
		if err != nil {
			return nil, configError{fmt.Errorf("NEWTERMS_EXCLUDE_FILE: %w", err)}
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
			p.log.Warn(withAdvice(warning))
		}
		r.Search.Exclude = exclude
		r.Search.Exceptions = p.unexpired(r)
		r.Search.MissingTerms = bool(missing)
		r.Search.Wanted = append(alerts.EventFields(), r.Search.Wanted...)
		r.Search.PageSize = p.pageSize
		rules = append(rules, r)
		if long := fitsPath(r.Search.Indices); long != nil {
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
	if len(library.PassedOver) > 0 {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(library.PassedOver)) {
			kinds = append(kinds, fmt.Sprintf("%s %d", kind, library.PassedOver[kind]))
		}
		p.log.Info("passed over rules that are not enabled new_terms rules: "+strings.Join(kinds, ", "), "passed_over", library.PassedOver)
	}
	return library.Rules, err
}

func (p program) warnOfRules(warnings []*rule.Warning) {
	for _, warning := range warnings {
		p.log.Warn(withAdvice(warning))
	}
}

// unexpired are the exceptions of a rule that hold.
func (p program) unexpired(r rule.Rule) []esquery.Exception {
	hold, expired := r.ExceptionsAt(p.now())
	for _, e := range expired {
		p.log.Info(fmt.Sprintf("%s: the exception %s expired at %s and takes nothing", r.Name, e.Name, e.Expires.UTC().Format("2006-01-02T15:04:05Z")), "rule", r.Name)
	}
	return hold
}

// readExcludeFile reads KQL expressions: of each paragraph either the whole, if
// that is one, or else each line. Lines that begin with # are comments.
func readExcludeFile(path string) ([]kql.Query, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var queries []kql.Query
	var paragraph []string
	line, first := 0, 0 // of the file, and of the paragraph
	end := func() error {
		more, err := parseParagraph(paragraph, path, first)
		queries, paragraph = append(queries, more...), nil
		return err
	}
	for one := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff") + "\n\n") {
		line++
		one = strings.TrimRight(one, "\r\n")
		switch {
		case strings.HasPrefix(strings.TrimSpace(one), "#"):
			one = "" // it keeps its place, for the line numbers
			if len(paragraph) > 0 {
				paragraph = append(paragraph, one)
			}
		case strings.TrimSpace(one) != "":
			if len(paragraph) == 0 {
				first = line
			}
			paragraph = append(paragraph, one)
		case len(paragraph) > 0:
			if err := end(); err != nil {
				return nil, err
			}
		}
	}
	if len(queries) == 0 {
		return nil, fmt.Errorf("%s: it holds no KQL expression", path)
	}
	return queries, nil
}

func parseParagraph(lines []string, path string, first int) ([]kql.Query, error) {
	text := strings.TrimSpace(strings.Join(lines, "\n"))
	whole, wholeErr := parseFieldwise(text)
	if value, line, runsOver := whole.RunsOver(); wholeErr == nil && runsOver {
		return nil, fmt.Errorf("%s line %d: %w", path, first+line-1, runsOverError(value))
	}
	if wholeErr == nil {
		return []kql.Query{whole}, nil
	}
	var queries []kql.Query
	var lineErr error
	for i, one := range lines {
		if strings.TrimSpace(one) == "" {
			continue
		}
		q, err := parseFieldwise(strings.TrimSpace(one))
		if err != nil && lineErr == nil {
			lineErr = fmt.Errorf("%s line %d: %w", path, first+i, err)
		}
		if err == nil {
			queries = append(queries, q)
		}
	}
	if lineErr != nil && len(queries) == 0 && len(lines) > 1 { // it is one expression, and its error counts lines itself
		return nil, fmt.Errorf("%s, expression at line %d: %w", path, first, wholeErr)
	}
	return queries, lineErr
}

// runsOverError is for a value that two lines make, because the second has no
// field or because there is no or between them.
func runsOverError(value string) error {
	return fmt.Errorf("%q runs over the end of the line: write FIELD: (one or other) for several values, or put it in quotes", value)
}

// likeNetwork is what is meant for a network.
var likeNetwork = regexp.MustCompile(`^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*/\d+$`)

// parseFieldwise refuses words without a field, which in a file are forgotten
// fields or a list of another format, and networks that are none: the cluster
// would name them without their line.
func parseFieldwise(text string) (kql.Query, error) {
	q, err := kql.Parse(text)
	if err != nil {
		return q, err
	}
	for _, c := range q.Clauses() {
		if c.Field == "" {
			return q, fmt.Errorf("%q has no field: write FIELD: VALUE", strings.Join(c.Values, " "))
		}
		for _, v := range c.Values {
			if _, err := netip.ParsePrefix(v); err != nil && likeNetwork.MatchString(v) {
				return q, fmt.Errorf("%q is no network", v)
			}
		}
	}
	return q, nil
}
