package rule

import (
	"fmt"
	"time"

	"newterms/job/datemath"
)

// tableReader reads the [rule] table and collects all that is wrong with it.
type tableReader struct {
	table    map[string]any
	problems []error
}

func (t *tableReader) problem(format string, args ...any) {
	t.problems = append(t.problems, fmt.Errorf(format, args...))
}

// text is a required string.
func (t *tableReader) text(name string) string {
	s, _ := t.table[name].(string)
	if s == "" {
		t.problem("%s is missing", name)
	}
	return s
}

// texts is a required list of strings.
func (t *tableReader) texts(name string) []string {
	list, ok := stringsOf(t.table[name])
	if !ok || len(list) == 0 {
		t.problem("%s is missing, or no list of strings", name)
	}
	return list
}

func stringsOf(value any) ([]string, bool) {
	list, ok := value.([]any)
	texts := make([]string, len(list))
	for i, element := range list {
		s, isString := element.(string)
		if !isString || s == "" {
			return nil, false
		}
		texts[i] = s
	}
	return texts, ok
}

// tablesOf reads a list of tables, which TOML writes with [[…]] or inline.
func tablesOf(value any) ([]map[string]any, bool) {
	if tables, ok := value.([]map[string]any); ok {
		return tables, true
	}
	list, ok := value.([]any)
	tables := make([]map[string]any, len(list))
	for i, element := range list {
		if tables[i], ok = element.(map[string]any); !ok {
			return nil, false
		}
	}
	return tables, ok
}

// ago is an optional `now-…`.
func (t *tableReader) ago(name, absent string) time.Duration {
	value, ok := t.table[name].(string)
	if !ok {
		value = absent
	}
	return t.agoOf(name, value)
}

func (t *tableReader) agoOf(name, value string) time.Duration {
	d, err := datemath.Ago(value)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%q reaches back no time", value)
	}
	if err != nil {
		t.problem("%s: %w", name, err)
	}
	return d
}

// interval is how often the rule runs in Kibana.
func (t *tableReader) interval() time.Duration {
	value, ok := t.table["interval"].(string)
	if !ok {
		value = "5m"
	}
	d, err := datemath.Duration(value)
	if err != nil {
		t.problem("interval: %w", err)
	}
	return d
}

// refuse names what the rule has that is not supported and would change which
// alerts there are. Exported rules have such keys empty.
func (t *tableReader) refuse() {
	for _, key := range []struct{ name, instead string }{
		{"alert_suppression", "a pair has one alert until it is unseen for the history window: take it out, or make new-terms fields of what it groups by"},
		{"data_view_id", "write its indices into index"},
	} {
		if value, ok := t.table[key.name]; ok && !isEmpty(value) {
			t.problem("%s is not supported and would change which alerts there are; %s", key.name, key.instead)
		}
	}
}

// number is an integer or a fraction.
func number(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func isEmpty(value any) bool {
	switch v := value.(type) {
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

// newTerms reads the flat form of Kibana's API, or else [rule.new_terms], which
// names each of its two settings in a key and holds the value in another.
func (t *tableReader) newTerms() (fields []string, history string) {
	if flat, ok := t.table["new_terms_fields"]; ok {
		if fields, ok = stringsOf(flat); !ok {
			t.problem("new_terms_fields is no list of field names")
		}
		if history, ok = t.table["history_window_start"].(string); !ok {
			t.problem("history_window_start is missing")
		}
		return fields, history
	}
	newTerms, ok := t.table["new_terms"].(map[string]any)
	if !ok {
		t.problem("new_terms_fields, or the table [rule.new_terms], is missing")
		return nil, ""
	}
	if name := newTerms["field"]; name != "new_terms_fields" {
		t.problem("new_terms.field is %v, not new_terms_fields", name)
	}
	if fields, ok = stringsOf(newTerms["value"]); !ok {
		t.problem("new_terms.value is no list of field names")
	}
	windows, _ := tablesOf(newTerms["history_window_start"])
	if len(windows) != 1 || windows[0]["field"] != "history_window_start" {
		t.problem("new_terms.history_window_start must be one table, with field = \"history_window_start\"")
		return fields, ""
	}
	history, _ = windows[0]["value"].(string)
	return fields, history
}
