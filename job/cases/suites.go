package cases

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"newterms/esquery/elastic"
	"newterms/job/casefile"
	"newterms/job/rule"
)

// A Suite is a rule with its cases.
type Suite struct {
	Rule  rule.Rule // with the settings applied to its search
	Cases []casefile.Case
}

// Check reports expected alerts that do not fit the rule, or that no run covers. Its error
// joins a *casefile.Error for each case that has any.
func (s Suite) Check() error {
	var problems []error
	for _, c := range s.Cases {
		_, err := expectedOf(s.Rule.Search.Fields, c)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// RuleFiles returns the rule files and folders to load for paths, some of which may be
// case files.
func RuleFiles(paths []string) ([]string, error) {
	var files []string
	var problems []error
	for _, path := range paths {
		if strings.HasSuffix(path, casefile.Suffix) {
			of := ruleOf(path)
			if of == "" {
				problems = append(problems, orphan(path))
				continue
			}
			path = of
		}
		if !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	return files, errors.Join(problems...)
}

// ruleOf returns the rule file that a case file belongs to; "" if there is none.
func ruleOf(path string) string {
	for _, extension := range []string{".toml", ".ndjson", ".json"} {
		of := strings.TrimSuffix(path, casefile.Suffix) + extension
		if _, err := os.Stat(of); err == nil {
			return of
		}
	}
	return ""
}

func orphan(path string) error {
	return &casefile.Error{Path: path, Line: 1, Err: fmt.Errorf("there is no rule %s beside it", strings.TrimSuffix(path, casefile.Suffix)+".toml")}
}

// Suites returns the cases of rules, in the order of the rules, and the rules that have
// none. Its error joins a *casefile.Error for each problem, also for a case file
// in paths without a rule.
func Suites(rules []rule.Rule, paths []string) (suites []Suite, without []rule.Rule, err error) {
	read := map[string][]casefile.Case{}
	var problems []error
	ofFile := map[string][]rule.Rule{}
	for _, r := range rules {
		ofFile[r.Path()] = append(ofFile[r.Path()], r)
	}
	for path, of := range ofFile {
		cases, err := casesOf(path)
		if err == nil {
			err = assigned(cases, of)
		}
		if err != nil {
			problems = append(problems, err)
		}
		read[path] = cases
	}
	for _, r := range rules {
		s := Suite{Rule: r}
		for _, c := range read[r.Path()] {
			if c.Rule == r.ID || c.Rule == r.Name || c.Rule == "" {
				s.Cases = append(s.Cases, c)
			}
		}
		if len(s.Cases) == 0 {
			without = append(without, r)
		} else {
			suites = append(suites, s)
		}
	}
	return suites, without, errors.Join(append(problems, orphans(paths)...)...)
}

// casesOf reads the cases of a rule file, if it has any.
func casesOf(path string) ([]casefile.Case, error) {
	if path == "" {
		return casefile.Parse("(built in)", rule.BuiltinCases)
	}
	file := casefile.PathOf(path)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return casefile.Read(file)
}

// assigned checks that each case belongs to one of the rules of its file.
func assigned(cases []casefile.Case, rules []rule.Rule) error {
	var problems []error
	for _, c := range cases {
		of := 0
		for _, r := range rules {
			if c.Rule == r.ID || c.Rule == r.Name || c.Rule == "" {
				of++
			}
		}
		switch {
		case of > 1:
			problems = append(problems, &casefile.Error{Path: c.Path, Line: c.Line, Err: errors.New("the file has several rules: say with rule, an id, whose case it is")})
		case of == 0:
			problems = append(problems, &casefile.Error{Path: c.Path, Line: c.Line, Err: fmt.Errorf("there is no rule with the id or name %q", c.Rule)})
		}
	}
	return errors.Join(problems...)
}

// orphans reports the case files in folders that have no rule.
func orphans(paths []string) []error {
	var problems []error
	for _, path := range paths {
		// An error of the folder is reported with its rules.
		_ = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
			case strings.HasPrefix(d.Name(), ".") && file != path && d.IsDir():
				return filepath.SkipDir
			case strings.HasSuffix(file, casefile.Suffix) && ruleOf(file) == "":
				problems = append(problems, orphan(file))
			}
			return nil
		})
	}
	return problems
}

// A SuiteOutcome is the result of all cases of a rule.
type SuiteOutcome struct {
	Rule  rule.Rule
	Cases []Outcome
	// Mutations are the changes of the rule that were tried; nil if none were.
	Mutations []Mutation
}

// Errors returns the errors of cases that could not run. hold reports whether the other
// cases hold.
func (s SuiteOutcome) Errors() (problems []error, hold bool) {
	hold = true
	for _, o := range s.Cases {
		var ofCase *casefile.Error
		switch {
		case errors.As(o.Err, &ofCase): // which has the file and the line
			problems = append(problems, o.Err)
		case o.Err != nil:
			problems = append(problems, fmt.Errorf("%s:%d: rule %s: case %q: %w", o.Case.Path, o.Case.Line, s.Rule.Name, o.Case.Name, o.Err))
		default:
			hold = hold && o.Holds()
		}
	}
	return problems, hold
}

// RunAll runs the cases of suites, some at once, and returns the outcomes in order. With
// mutate it also finds out which changes of the rules the cases notice. Its error is that
// of ctx or of the server, or about a rule that cannot be changed.
func (r *Runner) RunAll(ctx context.Context, suites []Suite, atOnce int, mutate bool) ([]SuiteOutcome, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	all := make([]SuiteOutcome, len(suites))
	ofRules := make([]*mutations, len(suites))
	for i, s := range suites {
		all[i] = SuiteOutcome{Rule: s.Rule, Cases: make([]Outcome, len(s.Cases))}
		if !mutate {
			continue
		}
		var err error
		if ofRules[i], err = newMutations(s.Rule); err != nil {
			return nil, err
		}
		all[i].Mutations = ofRules[i].all
	}
	var workers sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i, s := range suites {
		free <- struct{}{}
		workers.Go(func() {
			defer func() { <-free }()
			r.runSuite(ctx, s, ofRules[i], all[i].Cases, stop)
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: not all cases have run", context.Cause(ctx))
	}
	return all, nil
}

// runSuite runs the cases of a rule one after the other. It calls stop with an error that
// all other cases would have too.
func (r *Runner) runSuite(ctx context.Context, s Suite, m *mutations, outcomes []Outcome, stop func(error)) {
	index, err := r.Space.Create(ctx, r.Types.mapping(s.Fields()))
	defer func() { _ = r.Space.Remove(ctx, index) }() // Space.Close reports what is left
	b := bench{index: index}
	for i, c := range s.Cases {
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			outcomes[i] = Outcome{Case: c, Zero: r.Zero, Err: err}
		default:
			outcomes[i] = r.run(ctx, &b, s.Rule, c, m)
		}
		if err := outcomes[i].Err; ofServer(err) {
			stop(err)
		}
	}
}

// ofServer reports whether the server does not answer, or refuses the user.
func ofServer(err error) bool {
	var lost *elastic.NoAnswerError
	return errors.As(err, &lost) || elastic.HasStatus(err, http.StatusUnauthorized) || elastic.HasStatus(err, http.StatusForbidden)
}
