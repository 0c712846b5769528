package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"newterms/job/datemath"
	"newterms/job/rule/document"
)

// A tableReader reads a [rule] table and collects its problems.
type tableReader struct {
	table    map[string]any
	problems []error
	warnings []*Warning // without file and line
}

func (t *tableReader) warn(key, format string, args ...any) {
	t.warnings = append(t.warnings, &Warning{Key: key, Text: fmt.Sprintf(format, args...)})
}

func (t *tableReader) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Errorf(format, args...))
}

// text reads a required string. checkValues refuses other types.
func (t *tableReader) text(name, instead string) string {
	value := t.table[name]
	s, _ := value.(string)
	if value == nil || value == "" {
		t.problem("%s is missing%s", name, instead)
	}
	return s
}

// severity checks that the severity is one of Kibana's.
func (t *tableReader) severity() {
	const known = "low, medium, high, critical"
	if s := t.text("severity", ": it is one of "+known); s != "" && !slices.Contains(strings.Split(known, ", "), s) {
		t.problem("severity %q is none of %s", s, known)
	}
}

// query reads the KQL of the rule. Only a rule with filters may have none.
func (t *tableReader) query() string {
	if value, given := t.table["query"]; !given && isEmpty(t.table["filters"]) {
		t.problem("query is missing: write \"\" or * for every event")
	} else if text, ok := value.(string); ok {
		return text
	}
	return ""
}

// indices reads the index patterns. They may be missing if there is a data view: the
// settings can name them.
func (t *tableReader) indices() []string {
	list, ok := document.Texts(t.table["index"])
	view, _ := t.table["data_view_id"].(string)
	switch {
	case ok && len(list) > 0 && view != "":
		t.warn("data_view_id", "data_view_id has no effect: index names the indices")
	case t.table["index"] != nil && !ok:
		t.problem("index has an empty name, or is no list of texts")
	case len(list) == 0 && view == "":
		t.problem("index is missing")
	}
	return list
}

// ago reads an optional `now-…`.
func (t *tableReader) ago(name, absentList string) time.Duration {
	value, ok := t.table[name].(string)
	if !ok {
		value = absentList
	}
	return t.agoOf(name, value)
}

func (t *tableReader) agoOf(name, value string) time.Duration {
	d, err := datemath.Ago(value)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%q does not reach back in time", value)
	}
	if err != nil {
		t.problem("%s: %w", name, err)
	}
	return d
}

// kibanaInterval matches the intervals at which Kibana runs a rule.
var kibanaInterval = regexp.MustCompile(`^[1-9][0-9]*[smhd]$`)

// interval reads how often the rule runs in Kibana.
func (t *tableReader) interval() time.Duration {
	value, ok := t.table["interval"].(string)
	if !ok {
		value = "5m"
	}
	d, err := datemath.Duration(value)
	if err != nil || !kibanaInterval.MatchString(value) {
		t.problem("interval: %s is no whole number from 1 up with s, m, h or d", shown(value))
	}
	return d
}

func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []map[string]any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// newTerms reads the flat form of Kibana's API, or else [rule.new_terms], where one key
// has a setting's name and another its value.
func (t *tableReader) newTerms() (fields []string, history string) {
	if flat, ok := t.table["new_terms_fields"]; ok {
		if fields, ok = document.Texts(flat); !ok {
			t.problem("new_terms_fields is no list of field names")
		}
		return fields, t.text("history_window_start", ": write how far back the history reaches, such as now-7d")
	}
	newTerms, ok := t.table["new_terms"].(map[string]any)
	if !ok {
		t.problem("new_terms_fields, or the table [rule.new_terms], is missing")
		return nil, ""
	}
	if name := newTerms["field"]; name != "new_terms_fields" {
		t.problem("new_terms.field is %v, not new_terms_fields", name)
	}
	if fields, ok = document.Texts(newTerms["value"]); !ok {
		t.problem("new_terms.value is no list of field names")
	}
	windows, _ := document.Tables(newTerms["history_window_start"])
	if len(windows) != 1 || windows[0]["field"] != "history_window_start" {
		t.problem("new_terms.history_window_start must be one table, with field = \"history_window_start\"")
		return fields, ""
	}
	history, _ = windows[0]["value"].(string)
	return fields, history
}

func (t *tableReader) checkFields(fields []string) {
	if n := len(fields); n < 1 || n > 3 {
		t.problem("it has %d new-terms fields: one to three are allowed", n)
	}
	for i, field := range fields {
		if slices.Contains(fields[:i], field) {
			t.problem("it has the new-terms field %s twice", field)
		}
	}
}
