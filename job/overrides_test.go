package job_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"newterms/esquery/elastic"
)

var overriddenEvents = flag.Int("overridden", 1_000, "how many random events override a rule; a quarter of them with -short")

// TestOverridesAreKibanas lets random hostile events override the name, the risk
// score and the severity of rules. What is right an oracle says: it asks as Kibana
// does, for the source and all fields, and does step by step what Kibana does.
func TestOverridesAreKibanas(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	amount := shorter(*overriddenEvents)
	t.Logf("go test ./job -run %s -seed %d -overridden %d", t.Name(), *seed, amount)
	random := rand.New(rand.NewPCG(*seed, 9))
	w := newWorld(t)
	w.create("events", overriddenMapping())
	var documents []map[string]any
	for i := range amount {
		e := overridingEvent(random)
		e["_id"], e["who"], e["rule"], e["t"] = fmt.Sprint(i), fmt.Sprint("actor-", i), i%rulesOverridden, "2026-03-10T12:00:00.000Z"
		documents = append(documents, e)
	}
	stored := w.indexWhatFits(documents)
	hits := w.asKibanaReads(t)
	right, of := map[string]int{}, 0
	for n := range rulesOverridden {
		parameters := map[string]any{
			"query": fmt.Sprint("rule:", n), "timestamp_override": "t", "timestamp_override_fallback_disabled": true, "history_window_start": "now-7d",
			"new_terms_fields": []string{"who"}, "name": "Rule", "severity": "medium", "risk_score": 47,
		}
		maps.Copy(parameters, randomOverrides(random))
		var found []map[string]any
		if _, err := w.job(w.rule(parameters), &found).Run(t.Context(), uuid.NewString(), noon(t)); err != nil {
			t.Fatal(err)
		}
		for _, alert := range found {
			id := alert["kibana.alert.ancestors"].([]any)[0].(map[string]any)["id"].(string)
			of++
			for name, want := range kibanasOverrides(parameters, hits[id]) {
				key := map[string]string{"name": "kibana.alert.rule.name", "severity": "kibana.alert.severity", "risk_score": "kibana.alert.risk_score"}[name]
				if got := fmt.Sprint(alert[key]); got == fmt.Sprint(want) {
					right[name]++
				} else if right[name+" shown"]++; right[name+" shown"] < 4 {
					t.Errorf("%s is %.99s, want %.99v, with %v and %v of %.500s and %.500v", key, got, want, parameters["rule_name_override"], parameters[name+"_mapping"], hits[id].Source, hits[id].Fields)
				}
			}
		}
	}
	t.Logf("as Kibana has it: the severity of %d, the risk score of %d and the name of %d of %d", right["severity"], right["risk_score"], right["name"], of)
	if of != stored || stored < amount*6/10 {
		t.Errorf("%d alerts of %d events, of which the source has %d", of, amount, stored)
	}
}

const rulesOverridden = 8

// A kibanaHit is an event as Kibana reads it. Numbers are float64, as to Kibana.
type kibanaHit struct {
	ID     string `json:"_id"`
	Source elastic.Document
	Fields map[string][]any `json:"fields"`
}

func (w *world) asKibanaReads(t *testing.T) map[string]kibanaHit {
	t.Helper()
	var hits []struct {
		ID     string           `json:"_id"`
		Source elastic.Document `json:"_source"`
		Fields elastic.Fields   `json:"fields"`
	}
	_, err := w.client.Hits(t.Context(), elastic.Search{Indices: []string{w.prefix + "events"}, Body: map[string]any{
		"size": 10_000, "fields": []any{map[string]any{"field": "*", "include_unmapped": true}},
	}}, &hits)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]kibanaHit{}
	for _, h := range hits {
		read[h.ID] = kibanaHit{h.ID, h.Source, h.Fields}
	}
	return read
}

// overriddenMapping has fields that a source lacks: aliases, copies and multi-fields.
func overriddenMapping() map[string]any {
	keyword := func(more ...any) map[string]any {
		m := map[string]any{"type": "keyword", "ignore_above": 8000}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	field := func(kind string) map[string]any { return map[string]any{"type": kind, "ignore_malformed": true} }
	return map[string]any{"dynamic": false, "properties": map[string]any{
		"t": map[string]any{"type": "date"}, "who": map[string]any{"type": "keyword"}, "rule": map[string]any{"type": "long"},
		"event": map[string]any{"properties": map[string]any{
			"severity": field("long"), "risk_score": field("float"), "outcome": keyword(), "reason": keyword("copy_to", "copied"),
			"created": field("date"), "other": field("long"),
		}},
		"alias":  map[string]any{"properties": map[string]any{"severity": map[string]any{"type": "alias", "path": "event.severity"}, "reason": map[string]any{"type": "alias", "path": "event.reason"}}},
		"copied": keyword("fields", map[string]any{"text": map[string]any{"type": "text"}}),
		"kibana": map[string]any{"type": "object", "enabled": false}, "signal": map[string]any{"type": "object", "enabled": false},
		"other": map[string]any{"type": "object", "enabled": false}, "flat": map[string]any{"type": "flattened"},
		"point": map[string]any{"type": "geo_point", "ignore_malformed": true}, "flag": map[string]any{"type": "boolean", "ignore_malformed": true},
	}}
}

// overridingNames are fields that override, and that events may have.
func overridingNames() []string {
	return []string{
		"event.severity", "event.risk_score", "event.outcome", "event.reason", "event.kind", "event.created", "event.other", "event.other.x", "alias.severity", "alias.reason",
		"copied", "copied.text", "kibana.alert.severity", "kibana.alert.risk_score", "signal.rule.name", "threshold_result.value", "newterms.x", "other.a.b", "other.tags.0", "flat", "flat.key",
		"point", "flag", "unmapped", "unmapped.deep.er", "@timestamp", "user.name", "_doc_count",
	}
}

func overridingValue(random *rand.Rand, depth int) any {
	scalars := []any{
		nil, true, false, "true", "", " ", "7", " 7 ", "7.0", "0x7", "07", "1e1", "\u00a055\ufeff", "5_0", "Infinity", "NaN", "-1", "100.5", "1e400", "٧", "high", "critical", "failure", "success", "Failure", "null",
		json.Number("7"), json.Number("7.0"), json.Number("7.5"), json.Number("-0"), json.Number("0"), json.Number("99"), json.Number("1e2"), json.Number("100.5"), json.Number("-3"), json.Number("9007199254740993"),
		json.Number("1e400"), json.Number("700000000000000000000"), json.Number("3.4e38"), "2026-03-10T12:00:00Z", "\x00", "\u2028", strings.Repeat("x", 9_000), "a\nb", "😀", "<b>",
	}
	switch n := random.IntN(12); {
	case depth == 3 && n > 9: // no source takes objects there
		return []any{overridingValue(random, 4), overridingValue(random, 4)}
	case depth > 2 || n < 8:
		return scalars[random.IntN(len(scalars))]
	case n < 10:
		list := make([]any, random.IntN(4))
		for i := range list {
			list[i] = overridingValue(random, depth+1)
		}
		return list
	}
	object := map[string]any{}
	for range random.IntN(3) {
		object[[]string{"severity", "risk_score", "reason", "a", "b", "key", "er", "deep.er", "0", "x"}[random.IntN(10)]] = overridingValue(random, depth+1)
	}
	return object
}

// overridingEvent has fields nested, dotted, and both.
func overridingEvent(random *rand.Rand) map[string]any {
	e := map[string]any{}
	names := slices.DeleteFunc(overridingNames(), func(name string) bool { // which no source takes
		return strings.HasPrefix(name, "alias.") || slices.Contains([]string{"event.other.x", "copied.text", "flat", "_doc_count"}, name)
	})
	for range 1 + random.IntN(10) {
		name := names[random.IntN(len(names))]
		at := e
		parts := strings.Split(name, ".")
		for len(parts) > 1 && random.IntN(6) > 0 {
			n := 1
			if len(parts) > 2 && random.IntN(6) == 0 {
				n = 2
			}
			child, ok := at[strings.Join(parts[:n], ".")].(map[string]any)
			if !ok {
				child = map[string]any{}
				at[strings.Join(parts[:n], ".")] = child
			}
			at, parts = child, parts[n:]
		}
		depth := 0
		if mayHoldNoObject := strings.HasPrefix(name, "event.") || strings.HasPrefix(name, "copied") || name == "flag"; mayHoldNoObject {
			depth = 3
		}
		at[strings.Join(parts, ".")] = overridingValue(random, depth)
	}
	return e
}

func randomOverrides(random *rand.Rand) map[string]any {
	names := overridingNames()
	name := func() string { return names[random.IntN(len(names))] }
	overrides := map[string]any{"rule_name_override": name(), "risk_score_mapping": []any{
		map[string]any{"field": name(), "operator": "equals", "value": ""}, map[string]any{"field": name(), "operator": "equals", "value": ""},
	}}
	var severities []any
	for range 6 {
		severities = append(severities, map[string]any{
			"field": []string{"event.severity", "", name(), name(), name(), name()}[random.IntN(6)], "operator": "equals",
			"value":    []string{"7", " 7.9 ", "", "true", "failure", "high", "0", "99", "100", "7.5", "7.0", "0x7", "x", "9007199254740992"}[random.IntN(14)],
			"severity": []string{"low", "medium", "high", "critical"}[random.IntN(4)],
		})
	}
	overrides["severity_mapping"] = severities
	return overrides
}

// kibanasOverrides puts the fields that a source lacks into it, one by one, and
// then looks up what overrides.
func kibanasOverrides(rule map[string]any, hit kibanaHit) map[string]any {
	var source map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(hit.Source)))
	decoder.UseNumber()
	if err := decoder.Decode(&source); err != nil {
		panic(err)
	}
	for _, key := range slices.Sorted(maps.Keys(hit.Fields)) {
		kibanaMerge(source, key, hit.Fields)
	}
	result := map[string]any{"name": rule["name"], "severity": rule["severity"], "risk_score": rule["risk_score"]}
	if name, ok := lodashGet(source, rule["rule_name_override"].(string)).(string); ok {
		result["name"] = name
	}
	first := rule["risk_score_mapping"].([]any)[0].(map[string]any)["field"].(string)
	best := math.Inf(-1)
	for _, value := range asList(lodashGet(source, first)) {
		n := math.NaN()
		switch v := value.(type) {
		case json.Number:
			n, _ = v.Float64() // infinite if it is too large
		case string:
			n = scriptNumber(v)
		}
		if n >= 0 && n <= 100 {
			best = max(best, n)
		}
	}
	if best >= 0 {
		result["risk_score"] = strconv.FormatFloat(math.Abs(best), 'g', -1, 64)
	}
	for _, severity := range []string{"low", "medium", "high", "critical"} {
		for _, m := range rule["severity_mapping"].([]any) {
			m := m.(map[string]any)
			if m["severity"] == severity && kibanaMatches(m["field"].(string), m["value"].(string), asList(lodashGet(source, m["field"].(string)))) {
				result["severity"] = severity
			}
		}
	}
	return result
}

func kibanaMatches(field, wanted string, values []any) bool {
	for _, value := range values {
		if n, ok := value.(json.Number); ok {
			f, _ := n.Float64()
			if whole := f == math.Trunc(f) && math.Abs(f) < 1<<53; !whole {
				continue
			}
			if field == "event.severity" {
				if f == math.Floor(scriptNumber(wanted)) {
					return true
				}
				continue
			}
			value = strconv.FormatInt(int64(f), 10)
		}
		if field != "event.severity" && value == any(wanted) {
			return true
		}
	}
	return false
}

func asList(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

// scriptNumber reads a text as JavaScript's Number does; NaN if it is none.
func scriptNumber(text string) float64 {
	const space = "\t\n\v\f\r \u00a0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
	text = strings.Trim(text, space)
	switch {
	case text == "":
		return 0
	case strings.HasPrefix(text, "0x"), strings.HasPrefix(text, "0X"), strings.HasPrefix(text, "0o"), strings.HasPrefix(text, "0b"):
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil || strings.Contains(text, "_") {
			return math.NaN()
		}
		return float64(n)
	case strings.Trim(text, "0123456789.eE+-") != "":
		return math.NaN()
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// lodashGet is how Kibana looks up a path.
func lodashGet(document map[string]any, path string) any {
	if value, ok := document[path]; ok {
		return value
	}
	var at any = document
	for part := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[part]
		case []any:
			n, err := strconv.ParseUint(part, 10, 32)
			if err != nil || int(n) >= len(v) {
				return nil
			}
			at = v[n]
		default:
			return nil
		}
	}
	return at
}

// kibanaMerge puts a field into a source that lacks it.
func kibanaMerge(source map[string]any, key string, fields map[string][]any) {
	values := fields[key]
	parts := strings.Split(key, ".")
	if deepGet(source, parts) != nil || !validPath(source, parts) || len(values) == 0 || key == "_ignored" {
		return
	}
	for i := 1; i < len(parts); i++ {
		if _, parent := fields[strings.Join(parts[:i], ".")]; parent {
			return
		}
	}
	switch values[0].(type) {
	case map[string]any, []any:
		return
	}
	value := any(values)
	if len(values) == 1 {
		value = values[0]
	}
	deepSet(source, parts, value)
}

func deepGet(document map[string]any, parts []string) any {
	if value := document[strings.Join(parts, ".")]; value != nil {
		return value
	}
	for i := 1; i < len(parts); i++ {
		switch v := document[strings.Join(parts[:i], ".")].(type) {
		case nil:
		case map[string]any:
			return deepGet(v, parts[i:])
		default:
			return nil
		}
	}
	return nil
}

func validPath(document map[string]any, parts []string) bool {
	for i := 1; i <= len(parts); i++ {
		switch v := document[strings.Join(parts[:i], ".")].(type) {
		case nil:
		case map[string]any:
			return validPath(v, parts[i:])
		default:
			return false
		}
	}
	return true
}

func deepSet(document map[string]any, parts []string, value any) {
	for i := 1; i < len(parts); i++ {
		if child, ok := document[strings.Join(parts[:i], ".")].(map[string]any); ok {
			deepSet(child, parts[i:], value)
			return
		}
	}
	if _, whole := document[strings.Join(parts, ".")]; whole || len(parts) == 1 {
		document[strings.Join(parts, ".")] = value
		return
	}
	child := map[string]any{}
	document[parts[0]] = child
	for _, part := range parts[1 : len(parts)-1] {
		next := map[string]any{}
		child[part], child = next, next
	}
	child[parts[len(parts)-1]] = value
}
