package alert

import (
	"strings"
	"testing"
	"time"

	"newterms/alerts/runs"
)

// TestReasonTellsHowLongAgo has the largest unit of which there is a whole one.
func TestReasonTellsHowLongAgo(t *testing.T) {
	const day = 24 * time.Hour
	reason := func(history string, limited bool, ago time.Duration) string {
		rule := testRule()
		rule["history_window_start"] = history
		m, err := NewMaker(rule, runs.Info{ID: "run", TimeLimited: limited})
		if err != nil {
			t.Fatal(err)
		}
		f := Finding{Terms: []any{"a", "b"}, From: firstSeen.Add(-day), Event: NewEvent(SourceEvent{})}
		if f.FirstSeen = firstSeen; ago > 0 {
			f.LastSeen = firstSeen.Add(-ago)
		}
		text, _ := m.Alert(f, firstSeen).own["kibana.alert.reason"].(string)
		return text
	}
	for ago, want := range map[time.Duration]string{
		time.Minute: "1 min", 59*time.Minute + 59*time.Second: "59 min 59 s", time.Hour: "1 h", 2*time.Hour - 1: "1 h 59 min",
		day - 1: "23 h 59 min", day: "1 day", 2*day - 1: "1 d 23 h", 8 * day: "8 days", 7*day + 21*time.Hour + time.Second: "7 d 21 h",
	} {
		if got := reason("now-7d", false, ago); !strings.Contains(got, ", last seen "+want+" before. ") {
			t.Errorf("%s ago: %s, want %s", ago, got, want)
		}
	}
	for history, want := range map[string]string{"now-7d": "7 days", "now-1d": "1 day", "now-36h": "36h", "now-90m": "90m"} {
		if got := reason(history, false, 0); !strings.Contains(got, ", not seen in the "+want+" before. ") {
			t.Errorf("%s: %s, want %s", history, got, want)
		}
	}
	if got := reason("now-7d", true, 0); !strings.Contains(got, ", not seen before in the time to which the rule's query is limited. ") {
		t.Errorf("limited: %s", got)
	}
}

// TestReasonSaysNothingTwice names an actor once whose login is the name.
func TestReasonSaysNothingTwice(t *testing.T) {
	for event, want := range map[string]string{
		`{"user":{"name":"ada"}}`: "ada: new ", `{"user":{"name":"ada","full_name":"Ada S"}}`: "Ada S (ada): new ", `{"user":{"email":"a@b.example"}}`: "a@b.example: new ",
		`{"user":{"name":"ada"},"source":{"ip":"192.0.2.7"}}`: "ada from 192.0.2.7: new ", `{"source":{"ip":"192.0.2.7"}}`: "192.0.2.7: new ",
	} {
		got, _ := newAlert(t, event, nil).own["kibana.alert.reason"].(string)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", event, got, want)
		}
	}
}

// TestReasonNamesTheRule by its override too, unless that is what an unknown actor
// has typed. A rule that overrides something else keeps its name.
func TestReasonNamesTheRule(t *testing.T) {
	for _, c := range []struct{ override, event, want string }{
		{"event.reason", `{"event":{"reason":"MFA fatigue"},"okta":{"actor":{"id":"00u1"}}}`, "alert: MFA fatigue"},
		{"event.reason", `{"event":{"reason":"MFA fatigue"},"okta":{"actor":{"id":"unknown"}}}`, "alert: MFA fatigue"},
		{"user.name", `{"user":{"name":"hunter2"},"okta":{"actor":{"id":"unknown"}}}`, "alert: Rule"},
		{"user.name", `{"user":{"name":"ada"},"okta":{"actor":{"id":"00u1"}}}`, "alert: ada"},
		{"", `{"":"no name","event":{"outcome":"failure"}}`, "High alert: Rule"},
	} {
		rule := testRule()
		rule["new_terms_fields"] = []string{"source.ip"}
		rule["severity_mapping"] = []any{map[string]any{"field": "event.outcome", "value": "failure", "operator": "equals", "severity": "high"}}
		if c.override != "" {
			rule["rule_name_override"] = c.override
		}
		m, err := NewMaker(rule, runs.Info{ID: "run"})
		if err != nil {
			t.Fatal(err)
		}
		a := m.Alert(Finding{Terms: []any{"192.0.2.7"}, Event: m.Event(SourceEvent{Index: "i", ID: "e", Source: []byte(c.event)})}, firstSeen)
		if got, _ := a.own["kibana.alert.reason"].(string); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s %s: got %s, want %s", c.override, c.event, got, c.want)
		}
	}
}

// TestThreatsWithoutTheirReferences are in each alert; the rule's own document has
// the rest once.
func TestThreatsWithoutTheirReferences(t *testing.T) {
	tactic := map[string]any{"id": "TA0001", "name": "Initial Access", "reference": "https://attack.example"}
	for _, threat := range []any{ // as JSON and as TOML have it
		[]any{map[string]any{"framework": "MITRE ATT&CK", "tactic": tactic, "technique": []any{map[string]any{"id": "T1078", "reference": "https://attack.example"}}}},
		[]map[string]any{{"framework": "MITRE ATT&CK", "tactic": tactic, "technique": []map[string]any{{"id": "T1078", "reference": "https://attack.example"}}}},
	} {
		rule := testRule()
		rule["threat"] = threat
		m, err := NewMaker(rule, runs.Info{ID: "run"})
		if err != nil {
			t.Fatal(err)
		}
		text, err := m.Alert(Finding{Terms: []any{"a", "b"}, Event: NewEvent(SourceEvent{})}, firstSeen).JSON()
		if err != nil || strings.Contains(string(text), "attack.example") || !strings.Contains(string(text), `"id":"TA0001","name":"Initial Access"`) || !strings.Contains(string(text), `"id":"T1078"`) {
			t.Errorf("got %s, %v", text, err)
		}
		if tactic["reference"] == nil {
			t.Error("the rule itself has lost its reference")
		}
	}
}

// TestReasonShowsAnEmptyTerm as such, and blanks with quotes.
func TestReasonShowsAnEmptyTerm(t *testing.T) {
	m, err := NewMaker(testRule(), runs.Info{ID: "run"})
	if err != nil {
		t.Fatal(err)
	}
	for want, terms := range map[string][]any{`okta.actor.id "", cloud.account.id " ",`: {"", " "}, "okta.actor.id (missing), cloud.account.id 0,": {nil, 0}} {
		got, _ := m.Alert(Finding{Terms: terms, Event: NewEvent(SourceEvent{})}, firstSeen).own["kibana.alert.reason"].(string)
		if !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
