package alert

import (
	"errors"
	"fmt"
	"slices"

	"newterms/esquery/elastic"
)

// Overrides are the fields of an event whose values replace the rule's name, risk score
// and severity in an alert.
type Overrides struct {
	name, risk string // fields; "" for none
	severity   []severityMapping
}

type severityMapping struct{ field, value, severity string }

// OverridesOf reads rule_name_override, risk_score_mapping and severity_mapping of a
// rule. Like Kibana it reads only the first mapping of the risk score. It ignores
// mappings without a field, which Kibana exports. Its error lists invalid mappings.
func OverridesOf(rule Rule) (Overrides, error) {
	var o Overrides
	var problems []error
	o.name, _ = rule["rule_name_override"].(string)
	if risk := objectsOf(rule["risk_score_mapping"], "risk_score_mapping", &problems); len(risk) > 0 {
		o.risk, _ = risk[0]["field"].(string)
	}
	for _, m := range objectsOf(rule["severity_mapping"], "severity_mapping", &problems) {
		field, _ := m["field"].(string)
		if field == "" {
			continue
		}
		value, isText := m["value"].(string)
		severity, _ := m["severity"].(string)
		if !isText || !slices.Contains(severities(), severity) {
			problems = append(problems, fmt.Errorf("severity_mapping: %v needs a value, a text, and a severity of low, medium, high or critical", field))
			continue
		}
		o.severity = append(o.severity, severityMapping{field, value, severity})
	}
	return o, errors.Join(problems...)
}

// severities lists the severities in rising order.
func severities() []string { return []string{"low", "medium", "high", "critical"} }

// objectsOf returns the objects in a list of mappings.
func objectsOf(value any, name string, problems *[]error) []map[string]any {
	var objects []map[string]any
	switch list := value.(type) {
	case nil:
	case []map[string]any:
		objects = list
	case []any:
		for _, element := range list {
			object, ok := element.(map[string]any)
			if !ok {
				*problems = append(*problems, fmt.Errorf("%s is no list of tables", name))
				return nil
			}
			objects = append(objects, object)
		}
	default:
		*problems = append(*problems, fmt.Errorf("%s is no list of tables", name))
	}
	for _, m := range objects {
		field, _ := m["field"].(string)
		if operator, given := m["operator"]; given && operator != "equals" && field != "" {
			*problems = append(*problems, fmt.Errorf("%s: the operator %v of %s is not equals", name, operator, field))
		}
	}
	return objects
}

// Fields lists the event's fields that the overrides read.
func (o Overrides) Fields() []string {
	var fields []string
	for _, field := range []string{o.name, o.risk} {
		if field != "" {
			fields = append(fields, field)
		}
	}
	for _, m := range o.severity {
		fields = append(fields, m.field)
	}
	return fields
}

// Wanted lists the event's fields to fetch: those of the overrides, and their parents,
// which show whether a field is a multi-field.
func (o Overrides) Wanted() []string {
	wanted := o.Fields()
	for _, field := range o.Fields() {
		for end := range elastic.Dots(field) {
			wanted = append(wanted, field[:end])
		}
	}
	slices.Sort(wanted)
	return slices.Compact(wanted)
}

// keys lists the alert fields whose value depends on the event.
func (o Overrides) keys() []string {
	var keys []string
	if o.name != "" {
		keys = append(keys, "kibana.alert.rule.name")
	}
	if o.risk != "" {
		keys = append(keys, "kibana.alert.risk_score")
	}
	if len(o.severity) > 0 {
		keys = append(keys, "kibana.alert.severity")
	}
	return keys
}
