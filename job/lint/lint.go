// Package lint checks rule files and the cases beside them without a cluster.
package lint

import (
	"cmp"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/rule"
	"newterms/job/rule/document"
)

// A Finding is a problem of a file, or a warning about it.
type Finding struct {
	document.Finding
	IsWarning bool
}

// A Report is about files of rules and cases.
type Report struct {
	Suites   []cases.Suite // of the rules that can be used, also of those without cases
	Findings []Finding     // by file and line
}

// Problems returns the number of findings that are no warnings.
func (r Report) Problems() int {
	n := 0
	for _, f := range r.Findings {
		if !f.IsWarning {
			n++
		}
	}
	return n
}

// Check reads rules and their cases. The settings apply to the rules, as in a run.
func Check(paths []string, s rule.Settings, now time.Time) Report {
	var report Report
	library, err := rule.Read(paths...)
	report.add(err)
	report.add(library.Apply(s, now))
	for _, w := range library.Warnings {
		report.Findings = append(report.Findings, Finding{document.Finding{Path: w.Path, Line: w.Line, Text: w.Text}, true})
	}
	suites, without, err := cases.Suites(library.Rules, paths)
	report.add(err)
	for i, s := range suites {
		report.add(s.Check())
		suites[i].Cases = slices.DeleteFunc(s.Cases, func(c casefile.Case) bool { return cases.Suite{Rule: s.Rule, Cases: []casefile.Case{c}}.Check() != nil })
	}
	report.Suites = suites
	for _, r := range without {
		report.Suites = append(report.Suites, cases.Suite{Rule: r})
	}
	report.sort()
	return report
}

// AddUnknown warns of the fields of each rule whose types are not known. The line is the
// first that has the field, or 1 in an export.
func (r *Report) AddUnknown(types cases.Types, of string) {
	for _, s := range r.Suites {
		path := s.Rule.Path()
		for _, field := range types.Unknown(s.Rule.Search.PlainNames()) {
			text := "the field " + field + " is not in the mapping of " + of
			r.Findings = append(r.Findings, Finding{document.Finding{Path: cmp.Or(path, s.Rule.Source), Line: lineOf(path, field), Text: text}, true})
		}
	}
	r.sort()
}

// lineOf returns the first line of a rule file that has a field.
func lineOf(path, field string) int {
	if !strings.HasSuffix(path, ".toml") { // an export may have several rules
		return 1
	}
	text, _ := os.ReadFile(path) // it has been read before
	whole := regexp.MustCompile(`(^|[^\w.@-])` + regexp.QuoteMeta(field) + `($|[^\w.@-])`)
	n := 0
	for line := range strings.Lines(string(text)) {
		if n++; whole.MatchString(strings.TrimRight(line, "\r\n")) && !strings.HasPrefix(line, "#") {
			return n
		}
	}
	return 1
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line)) })
}

// add adds the problems that an error joins.
func (r *Report) add(err error) {
	var ofRule *rule.Error
	var ofCase *casefile.Error
	joined, isJoined := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
	case isJoined:
		for _, one := range joined.Unwrap() {
			r.add(one)
		}
	case errors.As(err, &ofRule):
		for _, f := range ofRule.Findings() {
			r.Findings = append(r.Findings, Finding{f, false})
		}
	case errors.As(err, &ofCase):
		r.Findings = append(r.Findings, Finding{document.Finding{Path: ofCase.Path, Line: ofCase.Line, Text: ofCase.Err.Error()}, false})
	}
}
