package rule

import (
	"fmt"
	"maps"
	"slices"

	"newterms/job/rule/document"
)

// A Warning is about a key of a rule, or a file, that has another effect than its author
// may expect.
type Warning struct {
	Path string
	Line int    // of the key, from 1; 0 if it is about the whole file
	Key  string // "" if it is about the whole file
	Text string // the effect, and what to do about it
}

func (w *Warning) Error() string {
	if w.Line == 0 {
		return fmt.Sprintf("rule %s: %s", w.Path, w.Text)
	}
	return fmt.Sprintf("rule %s line %d: %s", w.Path, w.Line, w.Text)
}

// A keyUse says what the program does with a key.
type keyUse int

const (
	unknownKey    keyUse = iota
	authored             // written by the author: alerts have it
	kibanaManaged        // added by Kibana: alerts do not have it
)

// A key is a key that a rule may have in TOML or an export.
type key struct {
	use keyUse
	not string // describes a value that Kibana refuses; "" if it accepts any
}

func keys() map[string]key {
	all := map[string]key{}
	for not, names := range map[string][]string{
		"no text": {
			"building_block_type", "data_view_id", "description", "from", "history_window_start", "interval", "language", "license", "name",
			"namespace", "note", "query", "rule_id", "rule_name_override", "setup", "severity", "timeline_id", "timeline_title",
			"timestamp_override", "to", "type",
		},
		"no list of texts":              {"author", "false_positives", "index", "new_terms_fields", "references", "tags"},
		"no list of tables":             {"exceptions_list", "filters", "related_integrations", "required_fields", "threat"},
		"no table":                      {"alert_suppression", "new_terms"},
		"no table or list of texts":     {"investigation_fields"},
		"neither true nor false":        {"timestamp_override_fallback_disabled"},
		"no whole number from 1 up":     {"max_signals", "version"},
		"no whole number from 0 to 100": {"risk_score"},
		"":                              {"risk_score_mapping", "severity_mapping"},
	} {
		for _, name := range names {
			all[name] = key{authored, not}
		}
	}
	for not, names := range map[string][]string{
		"neither true nor false": {"enabled"},
		"no list of tables":      {"actions", "response_actions"},
		"": {
			"alias_purpose", "alias_target_id", "created_at", "created_by", "execution_summary", "id", "immutable", "meta", "outcome",
			"output_index", "revision", "rule_source", "throttle", "updated_at", "updated_by",
		},
	} {
		for _, name := range names {
			all[name] = key{kibanaManaged, not}
		}
	}
	return all
}

// accepts reports whether Kibana accepts a value for the key.
func (k key) accepts(value any) bool {
	isTexts := func() bool {
		list, ok := value.([]any)
		return ok && !slices.ContainsFunc(list, func(v any) bool { _, isText := v.(string); return !isText })
	}
	_, isTable := value.(map[string]any)
	ok := true
	switch k.not {
	case "no text":
		_, ok = value.(string)
	case "no list of texts":
		ok = isTexts()
	case "no list of tables":
		_, ok = document.Tables(value)
	case "no table":
		ok = isTable
	case "no table or list of texts":
		ok = isTable || isTexts()
	case "neither true nor false":
		_, ok = value.(bool)
	case "no whole number from 1 up":
		n, isNumber := document.Number(value)
		ok = isNumber && n >= 1 && n == float64(int64(n))
	case "no whole number from 0 to 100":
		n, isNumber := document.Number(value)
		ok = isNumber && n >= 0 && n <= 100 && n == float64(int64(n))
	}
	return ok
}

// checkValues refuses the values that Kibana refuses, and warns of keys without an
// effect.
func (t *tableReader) checkValues() {
	known := keys()
	for _, name := range slices.Sorted(maps.Keys(t.table)) {
		value := t.table[name]
		switch k := known[name]; {
		case k.use == unknownKey:
			t.warn(name, "the key %s is unknown and has no effect: look for a typing error", name)
		case !k.accepts(value):
			t.problem("%s: %s is %s", name, shown(value), k.not)
		}
	}
	if to, _ := t.table["to"].(string); to != "" && to != "now" {
		t.warn("to", "to is %q and has no effect: a scheduled run ends now", to)
	}
	for _, unused := range []struct{ name, text string }{
		{"actions", "actions have no effect: newterms setup --notify makes the Kibana rules that notify"},
		{"response_actions", "response_actions have no effect: newterms responds to nothing, and newterms setup --notify makes the Kibana rules that notify"},
		{"alert_suppression", "alert_suppression has no effect: each pair has an alert of its own"},
	} {
		if value, given := t.table[unused.name]; given && !isEmpty(value) {
			t.warn(unused.name, "%s", unused.text)
		}
	}
}

// shown formats a value for a message, and shortens a long one.
func shown(value any) string {
	text := fmt.Sprintf("%v", value)
	if s, ok := value.(string); ok {
		text = fmt.Sprintf("%q", s)
	}
	if r := []rune(text); len(r) > 60 {
		text = string(r[:57]) + "..."
	}
	return text
}
