package alerts

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"newterms/esquery/elastic"
)

// Overrides are what a rule takes from the event instead of its own parameters.
type Overrides struct {
	name     string // the field with the name of the rule; "" for none
	risk     []string
	severity []severityMapping
}

type severityMapping struct{ field, value, severity string }

// OverridesOf reads rule_name_override, risk_score_mapping and severity_mapping
// of a rule. Mappings without a field, which Kibana exports, are none. Its error
// says what of them cannot be meant.
func OverridesOf(rule Rule) (Overrides, error) {
	var o Overrides
	var problems []error
	o.name, _ = rule["rule_name_override"].(string)
	for _, m := range objectsOf(rule["risk_score_mapping"], "risk_score_mapping", &problems) {
		o.risk = append(o.risk, m["field"].(string))
	}
	for _, m := range objectsOf(rule["severity_mapping"], "severity_mapping", &problems) {
		value, isText := m["value"].(string)
		severity, _ := m["severity"].(string)
		if !isText || !slices.Contains(severities(), severity) {
			problems = append(problems, fmt.Errorf("severity_mapping: %v needs a value, a text, and a severity of low, medium, high or critical", m["field"]))
			continue
		}
		o.severity = append(o.severity, severityMapping{m["field"].(string), value, severity})
	}
	return o, errors.Join(problems...)
}

// severities are in rising order.
func severities() []string { return []string{"low", "medium", "high", "critical"} }

// objectsOf are those of a list that name a field.
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
	return slices.DeleteFunc(slices.Clone(objects), func(m map[string]any) bool {
		field, _ := m["field"].(string)
		if operator, given := m["operator"]; given && operator != "equals" && field != "" {
			*problems = append(*problems, fmt.Errorf("%s: the operator %v of %s is not equals", name, operator, field))
			return true
		}
		return field == ""
	})
}

// Fields are those of the event that the overrides read.
func (o Overrides) Fields() []string {
	fields := slices.Clone(o.risk)
	if o.name != "" {
		fields = append(fields, o.name)
	}
	for _, m := range o.severity {
		fields = append(fields, m.field)
	}
	return fields
}

// keys are what alerts say each by itself because of the overrides.
func (o Overrides) keys() []string {
	var keys []string
	if o.name != "" {
		keys = append(keys, "kibana.alert.rule.name")
	}
	if len(o.risk) > 0 {
		keys = append(keys, "kibana.alert.risk_score")
	}
	if len(o.severity) > 0 {
		keys = append(keys, "kibana.alert.severity")
	}
	return keys
}

// of is the rule with what it takes from an event. What the event does not have,
// or has in no usable way, stays as the rule says: a severity is the highest of
// those whose value the event has, and a risk score the highest number from 0 to
// 100.
func (o Overrides) of(rule Rule, e *Event) Rule {
	if len(o.keys()) == 0 {
		return rule
	}
	event, _ := e.parts()
	rule = maps.Clone(rule)
	if name := textOf(event, o.name); o.name != "" && name != "" {
		rule["name"] = name
	}
	best := -1.0
	for _, field := range o.risk {
		for _, v := range valuesAt(event, field) {
			if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 && n <= 100 && n > best {
				best = n
				rule["risk_score"] = n
			}
		}
	}
	highest := -1
	for _, m := range o.severity {
		if at := slices.Index(severities(), m.severity); at > highest && slices.Contains(valuesAt(event, m.field), m.value) {
			highest = at
			rule["severity"] = m.severity
		}
	}
	return rule
}

func valuesAt(event map[string]any, field string) []string {
	value, _ := elastic.Lookup(event, field)
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var values []string
	for _, v := range list {
		switch v.(type) {
		case nil, map[string]any, []any:
		default:
			values = append(values, fmt.Sprint(v))
		}
	}
	return values
}
