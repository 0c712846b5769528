package rule

import (
	"fmt"
	"maps"
	"slices"
)

// An UnknownKey is something in a rule that Kibana's rules do not have: a typing
// error mostly, without which the rule would say something else.
type UnknownKey struct {
	Path string
	Line int
	Key  string
}

func (u *UnknownKey) Error() string {
	return fmt.Sprintf("rule %s line %d: the key %s is unknown and has no effect", u.Path, u.Line, u.Key)
}

// A keyUse says what becomes of a key.
type keyUse int

const (
	nobodys   keyUse = iota
	ofTheRule        // what the author wrote: alerts carry it
	ofKibana         // what Kibana keeps of a rule: it is left out
)

// keys are those that a rule may have in TOML or an export.
func keys() map[string]keyUse {
	all := map[string]keyUse{}
	for _, name := range []string{
		"alert_suppression", "author", "building_block_type", "data_view_id", "description", "exceptions_list", "false_positives", "filters",
		"from", "history_window_start", "index", "interval", "investigation_fields", "language", "license", "max_signals", "name",
		"namespace", "new_terms", "new_terms_fields", "note", "query", "references", "related_integrations", "required_fields",
		"risk_score", "risk_score_mapping", "rule_id", "rule_name_override", "setup", "severity", "severity_mapping", "tags",
		"threat", "timeline_id", "timeline_title", "timestamp_override", "timestamp_override_fallback_disabled", "to", "type", "version",
	} {
		all[name] = ofTheRule
	}
	for _, name := range []string{
		"actions", "alias_purpose", "alias_target_id", "created_at", "created_by", "enabled", "execution_summary", "id", "immutable",
		"meta", "outcome", "output_index", "response_actions", "revision", "rule_source", "throttle", "updated_at", "updated_by",
	} {
		all[name] = ofKibana
	}
	return all
}

func (d document) unknownKeys() []error {
	known := keys()
	var unknown []error
	for _, key := range slices.Sorted(maps.Keys(d.table)) {
		if known[key] == nobodys {
			unknown = append(unknown, &UnknownKey{d.path, d.lineOf(key), key})
		}
	}
	return unknown
}
