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

	"newterms/esquery/elastic/words"
	"newterms/job/datemath"
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
	r := reader{path: path, lines: newLines(text)}
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

// caseTable is a [[case]].
type caseTable struct {
	Name         string           `toml:"name"`
	Rule         string           `toml:"rule"`
	From         string           `toml:"from"`
	To           string           `toml:"to"`
	Schedule     string           `toml:"schedule"`
	MissingTerms string           `toml:"missing_terms"`
	Events       string           `toml:"events"`
	Last         string           `toml:"last"`
	Event        []map[string]any `toml:"event"`
	Alert        []alertTable     `toml:"alert"`
}

// alertTable is a [[case.alert]].
type alertTable struct {
	Terms     any      `toml:"terms"`
	At        string   `toml:"at"`
	Severity  string   `toml:"severity"`
	Name      string   `toml:"name"`
	RiskScore *float64 `toml:"risk_score"`
}

// known lists the keys of each kind of table.
func known() map[string][]string {
	return map[string][]string{
		"":           {"event", "case"},
		"case":       {"name", "rule", "from", "to", "schedule", "missing_terms", "events", "last", "event", "alert"},
		"case.alert": {"terms", "at", "severity", "name", "risk_score"},
	}
}

// reader reads a case file and collects its problems.
type reader struct {
	path     string
	lines    lines
	problems []error
}

func (r *reader) problem(line int, format string, args ...any) {
	r.problems = append(r.problems, &Error{r.path, line, fmt.Errorf(format, args...)})
}

// unknown reports a key that is none of the format's.
func (r *reader) unknown(key toml.Key) {
	last := len(key) - 1
	table := strings.Join(key[:last], ".")
	names, isTable := known()[table]
	if !isTable {
		return // below a key that is reported itself
	}
	text := fmt.Sprintf("the key %s is unknown", key[last])
	if meant := words.Closest(key[last], names); meant != "" {
		text += ": did you mean " + meant + "?"
	} else {
		text += ": use " + strings.Join(names, ", ")
	}
	r.problem(r.lines.ofKey(key[last]), "%s", text)
}

func (r *reader) readCase(i int, t caseTable, every map[string]any) Case {
	c := Case{Name: t.Name, Path: r.path, Line: r.lines.of("case", i), Rule: t.Rule, From: -24 * time.Hour, MissingTerms: t.MissingTerms}
	line := func(key string) int { return r.lines.keyIn(c.Line, key) }
	if c.Name == "" {
		r.problem(c.Line, "the case has no name")
	}
	for _, given := range []struct {
		key, text string
		into      *time.Duration
	}{{"from", t.From, &c.From}, {"to", t.To, &c.To}} {
		if given.text != "" {
			r.offset(line(given.key), given.key, given.text, given.into)
		}
	}
	if t.Schedule != "" {
		var err error
		if c.Schedule, err = datemath.Duration(t.Schedule); err != nil || c.Schedule <= 0 {
			r.problem(line("schedule"), "schedule: %q is no length of time, such as 5m", t.Schedule)
		}
	}
	if c.From >= c.To {
		r.problem(line("from"), "from is not before to, which is %s", Offset(c.To))
	} else if c.Schedule > 0 && (c.To-c.From)/c.Schedule >= maxRuns {
		r.problem(line("schedule"), "that is more than %d runs: begin later, or run less often", maxRuns)
	}
	if m := c.MissingTerms; m != "" && m != "skip" && m != "include" {
		r.problem(line("missing_terms"), "missing_terms: %q is neither skip nor include", m)
	}
	c.Events = r.recorded(t, line)
	for n, table := range t.Event {
		c.Events = append(c.Events, r.series(r.lines.in("case.event", i, n), table, every)...)
	}
	if len(c.Events) == 0 && len(r.problems) == 0 {
		r.problem(c.Line, "the case has no event")
	}
	for n, table := range t.Alert {
		c.Alerts = append(c.Alerts, r.alert(r.lines.in("case.alert", i, n), table))
	}
	return c
}

// maxRuns is how many runs a case may have, and maxEvents how many events.
const (
	maxRuns   = 1000
	maxEvents = 10_000
)

func (r *reader) alert(line int, t alertTable) Alert {
	a := Alert{Line: line, Severity: t.Severity, Name: t.Name, RiskScore: t.RiskScore}
	switch terms := t.Terms.(type) {
	case []any:
		a.Terms = terms
	case map[string]any:
		a.ByField = map[string]any{}
		flatten("", terms, func(path string, value any) { a.ByField[path] = value })
	case nil:
		r.problem(line, "the alert has no terms: write them in the order of the new-terms fields")
	default:
		r.problem(line, "terms: %v is neither a list nor a table", terms)
	}
	if t.At != "" {
		a.At = new(time.Duration)
		r.offset(r.lines.keyIn(line, "at"), "at", t.At, a.At)
	}
	return a
}

// offset reads a time relative to zero.
func (r *reader) offset(line int, key, text string, into *time.Duration) {
	d, err := ParseOffset(text)
	if err != nil {
		r.problem(line, "%s: %w", key, err)
	}
	*into = d
}
