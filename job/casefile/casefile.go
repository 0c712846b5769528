// Package casefile reads the cases of a rule, which stand beside it: those of x.toml are
// in x.test.toml. A case has events and the alerts that a run must find in them.
package casefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Suffix is the end of the names of case files.
const Suffix = ".test.toml"

// PathOf returns the case file of a rule file.
func PathOf(rule string) string { return strings.TrimSuffix(rule, filepath.Ext(rule)) + Suffix }

// A Case says which alerts a rule makes of some events. All of its times are relative to
// one moment, its zero; times before it are negative.
type Case struct {
	Name string
	Path string
	Line int // of its [[case]]
	// Rule is the rule_id or the name of its rule; "" if the file of the rule has only one.
	Rule string
	// From and To are the window [From, To) to run. With Schedule it is run in windows of
	// that length, as scheduled runs do; 0 is one run.
	From, To, Schedule time.Duration
	// MissingTerms is skip or include; "" is the setting.
	MissingTerms string
	Events       []Event // in the order of the file, each of a series
	Alerts       []Alert // none means that the run must find none
}

// An Alert is expected. What is "" or nil is not compared.
type Alert struct {
	Line int
	// Terms are in the order of the new-terms fields, or ByField holds them by field.
	Terms   []any
	ByField map[string]any
	// At is the time of the first occurrence.
	At             *time.Duration
	Severity, Name string
	RiskScore      *float64
}

// An Error names the line of a case file that cannot be used.
type Error struct {
	Path string
	Line int
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Read reads a case file, and the files of events that it names. The error joins an
// *Error for each problem; the cases are complete only without one.
func Read(path string) ([]Case, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{path, 1, err}
	}
	return Parse(path, string(text))
}

// Parse is Read for the text of a case file. path is for messages, and files of events
// are relative to it.
func Parse(path, text string) ([]Case, error) {
	r := reader{path: path, lines: strings.Split(text, "\n")}
	var file struct {
		Event map[string]any `toml:"event"`
		Cases []caseTable    `toml:"case"`
	}
	meta, err := toml.Decode(strings.TrimPrefix(text, "\ufeff"), &file)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, &Error{path, max(1, syntax.Position.Line), errors.New(syntax.Message)}
	case err != nil:
		return nil, typeError(path, err)
	}
	for _, key := range meta.Undecoded() {
		r.unknown(key)
	}
	if len(file.Cases) == 0 {
		r.problem(1, "it has no [[case]]")
	}
	names := map[string]bool{}
	var cases []Case
	for i, table := range file.Cases {
		c := r.readCase(i, table, file.Event)
		if names[c.Rule+"\n"+c.Name] {
			r.problem(c.Line, "there is another case %q: each needs a name of its own", c.Name)
		}
		names[c.Rule+"\n"+c.Name] = true
		cases = append(cases, c)
	}
	return cases, errors.Join(r.problems...)
}

// lineOfError matches the line in an error about the type of a value.
var lineOfError = regexp.MustCompile(`^toml: line (\d+) \(last key "([^"]+)"\): (incompatible types: )?`)

func typeError(path string, err error) error {
	found := lineOfError.FindStringSubmatch(err.Error())
	if found == nil {
		return &Error{path, 1, err}
	}
	line, _ := strconv.Atoi(found[1]) // they are digits
	return &Error{path, line, fmt.Errorf("%s: %s", found[2], err.Error()[len(found[0]):])}
}
