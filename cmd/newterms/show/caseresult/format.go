package caseresult

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"newterms/job/casefile"
	"newterms/job/cases"
	"newterms/job/rule"
)

// A casesJSON is what Print prints as JSON.
type casesJSON struct {
	Rules   []suiteJSON `json:"rules"`
	Without int         `json:"rules_without_cases"`
	Sources []string    `json:"sources_without_cases,omitempty"` // files, with the line in an export
}

type suiteJSON struct {
	RuleID    string           `json:"rule_id"`
	Name      string           `json:"name"`
	Cases     []caseJSON       `json:"cases"`
	Mutations []cases.Mutation `json:"mutations,omitempty"`
}

type caseJSON struct {
	Name         string           `json:"name"`
	File         string           `json:"file"`
	Line         int              `json:"line"`
	Holds        bool             `json:"holds"`
	Milliseconds int64            `json:"took_ms"`
	Error        string           `json:"error,omitempty"`
	Differences  []differenceJSON `json:"differences,omitempty"`
	Unknown      []string         `json:"unknown_fields,omitempty"`
}

type differenceJSON struct {
	Kind  string            `json:"kind"`
	Line  int               `json:"line,omitempty"` // of the expected alert
	Terms []any             `json:"terms"`
	At    string            `json:"at,omitempty"`
	Want  map[string]string `json:"want,omitempty"`
	Got   map[string]string `json:"got,omitempty"`
	Why   string            `json:"why,omitempty"`
}

func caseReport(all []cases.SuiteOutcome, without []rule.Rule) casesJSON {
	report := casesJSON{Rules: []suiteJSON{}, Without: len(without)}
	for _, r := range without {
		report.Sources = append(report.Sources, r.Source)
	}
	for _, s := range all {
		suite := suiteJSON{RuleID: s.Rule.ID, Name: s.Rule.Name, Mutations: s.Mutations}
		for _, o := range s.Cases {
			c := caseJSON{Name: o.Case.Name, File: o.Case.Path, Line: o.Case.Line, Holds: o.Holds(), Milliseconds: o.Took.Milliseconds(), Unknown: o.Unknown}
			if o.Err != nil {
				c.Error = o.Err.Error()
			}
			for _, d := range o.Differences {
				one := differenceJSON{Kind: d.Kind, Line: d.Line, Terms: d.Terms, Why: strings.TrimSpace(verdictLines(s, o, d))}
				if d.At != nil {
					one.At = casefile.Offset(*d.At)
				}
				for _, v := range d.Values {
					if one.Want == nil {
						one.Want, one.Got = map[string]string{}, map[string]string{}
					}
					one.Want[v.Field], one.Got[v.Field] = v.Want, v.Got
				}
				c.Differences = append(c.Differences, one)
			}
			suite.Cases = append(suite.Cases, c)
		}
		report.Rules = append(report.Rules, suite)
	}
	return report
}

// junit is the XML of JUnit reports, as far as CI systems read it.
type junit struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Seconds string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func caseSuites(out io.Writer, all []cases.SuiteOutcome) error {
	var report junit
	for _, s := range all {
		suite := junitSuite{Name: s.Rule.Name, Tests: len(s.Cases)}
		for _, o := range s.Cases {
			c := junitCase{Class: s.Rule.Name, Name: o.Case.Name, File: o.Case.Path, Line: o.Case.Line, Seconds: fmt.Sprintf("%.3f", o.Took.Seconds())}
			switch {
			case o.Err != nil:
				suite.Errors++
				c.Error = &junitProblem{"it cannot run", o.Err.Error()}
			case len(o.Differences) > 0:
				suite.Failures++
				c.Failure = &junitProblem{"it does not hold", differenceLines(s, o)}
			}
			suite.Cases = append(suite.Cases, c)
		}
		report.Suites = append(report.Suites, suite)
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	if err := encoder.Encode(report); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}
