package rule

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"newterms/job/rule/document"
)

// checkContents refuses values inside of lists and tables, and texts, that Kibana
// refuses when somebody saves or imports the rule.
func (t *tableReader) checkContents() {
	if text, given := t.table["description"].(string); given && strings.TrimSpace(text) == "" {
		t.problem("description is empty")
	}
	references, _ := t.table["references"].([]any)
	for _, one := range references {
		if text, isText := one.(string); isText && text != "" && !isWebAddress(text) {
			t.problem("references: %s is no address that begins with https:// or http://", shown(text))
		}
	}
	t.texts("related_integrations", t.table["related_integrations"], "package", "version")
	t.texts("required_fields", t.table["required_fields"], "name", "type")
	t.checkThreats()
	t.checkMappings()
	t.checkSuppression()
	if fields, isTable := t.table["investigation_fields"].(map[string]any); isTable {
		if names, ok := document.Texts(fields["field_names"]); !ok || len(names) == 0 {
			t.problem("investigation_fields.field_names is no list of field names")
		}
	}
	lists, _ := document.Tables(t.table["exceptions_list"])
	for _, list := range lists {
		if kind, given := list["namespace_type"]; given && kind != "single" && kind != "agnostic" {
			t.problem("exceptions_list: the namespace_type %s is neither single nor agnostic", shown(kind))
		}
	}
}

func isWebAddress(text string) bool {
	if strings.HasPrefix(text, "www.") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// texts refuses tables of a list that lack one of the texts.
func (t *tableReader) texts(name string, list any, keys ...string) {
	tables, _ := document.Tables(list)
	for i, table := range tables {
		for _, key := range keys {
			if text, _ := table[key].(string); text == "" {
				t.problem("%s: entry %d lacks %s", name, i+1, key)
			}
		}
	}
}

func (t *tableReader) checkThreats() {
	threats, _ := document.Tables(t.table["threat"])
	t.texts("threat", threats, "framework")
	for _, threat := range threats {
		tactic, _ := threat["tactic"].(map[string]any)
		t.texts("threat.tactic", []map[string]any{tactic}, "id", "name", "reference")
		techniques, _ := document.Tables(threat["technique"])
		t.texts("threat.technique", techniques, "id", "name", "reference")
		for _, technique := range techniques {
			t.texts("threat.technique.subtechnique", technique["subtechnique"], "id", "name", "reference")
		}
	}
}

// checkMappings checks what alerts.OverridesOf does not use.
func (t *tableReader) checkMappings() {
	mappings, _ := document.Tables(t.table["risk_score_mapping"])
	for _, m := range mappings {
		if score, given := m["risk_score"]; given && score != nil && !(key{not: "no whole number from 0 to 100"}).accepts(score) {
			t.problem("risk_score_mapping: %s is no whole number from 0 to 100", shown(score))
		}
	}
}

func (t *tableReader) checkSuppression() {
	suppression, _ := t.table["alert_suppression"].(map[string]any)
	if len(suppression) == 0 {
		return
	}
	if fields, ok := document.Texts(suppression["group_by"]); !ok || len(fields) < 1 || len(fields) > 3 {
		t.problem("alert_suppression.group_by is no list of one to three field names")
	}
	if strategy, given := suppression["missing_fields_strategy"]; given && strategy != "suppress" && strategy != "doNotSuppress" {
		t.problem("alert_suppression.missing_fields_strategy: %s is neither suppress nor doNotSuppress", shown(strategy))
	}
	duration, given := suppression["duration"].(map[string]any)
	if unit := fmt.Sprint(duration["unit"]); given && (!slices.Contains([]string{"s", "m", "h"}, unit) || !(key{not: "no whole number from 1 up"}).accepts(duration["value"])) {
		t.problem("alert_suppression.duration is no whole number from 1 up with the unit s, m or h")
	}
}
