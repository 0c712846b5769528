package alerts

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var firstSeen = time.Date(2026, 3, 10, 12, 0, 0, 5e6, time.UTC)

func TestNewKey(t *testing.T) {
	key := func(rule string, terms []any, at time.Time) Key {
		t.Helper()
		k, err := NewKey(rule, terms, at)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := key("r", []any{"a", "b"}, firstSeen)
	// printf '["r",["a","b"],1773144000005]' | sha256sum: ids must never change, or reruns would write again.
	if want := "7cd2b3f1d92569ed5e17b3b9443f12a606336956921523f50a31c7b47d307135"; base.ID != want {
		t.Errorf("got id %s, want %s", base.ID, want)
	}
	if again := key("r", []any{"a", "b"}, firstSeen.Add(900*time.Microsecond).In(time.FixedZone("", 3600))); again.ID != base.ID {
		t.Error("the id depends on more than the milliseconds of the time")
	}
	for name, other := range map[string]Key{
		"another rule":        key("s", []any{"a", "b"}, firstSeen),
		"another order":       key("r", []any{"b", "a"}, firstSeen),
		"a shifted border":    key("r", []any{"a,b"}, firstSeen),
		"a number":            key("r", []any{"1", "b"}, firstSeen),
		"a number's type":     key("r", []any{json.Number("1"), "b"}, firstSeen),
		"an absent value":     key("r", []any{nil, "b"}, firstSeen),
		"the text of nothing": key("r", []any{"null", "b"}, firstSeen),
	} {
		if other.ID == base.ID || other.Pair == base.Pair {
			t.Errorf("%s has the same key", name)
		}
	}
	if a, b := key("r", []any{"1"}, firstSeen), key("r", []any{json.Number("1")}, firstSeen); a.Pair == b.Pair {
		t.Error(`"1" and 1 are one pair`)
	}
	if later := key("r", []any{"a", "b"}, firstSeen.Add(time.Millisecond)); later.ID == base.ID || later.Pair != base.Pair {
		t.Error("a later time must change the id and keep the pair")
	}
}

func testRule() Rule {
	return Rule{
		"rule_id": "r1", "name": "Rule", "type": "new_terms", "severity": "medium", "risk_score": json.Number("47"),
		"new_terms_fields": []string{"okta.actor.id", "cloud.account.id"}, "history_window_start": "now-7d", "index": []string{"logs-*"},
		"threat": []any{map[string]any{"framework": "MITRE ATT&CK"}},
	}
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func newAlert(t *testing.T, source string, fields map[string][]any) Alert {
	t.Helper()
	key, err := NewKey("r1", []any{"00u1", "acc-1"}, firstSeen)
	if err != nil {
		t.Fatal(err)
	}
	return New(testRule(), RunInfo{ID: "run-1", Type: RunManual}, Finding{
		Key: key, Terms: []any{"00u1", "acc-1"}, Events: 3, From: firstSeen.Add(-time.Hour), To: firstSeen.Add(time.Hour),
		EventIndex: ".ds-logs-1", EventID: "e1", EventSource: decode(t, source), EventFields: fields,
	}, firstSeen.Add(time.Minute))
}

func TestNewAlert(t *testing.T) {
	a := newAlert(t, `{"@timestamp": "2026-03-10T11:59:00.000Z",
		"event": {"kind": "event", "action": "user.session.start", "ingested": "2026-03-10T12:00:00Z"}, "event.category": ["authentication"],
		"okta": {"actor": {"id": "00u1", "display_name": "Ada Sorensen", "alternate_id": "ada@example.org"},
			"client": {"ip": "192.0.2.7", "zone": "null"}, "event_type": "user.session.start", "outcome": {"result": "SUCCESS"}},
		"client": {"geo": {"city_name": "Oslo", "country_name": "Norway"}, "as": {"organization": {"name": "Fjordnet"}}},
		"cloud": {"account": {"id": ["acc-1", "acc-2"]}}, "kibana": {"alert": {"uuid": "x"}}, "kibana.version": "1", "signal": {"a": 1}, "newterms.pair": "x"}`,
		map[string][]any{"data_stream.dataset": {"okta.system"}, "okta.actor.id": {"other"}, "event.action.text": {"x"}, "_id": {"y"}})
	for path, want := range map[string]any{
		"@timestamp": "2026-03-10T12:01:00.005Z", "event.kind": "signal", "event.action": "user.session.start",
		"kibana.alert.uuid": a.ID, "kibana.alert.new_terms": []any{"00u1", "acc-1"}, "kibana.alert.original_time": "2026-03-10T11:59:00.000Z",
		"kibana.alert.original_event.kind": "event", "kibana.alert.original_event.ingested": "2026-03-10T12:00:00Z",
		"kibana.alert.original_event.category": []any{"authentication"}, "kibana.alert.original_data_stream.dataset": "okta.system",
		"kibana.alert.depth": int64(1), "kibana.alert.status": "active", "kibana.alert.workflow_status": "open",
		"kibana.alert.severity": "medium", "kibana.alert.risk_score": json.Number("47"), "kibana.alert.rule.name": "Rule",
		"kibana.alert.rule.rule_id": "r1", "kibana.alert.rule.execution.uuid": "run-1", "kibana.alert.rule.execution.type": RunManual,
		"newterms.first_seen": "2026-03-10T12:00:00.005Z", "newterms.pair": a.Pair, "newterms.events": int64(3), "newterms.run.id": "run-1",
		"newterms.window.from": "2026-03-10T11:00:00.005Z", "newterms.window.to": "2026-03-10T13:00:00.005Z",
		"okta.actor.id": "00u1", "data_stream.dataset": "okta.system",
		"kibana.alert.ancestors": []any{map[string]any{"id": "e1", "index": ".ds-logs-1", "type": "event", "depth": 0}},
		"kibana.alert.reason": "Ada Sorensen (ada@example.org) from 192.0.2.7 (Oslo, Norway, Fjordnet): first okta.actor.id 00u1, cloud.account.id acc-1 in 7d. " +
			"user.session.start, SUCCESS. Medium alert: Rule",
	} {
		if got, _ := lookup(a.document, path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", path, got, want)
		}
	}
	for _, path := range []string{"kibana.version", "signal.a", "event.action.text", "_id"} {
		if got, ok := lookup(a.document, path); ok {
			t.Errorf("%s is there: %v", path, got)
		}
	}
	if nested := a.document["event"].(map[string]any); nested["kind"] != nil {
		t.Error("event.kind of the source is still there")
	}
	if len(a.Dropped) > 0 {
		t.Errorf("dropped %v", a.Dropped)
	}
	if d := a.Describe(); d.Account != "acc-1" || d.ActorID != "00u1" || d.Place != "Oslo, Norway" || d.Events != "3" {
		t.Errorf("described as %+v", d)
	}
	text, err := json.Marshal(a)
	if err != nil || decode(t, string(text))["_id"] != a.ID {
		t.Errorf("the printed alert has no _id: %v", err)
	}
}

func TestNewAlertOfAnAlert(t *testing.T) {
	a := newAlert(t, `{"kibana.alert.ancestors": [{"id": "e0", "index": "logs", "type": "event", "depth": 0}], "kibana.alert.depth": 1, "kibana.alert.rule.uuid": "r0"}`, nil)
	want := []any{
		map[string]any{"id": "e0", "index": "logs", "type": "event", "depth": json.Number("0")},
		map[string]any{"id": "e1", "index": ".ds-logs-1", "type": "signal", "depth": int64(1), "rule": "r0"},
	}
	if got := a.document["kibana.alert.ancestors"]; !reflect.DeepEqual(got, want) || a.document["kibana.alert.depth"] != int64(2) {
		t.Errorf("got %v, depth %v", got, a.document["kibana.alert.depth"])
	}
}

func TestNewAlertWithoutSource(t *testing.T) {
	a := newAlert(t, `null`, map[string][]any{"okta.actor.id": {"00u1"}})
	if got := a.Describe().ActorID; got != "00u1" {
		t.Errorf("got %q", got)
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		name, document, want string
		dropped              []string
	}{
		{"what fits stays", `{"client":{"ip":"2001:db8::1","port":443},"tags":["a",1,true],"okta":{"security_context":{"is_proxy":true}}}`, "", nil},
		{"what is not mapped stays", `{"mine":{"host":1},"client":{"mine":[{"a":1}]}}`, "", nil},
		{"numbers as text fit", `{"client":{"port":"443"},"okta":{"security_context":{"is_proxy":"false"}}}`, "", nil},
		{"dates fit", `{"event":{"created":"2026-03-10T12:00:00.123456789Z","start":1773144000005,"end":["2026-03","2026-03-10T12:00:00+01:00"]}}`, "", nil},
		{"an object where a value belongs", `{"user":{"name":{"first":"a"}}}`, `{"user":{}}`, []string{"user.name"}},
		{"a value where an object belongs", `{"host":"web-1","user":["a",{"name":"b"}]}`, `{"user":[{"name":"b"}]}`, []string{"host", "user"}},
		{"a dotted key through a value", `{"user.name.first":"a","user":{"name.first":"b"}}`, `{"user":{}}`, []string{"user.name.first"}},
		{"elements of a list", `{"related":{"ip":["192.0.2.1","nowhere","null"]}}`, `{"related":{"ip":["192.0.2.1"]}}`, []string{"related.ip"}},
		{"nothing of a list", `{"source":{"ip":["nowhere"]}}`, `{"source":{}}`, []string{"source.ip"}},
		{"types", `{"event":{"severity":"high","created":"soon"},"client":{"as":{"number":1.5}},"okta":{"device":{"managed":"maybe"},"target":"x"}}`,
			`{"event":{},"client":{"as":{}},"okta":{"device":{}}}`, []string{"client.as.number", "event.created", "event.severity", "okta.device.managed", "okta.target"}},
		{"flattened takes objects", `{"okta":{"target":[{"id":"a"},{"id":{"b":1}}],"request":{"ip_chain":[{"ip":"x"}]}}}`, "", nil},
		{"null is no value", `{"user":null,"client":{"ip":null}}`, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, want := decode(t, c.document), decode(t, c.document)
			if c.want != "" {
				want = decode(t, c.want)
			}
			dropped := alertsTemplate.fit(got)
			if !reflect.DeepEqual(got, want) || !slices.Equal(dropped, c.dropped) {
				t.Errorf("got %v, dropped %v", got, dropped)
			}
		})
	}
}

// TestTemplatesMapWhatIsWritten keeps documents and templates together: a
// dashboard can ask for every field that newterms writes.
func TestTemplatesMapWhatIsWritten(t *testing.T) {
	alert := newAlert(t, `{"@timestamp": "2026-03-10T11:59:00.000Z", "event": {"kind": "event"}, "data_stream": {"type": "logs"}}`, nil)
	run := runDocument(Run{State: RunFailed, Error: "x"}, firstSeen)
	for name, c := range map[string]struct {
		document map[string]any
		template template
	}{"alerts": {alert.document, alertsTemplate}, "runs": {run, runsTemplate}} {
		for _, field := range slices.Sorted(maps.Keys(c.document)) {
			if kind := c.template.types[field]; kind == "" && field != "event" && field != "data_stream" {
				t.Errorf("%s: %s is written and not mapped", name, field)
			}
		}
		if dropped := c.template.fit(maps.Clone(c.document)); len(dropped) > 0 && name == "runs" {
			t.Errorf("%s: %v does not fit its mapping", name, dropped)
		}
	}
}
