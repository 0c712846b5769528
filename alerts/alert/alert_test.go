package alert

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/alerts/fields"
	"newterms/alerts/runs"
	"newterms/esquery/elastic"
)

var firstSeen = time.Date(2026, 3, 10, 12, 0, 0, 5e6, time.UTC)

func TestNewKey(t *testing.T) {
	key := func(rule string, terms []any, at time.Time, fields ...string) Key {
		t.Helper()
		k, err := NewKey(rule, append(fields, "f", "g")[:2], terms, at)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := key("r", []any{"a", "b"}, firstSeen)
	// printf '["r",["f","g"],["a","b"],1773144000005]' | sha256sum, without the time, and without the fields:
	// these must never change, or reruns would write again.
	for got, want := range map[string]string{
		base.ID: "a456d43ab158c6beadcbd9bfedb9e463fc41254868b3bb838db82951223476a0", base.Pair: "c37ee7bce2f367f596793eabc265177c9352cbe83334e941f5cf40cb0d8a9bff", base.FormerPair: "170253a6f3b5cb98d79384258cfc637f28773916b2e0bb42c22840a72c206a61",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
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
	return alertOf(t, SourceEvent{Index: ".ds-logs-1", ID: "e1", Source: []byte(source), Fields: fields})
}

func alertOf(t *testing.T, event SourceEvent) Alert {
	t.Helper()
	key, err := NewKey("r1", []string{"okta.actor.id", "cloud.account.id"}, []any{"00u1", "acc-1"}, firstSeen)
	if err != nil {
		t.Fatal(err)
	}
	maker, err := NewMaker(testRule(), runs.Info{ID: "run-1", Type: runs.Manual})
	if err != nil {
		t.Fatal(err)
	}
	return maker.Alert(Finding{
		Key: key, Terms: []any{"00u1", "acc-1"}, LastSeen: firstSeen.Add(-192 * time.Hour), Events: 3, From: firstSeen.Add(-time.Hour), To: firstSeen.Add(time.Hour), Event: NewEvent(event),
	}, firstSeen.Add(time.Minute))
}

// written is the alert as it is sent.
func written(t *testing.T, a Alert) map[string]any {
	t.Helper()
	text, err := a.encoded(nil)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, string(text))
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
		"kibana.alert.depth": json.Number("1"), "kibana.alert.status": "active", "kibana.alert.workflow_status": "open",
		"kibana.alert.severity": "medium", "kibana.alert.risk_score": json.Number("47"), "kibana.alert.rule.name": "Rule",
		"kibana.alert.rule.rule_id": "r1", "kibana.alert.rule.execution.uuid": "run-1", "kibana.alert.rule.execution.type": string(runs.Manual),
		"newterms.first_seen": "2026-03-10T12:00:00.005Z", "newterms.pair": a.Pair, "newterms.events": json.Number("3"), "newterms.run.id": "run-1",
		"newterms.window.from": "2026-03-10T11:00:00.005Z", "newterms.window.to": "2026-03-10T13:00:00.005Z",
		"newterms.last_seen": "2026-03-02T12:00:00.005Z", "newterms.lag_ms": json.Number("60000"),
		"okta.actor.id": "00u1", "data_stream.dataset": "okta.system",
		"kibana.alert.ancestors": []any{map[string]any{"id": "e1", "index": ".ds-logs-1", "type": "event", "depth": json.Number("0")}},
		"kibana.alert.reason": "Ada Sorensen (ada@example.org) from 192.0.2.7 (Oslo, Norway, Fjordnet): new okta.actor.id 00u1, cloud.account.id acc-1, last seen 8 days before. " +
			"user.session.start, SUCCESS. Medium alert: Rule",
	} {
		if got, _ := elastic.Lookup(written(t, a), path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", path, got, want)
		}
	}
	for _, path := range []string{"kibana.version", "signal.a", "event.action.text", "_id"} {
		if got, ok := elastic.Lookup(written(t, a), path); ok {
			t.Errorf("%s is there: %v", path, got)
		}
	}
	if nested := written(t, a)["event"].(map[string]any); nested["kind"] != nil {
		t.Error("event.kind of the source is still there")
	}
	if len(a.LeftOut) > 0 {
		t.Errorf("dropped %v", a.LeftOut)
	}
	if d := a.Describe(); d.Account != "acc-1" || d.ActorID != "00u1" || d.Place != "Oslo, Norway" || d.Events != "3" {
		t.Errorf("described as %+v", d)
	}
	text, err := a.JSON()
	if err != nil || decode(t, string(text))["_id"] != a.ID {
		t.Errorf("the printed alert has no _id: %v", err)
	}
}

// TestUnknownActorIsNotQuoted has in each name of an event what somebody typed into
// the field for the login.
func TestUnknownActorIsNotQuoted(t *testing.T) {
	const secret = "hunter2"
	const event = `{"okta":{"actor":{"id":"ID","display_name":"hunter2","alternate_id":"hunter2@example.org"},"client":{"ip":"192.0.2.7"},"event_type":"user.session.start","outcome":{"result":"FAILURE"}},
		"user":{"name":"hunter2","full_name":"hunter2","email":"hunter2@example.org","domain":"hunter2"},"client":{"user":{"name":"hunter2"}},"related":{"user":["hunter2"]}}`
	for _, c := range []struct {
		id, missing string
		fields      []string
		terms       []any
		want        string // of the reason's beginning; "" if the reason has the name
	}{
		{"unknown", "", []string{"okta.actor.id", "cloud.account.id"}, []any{"unknown", "a"}, "unknown from 192.0.2.7: new okta.actor.id unknown, cloud.account.id a,"},
		{"Unknown", "", []string{"cloud.account.id"}, []any{"a"}, "unknown from 192.0.2.7: new cloud.account.id a,"},
		{"unknown", "", []string{"user.name.caseless", "related.user", "source.ip"}, []any{"hunter2", "hunter2", "192.0.2.7"},
			"unknown from 192.0.2.7: new user.name.caseless (not shown, as an unknown actor has typed it), related.user (not shown, as an unknown actor has typed it), source.ip 192.0.2.7,"},
		{"unknown", "it is gone", []string{"okta.actor.id", "user.email"}, []any{"unknown", "hunter2"}, "unknown: new okta.actor.id unknown, user.email (not shown"},
		{"00u1", "", []string{"okta.actor.id", "user.name"}, []any{"00u1", "hunter2"}, ""},
		{"not unknown", "", []string{"cloud.account.id"}, []any{"a"}, ""},
	} {
		rule := testRule()
		rule["new_terms_fields"], rule["rule_name_override"] = c.fields, "user.full_name"
		m, err := NewMaker(rule, runs.Info{ID: "run"})
		if err != nil {
			t.Fatal(err)
		}
		key, err := NewKey("r1", c.fields, c.terms, firstSeen)
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range []string{event, strings.ReplaceAll(event, "\n", "")} { // decoded, and copied
			from := SourceEvent{Index: "i", ID: "e", Source: []byte(strings.Replace(source, "ID", c.id, 1)), Missing: c.missing}
			if c.missing != "" {
				from.Source = nil
			}
			a := m.Alert(Finding{Key: key, Terms: c.terms, Event: m.Event(from)}, firstSeen)
			document := written(t, a)
			reason, _ := document["kibana.alert.reason"].(string)
			shown := reason + fmt.Sprint(a.Describe())
			if c.want != "" && (!strings.HasPrefix(reason, c.want) || strings.Contains(shown, secret)) {
				t.Errorf("%s %v: got %s, want %s", c.id, c.fields, shown, c.want)
			}
			if c.want == "" && !strings.HasPrefix(reason, "hunter2 (hunter2@example.org) from 192.0.2.7: ") {
				t.Errorf("%s %v: got %s", c.id, c.fields, reason)
			}
			if user, _ := document["user"].(map[string]any); c.missing == "" && (user["name"] != secret || document["kibana.alert.rule.name"] != secret) {
				t.Errorf("%s: the alert lacks its event's own fields: %v", c.id, document)
			}
		}
	}
}

func TestNewAlertOfAnAlert(t *testing.T) {
	a := newAlert(t, `{"kibana.alert.ancestors": [{"id": "e0", "index": "logs", "type": "event", "depth": 0}], "kibana.alert.depth": 1, "kibana.alert.rule.uuid": "r0"}`, nil)
	want := []any{
		map[string]any{"id": "e0", "index": "logs", "type": "event", "depth": json.Number("0")},
		map[string]any{"id": "e1", "index": ".ds-logs-1", "type": "signal", "depth": json.Number("1"), "rule": "r0"},
	}
	if got := written(t, a)["kibana.alert.ancestors"]; !reflect.DeepEqual(got, want) || written(t, a)["kibana.alert.depth"] != json.Number("2") {
		t.Errorf("got %v, depth %v", got, written(t, a)["kibana.alert.depth"])
	}
}

func TestNewAlertWithoutSource(t *testing.T) {
	a := newAlert(t, `null`, map[string][]any{"okta.actor.id": {"00u1"}})
	if got := a.Describe().ActorID; got != "00u1" {
		t.Errorf("got %q", got)
	}
}

// TestNewAlertWhateverTheEventHolds builds alerts of events that have tripped the
// program, or might.
func TestNewAlertWhateverTheEventHolds(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 25) + "1" + strings.Repeat("}", 25)
	for _, source := range []string{
		`{"user":{"":"1"}}`, `{"user.":1}`, `{"":{"":{"":1}}}`, `{".":1,"..":2," ":3}`, `{"event":{"":"x"},"event.":1,"data_stream.":2}`,
		`{"kibana.alert.ancestors":["x"]}`, `{"kibana":{"alert":{"ancestors":[{"id":{"a":1},"depth":"deep"},7],"depth":-5}}}`,
		`{"okta":{"target":` + deep + `}}`, `{"event":[{"kind":"event"},{"kind":"alert"}]}`, `{"event":"x","event.kind":"y"}`, `{"@timestamp":{"a":1}}`,
		`{"newterms":{"pair":"x"},"signal":1,"kibana":2}`, `{"okta":[[{"actor":[{"id":[[["x"]]]}]}]]}`,
	} {
		a := newAlert(t, source, nil)
		if written(t, a)["kibana.alert.uuid"] != a.ID || written(t, a)["event.kind"] != "signal" {
			t.Errorf("%s: got %v", source, written(t, a))
		}
		document, _ := a.event.parts()
		if again := fields.Fit(document); len(again) > 0 {
			t.Errorf("%s: %v of the event do not fit", source, again)
		}
		if text, err := a.JSON(); err != nil || !json.Valid(text) {
			t.Errorf("%s: %v", source, err)
		}
		a.Describe()
	}
}

// TestPanicIsContained reads an event in a way that panics, and builds an alert of
// one that is no JSON.
func TestPanicIsContained(t *testing.T) {
	_, err := recovering(SourceEvent{}, func(SourceEvent) (*Event, error) { panic("a fault") })
	if err == nil || err.Error() != "a fault" {
		t.Errorf("got %v", err)
	}
	a := alertOf(t, SourceEvent{Index: "i", ID: "e", Source: []byte(`{"user":{`), Fields: map[string][]any{"user.id": {"x"}}})
	want := "the event, because reading it failed with "
	if len(a.LeftOut) != 1 || !strings.HasPrefix(a.LeftOut[0], want) || written(t, a)["user"] != nil || a.Event() != "i/e" {
		t.Errorf("got %q, %v", a.LeftOut, written(t, a))
	}
}

// TestDatesComeFromTheMappedFields has dates in seconds and in a format of their
// own, which only the source's mapping knows.
func TestDatesComeFromTheMappedFields(t *testing.T) {
	a := newAlert(t, `{"@timestamp":1773144000,"event":{"ingested":"10/03/2026","created":"2026-03-10T11:00:00+01:00","start":1773144000005}}`, map[string][]any{
		"@timestamp": {"2026-03-10T12:00:00.000Z"}, "event.ingested": {"2026-03-10T00:00:00.000Z"}, "event.created": {"2026-03-10T10:00:00.000Z"},
	})
	for path, want := range map[string]any{
		"kibana.alert.original_time": "2026-03-10T12:00:00.000Z", "kibana.alert.original_event.ingested": "2026-03-10T00:00:00.000Z",
		"event.ingested": "2026-03-10T00:00:00.000Z", "event.created": "2026-03-10T11:00:00+01:00", "event.start": json.Number("1773144000005"),
	} {
		if got, _ := elastic.Lookup(written(t, a), path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// TestDatesInListsComeFromTheMappedFields has a date that only its mapping reads,
// in an event of which nothing else has to be changed.
func TestDatesInListsComeFromTheMappedFields(t *testing.T) {
	a := newAlert(t, `{"event":{"end":["2026-03-10T12:00:00+01:00"]},"tags":["a"]}`, map[string][]any{"event.end": {"2026-03-10T11:00:00.000Z"}})
	for _, path := range []string{"event.end", "kibana.alert.original_event.end"} {
		if got, _ := elastic.Lookup(written(t, a), path); got != "2026-03-10T11:00:00.000Z" {
			t.Errorf("%s is %v", path, got)
		}
	}
}

// TestWhatOnlyAlertsMayCarry does not come from an event.
func TestWhatOnlyAlertsMayCarry(t *testing.T) {
	a := newAlert(t, `{"threshold_result":{"count":5},"threshold_result.n":1,"signal":{"a":1},"signal.b":2,"newterms":{"c":3},"kibana":{"d":4},"kibana.e":5,"signals":6}`, nil)
	text, err := a.JSON()
	if err != nil || strings.Contains(string(text), "threshold") || strings.Contains(string(text), `"signal":`) || strings.Contains(string(text), `"signal.b"`) ||
		strings.Contains(string(text), `"newterms":`) || strings.Contains(string(text), `"kibana":`) || strings.Contains(string(text), `"kibana.e"`) || !strings.Contains(string(text), `"signals":6`) {
		t.Errorf("got %s, %v", text, err)
	}
}

// TestBuildingBlock is marked as the rule says, and no other alert is.
func TestBuildingBlock(t *testing.T) {
	for _, want := range []any{"default", nil} {
		rule := testRule()
		if want != nil {
			rule["building_block_type"] = want
		}
		m, err := NewMaker(rule, runs.Info{ID: "run", Type: runs.Manual})
		if err != nil {
			t.Fatal(err)
		}
		key, err := NewKey("r1", m.fields, []any{"a", "b"}, firstSeen)
		if err != nil {
			t.Fatal(err)
		}
		doc := written(t, m.Alert(Finding{Key: key, Terms: []any{"a", "b"}, Event: m.Event(SourceEvent{Index: "i", ID: "1", Source: []byte(`{}`)})}, firstSeen))
		if got, isThere := doc["kibana.alert.building_block_type"]; got != want || isThere != (want != nil) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestWhatAnEventLacks is listed, beside what does not fit.
func TestWhatAnEventLacks(t *testing.T) {
	a := alertOf(t, SourceEvent{Index: "i", ID: "e", Source: []byte(`{"client":{"ip":"nowhere"}}`), Lacks: "what only its mapping has"})
	if !slices.Equal(a.LeftOut, []string{"client.ip", "what only its mapping has"}) {
		t.Errorf("got %q", a.LeftOut)
	}
	a = alertOf(t, SourceEvent{Index: "i", ID: "e", Missing: "it is gone"})
	if !slices.Equal(a.LeftOut, []string{"the event, because it is gone"}) {
		t.Errorf("got %q", a.LeftOut)
	}
}

// TestBrowserThatOktaDoesNotKnow is what ECS says of it, or nothing.
func TestBrowserThatOktaDoesNotKnow(t *testing.T) {
	for event, want := range map[string]string{
		`{"okta":{"client":{"user_agent":{"browser":"UNKNOWN","os":"Linux"}}},"user_agent":{"name":"Lynx"}}`: "Lynx",
		`{"okta":{"client":{"user_agent":{"browser":"UNKNOWN","os":"Linux"}}}}`:                              "",
		`{"okta":{"client":{"user_agent":{"browser":"CHROME"}}},"user_agent":{"name":"Chrome"}}`:             "CHROME",
		`{"okta":{"client":{"user_agent":{"raw_user_agent":"curl/8"}}}}`:                                     "curl/8",
	} {
		if d := newAlert(t, event, nil).Describe(); d.Browser != want {
			t.Errorf("%s: got %q, want %q", event, d.Browser, want)
		}
	}
}

// TestNullOfOkta is no name: Okta writes it where it knows none.
func TestNullOfOkta(t *testing.T) {
	for _, event := range []string{
		`{"okta":{"actor":{"display_name":"null","alternate_id":"null"},"outcome":{"reason":"null"}},"user":{"full_name":"Ada","email":"ada@example.org"}}`,
		"{\n" + `"okta":{"actor":{"display_name":"null","alternate_id":"null"},"outcome":{"reason":"null"}},"user":{"full_name":"Ada","email":"ada@example.org"}}`,
	} {
		if d := newAlert(t, event, nil).Describe(); d.Actor != "Ada" || d.Login != "ada@example.org" || d.Why != "" {
			t.Errorf("got %+v", d)
		}
	}
}

// TestTemplateMapsWhatIsWritten keeps alerts and their template together: a dashboard
// can ask for every field that newterms writes.
func TestTemplateMapsWhatIsWritten(t *testing.T) {
	alert := newAlert(t, `{"@timestamp": "2026-03-10T11:59:00.000Z", "event": {"kind": "event"}, "data_stream": {"type": "logs"}}`, nil)
	for field := range written(t, alert) {
		if fields.Type(field) == "" {
			t.Errorf("%s is written and not mapped", field)
		}
	}
	for _, path := range describedFields() {
		if !slices.Contains(fields.EventFields(), path) {
			t.Errorf("descriptions read %s, which alerts do not map", path)
		}
	}
}
