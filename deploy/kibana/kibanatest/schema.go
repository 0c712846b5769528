package kibanatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// RuleProblem says why Kibana refuses the body that creates a rule of the type
// .es-query, or that updates one; "" if it does not. Connectors gives the type of
// each connector that there is.
func RuleProblem(body []byte, update bool, connectors map[string]string) string {
	var rule map[string]any
	if err := json.Unmarshal(body, &rule); err != nil {
		return err.Error()
	}
	fields := map[string]check{
		"name": text, "tags": listOf(text), "schedule": object(map[string]check{"interval": duration}),
		"params": params, "actions": listOf(action(connectors)),
	}
	if !update {
		maps.Copy(fields, map[string]check{
			"rule_type_id": oneOf(".es-query"), "consumer": oneOf("stackAlerts", "alerts", "logs", "infrastructure", "observability"), "enabled": boolean,
		})
	}
	if problem := object(fields)(rule); problem != "" {
		return "[request body" + problem
	}
	return ""
}

// A check returns what is wrong with a value, "" if nothing is. It begins with
// where in the value that is.
type check func(any) string

// object wants each of the fields and no other, but for those that may be nil.
func object(fields map[string]check) check {
	return func(v any) string {
		o, ok := v.(map[string]any)
		if !ok {
			return fmt.Sprintf("]: expected an object, got %v", v)
		}
		for name := range o {
			if fields[name] == nil {
				return "." + name + "]: definition for this key is missing"
			}
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if problem := fields[name](o[name]); problem != "" {
				return "." + name + problem
			}
		}
		return ""
	}
}

func listOf(element check) check {
	return func(v any) string {
		list, ok := v.([]any)
		if !ok {
			return fmt.Sprintf("]: expected an array, got %v", v)
		}
		for i, e := range list {
			if problem := element(e); problem != "" {
				return fmt.Sprintf(".%d%s", i, problem)
			}
		}
		return ""
	}
}

func text(v any) string {
	if s, ok := v.(string); !ok || s == "" {
		return fmt.Sprintf("]: expected a text, got %v", v)
	}
	return ""
}

func boolean(v any) string {
	if _, ok := v.(bool); !ok {
		return fmt.Sprintf("]: expected a boolean, got %v", v)
	}
	return ""
}

func between(least, most float64) check {
	return func(v any) string {
		if n, ok := v.(float64); !ok || n < least || n > most || n != float64(int(n)) {
			return fmt.Sprintf("]: expected a number from %v to %v, got %v", least, most, v)
		}
		return ""
	}
}

func oneOf(values ...string) check {
	return func(v any) string {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			return fmt.Sprintf("]: expected one of %v, got %v", values, v)
		}
		return ""
	}
}

func duration(v any) string {
	if s, ok := v.(string); !ok || !regexp.MustCompile(`^[1-9]\d*[smhd]$`).MatchString(s) {
		return fmt.Sprintf("]: expected a duration, got %v", v)
	}
	return ""
}

// queryText is JSON in a string, with a query in it.
func queryText(v any) string {
	s, _ := v.(string)
	var query struct{ Query map[string]any }
	if err := json.Unmarshal([]byte(s), &query); err != nil || len(query.Query) == 0 {
		return fmt.Sprintf("]: expected a query as JSON in a string, got %v", v)
	}
	return ""
}

// params are those of Elasticsearch query rules, in Query DSL or in ES|QL.
func params(v any) string {
	p, _ := v.(map[string]any)
	fields := map[string]check{
		"searchType": oneOf("esQuery", "esqlQuery"), "timeField": text, "size": between(0, 10_000),
		"timeWindowSize": between(1, 1<<31), "timeWindowUnit": oneOf("s", "m", "h", "d"),
		"threshold": listOf(between(0, 1<<31)), "thresholdComparator": oneOf(">", ">=", "<", "<="),
		"aggType": oneOf("count"), "groupBy": oneOf("all", "top"), "excludeHitsFromPreviousRun": boolean,
	}
	if p["searchType"] == "esqlQuery" {
		fields["esqlQuery"] = object(map[string]check{"esql": text})
		fields["thresholdComparator"], fields["groupBy"] = oneOf(">"), oneOf("all")
		fields["threshold"] = listOf(between(0, 0))
	} else {
		fields["esQuery"] = queryText
		fields["index"] = listOf(text)
	}
	if p["groupBy"] == "top" {
		fields["termField"], fields["termSize"] = text, between(1, 1000)
	}
	if problem := object(fields)(v); problem != "" {
		return problem
	}
	if threshold := p["threshold"].([]any); len(threshold) != 1 {
		return fmt.Sprintf(".threshold]: %s takes one value, not %v", p["thresholdComparator"], threshold)
	}
	return ""
}

// action checks what is said, when and through which connector.
func action(connectors map[string]string) check {
	return func(v any) string {
		a, _ := v.(map[string]any)
		id, _ := a["id"].(string)
		kind, ok := connectors[id]
		if !ok {
			return fmt.Sprintf(".id]: Saved object [action/%s] not found", id)
		}
		frequency, _ := a["frequency"].(map[string]any)
		throttle := func(v any) string {
			if frequency["notify_when"] == "onThrottleInterval" {
				return duration(v)
			}
			if v != nil {
				return fmt.Sprintf("]: only onThrottleInterval has a throttle, not %v", frequency["notify_when"])
			}
			return ""
		}
		return object(map[string]check{
			"id": text, "group": oneOf("query matched", "recovered"),
			"frequency": object(map[string]check{
				"summary": boolean, "notify_when": oneOf("onActionGroupChange", "onActiveAlert", "onThrottleInterval"), "throttle": throttle,
			}),
			"params": object(actionParams(kind)),
		})(v)
	}
}

func actionParams(kind string) map[string]check {
	switch kind {
	case ".email":
		return map[string]check{"to": listOf(text), "subject": text, "message": text}
	case ".server-log":
		return map[string]check{"level": oneOf("trace", "debug", "info", "warn", "error", "fatal"), "message": text}
	case ".index":
		return map[string]check{"documents": listOf(func(v any) string {
			if _, ok := v.(map[string]any); !ok {
				return "]: expected an object"
			}
			return ""
		})}
	case ".webhook":
		return map[string]check{"body": text}
	}
	return map[string]check{"message": text}
}
