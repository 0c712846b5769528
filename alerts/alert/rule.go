package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"newterms/alerts/summary"
	"newterms/esquery/elastic/words"
)

// A Rule holds the parameters of a detection rule under the names of Kibana's detection
// API (rule_id, name, severity, new_terms_fields, …), in JSON's types.
type Rule map[string]any

// InvestigationFields lists the fields that the rule's author wants to be looked at.
func (r Rule) InvestigationFields() []string {
	listed := r["investigation_fields"]
	if table, ok := listed.(map[string]any); ok {
		listed = table["field_names"]
	}
	var names []string
	list, _ := listed.([]any)
	for _, one := range list {
		if name, ok := one.(string); ok && name != "" && !strings.Contains(name, "*") {
			names = append(names, name)
		}
	}
	return names
}

// SummaryFields lists the fields to summarize, as summary.FieldsOf.
func (r Rule) SummaryFields() [][]string {
	newTerms, _ := r["new_terms_fields"].([]string)
	query, _ := r["query"].(string)
	return summary.FieldsOf(newTerms, r.InvestigationFields(), query)
}

// Edition returns the id of the rule's document in the runs target: a hash of the
// content, so that each edition of a rule is stored once.
func (r Rule) Edition() (string, error) {
	content, err := json.Marshal([]Rule{r})
	if err != nil {
		return "", fmt.Errorf("identify the rule: %w", err)
	}
	return "rule-" + hash(string(content)), nil
}

// Document returns the document of the rule, with what is too long for each alert: the
// note, the references, the query. now is the document's time.
func (r Rule) Document(now time.Time) ([]byte, error) {
	doc := ruleFields(r)
	for _, name := range ruleNames() {
		if value, ok := r[name]; ok {
			doc["kibana.alert.rule."+name] = value
		}
	}
	doc["kibana.alert.rule.parameters"] = r
	doc["@timestamp"] = words.Stamp(now)
	doc["event.kind"] = "event"
	doc["event.action"] = "newterms-rule"
	return json.Marshal(doc)
}

// alertNames lists the rule's parameters that each alert has. ruleNames adds those that
// only the rule's own document has, and that Kibana has under kibana.alert.rule.
func alertNames() []string {
	return []string{
		"rule_id", "name", "type", "description", "version", "tags", "severity", "risk_score", "threat", "timestamp_override", "building_block_type",
	}
}

func ruleNames() []string {
	return append(alertNames(), "author", "license", "references", "false_positives", "note", "setup", "from", "to", "interval", "max_signals")
}

// ruleFields returns kibana.alert.rule.* of an alert. Other parameters, which Kibana
// has in each alert, are in the rule's own document here.
func ruleFields(rule Rule) map[string]any {
	fields := map[string]any{
		"kibana.alert.rule.uuid":         rule["rule_id"],
		"kibana.alert.rule.category":     "New Terms Rule",
		"kibana.alert.rule.producer":     "siem",
		"kibana.alert.rule.consumer":     "siem",
		"kibana.alert.rule.rule_type_id": "siem.newTermsRule",
		"kibana.alert.rule.enabled":      "true",
		"kibana.alert.rule.revision":     0,
		"kibana.alert.rule.indices":      rule["index"],
	}
	for _, name := range alertNames() {
		if value, ok := rule[name]; ok {
			fields["kibana.alert.rule."+name] = value
		}
	}
	if threat, ok := fields["kibana.alert.rule.threat"]; ok {
		fields["kibana.alert.rule.threat"] = without(threat, "reference")
	}
	return fields
}

// without copies a JSON value without the members of a name.
func without(value any, name string) any {
	switch v := value.(type) {
	case []any:
		kept := make([]any, len(v))
		for i, one := range v {
			kept[i] = without(one, name)
		}
		return kept
	case []map[string]any: // as TOML has it
		kept := make([]any, len(v))
		for i, one := range v {
			kept[i] = without(one, name)
		}
		return kept
	case map[string]any:
		kept := map[string]any{}
		for key, member := range v {
			if key != name {
				kept[key] = without(member, name)
			}
		}
		return kept
	}
	return value
}
