package casefile

import (
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"newterms/esquery/elastic/words"
	"newterms/job/datemath"
)

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
