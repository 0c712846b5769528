package summary

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/esquery/elastic"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// spray is five logins of an unknown actor from one address.
func spray() Summary {
	return Summary{Events: 5, First: noon, Last: noon.Add(4 * time.Minute), Fields: []Field{
		{"okta.actor.alternate_id", []Value{{"hunter2", 2}, {"tiffany.aching@example.org", 1}, {"admin", 1}, {"été-2026", 1}}, 0},
		{"okta.client.ip", []Value{{"203.0.113.78", 5}}, 0},
		{"okta.security_context.as.organization.name", []Value{{"Bulwark Hosting", 5}}, 0},
		{"okta.client.user_agent.raw_user_agent", []Value{{"curl/8", 3}, {"python", 2}}, 0},
		{"okta.event_type", []Value{{"user.session.start", 5}}, 0},
		{"okta.outcome.result", []Value{{"FAILURE", 4}, {"SUCCESS", 1}}, 0},
	}}
}

func TestText(t *testing.T) {
	for want, s := range map[string]Summary{
		"5 events: 4 logins, 2 user agents from 203.0.113.78 (Bulwark Hosting), user.session.start, FAILURE 4, SUCCESS 1": spray(),
		"3 events": {Events: 3},
		"2 events from 192.0.2.1, start, success": {Events: 2, Fields: []Field{
			{"host.name", []Value{{"srv-01", 2}}, 0}, {"source.ip", []Value{{"192.0.2.1", 2}}, 0}, {"event.action", []Value{{"start", 2}}, 0}, {"event.outcome", []Value{{"success", 2}}, 0},
		}},
		"90 events: more than 2 logins, 2 networks from more than 1 addresses": {Events: 90, Fields: []Field{
			{"okta.actor.alternate_id", []Value{{"a", 2}, {"b", 1}}, 87}, {"client.ip", []Value{{"192.0.2.1", 2}}, 88}, {"source.as.organization.name", []Value{{"A", 89}, {"B", 1}}, 0},
		}},
		"20000 events: too many command lines, 2 values of winlog.event_data.x, 4 actions": {Events: 20_000, Fields: []Field{
			{"process.command_line", nil, 20_000}, {"winlog.event_data.x", []Value{{"1", 2}, {"2", 1}}, 0}, {"event.action", []Value{{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}, 0},
		}},
		"2 events from Bulwark Hosting": {Events: 2, Fields: []Field{{"client.as.organization.name", []Value{{"Bulwark Hosting", 2}}, 0}}},
	} {
		if got := s.Text(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func texts(f Field) string {
	var all []string
	for _, v := range f.Values {
		all = append(all, v.Text)
	}
	return strings.Join(all, " ")
}

// TestTypedValuesAreShort never shows more than four characters of what an unknown
// actor may have typed.
func TestTypedValuesAreShort(t *testing.T) {
	actors := func(others int64, ids ...string) Field {
		f := Field{Name: "okta.actor.id", Others: others}
		for _, id := range ids {
			f.Values = append(f.Values, Value{id, 1})
		}
		return f
	}
	const short, long = "h…2 ti…rg … é…6", "hunter2 tiffany.aching@example.org admin été-2026"
	for name, c := range map[string]struct {
		byUnknown bool
		actors    Field
		want      string
	}{
		"of an unknown actor":      {true, Field{}, short},
		"of a known one":           {false, actors(0, "00u1"), long},
		"one of several":           {false, actors(0, "00u1", "Unknown"), short},
		"perhaps one of many":      {false, actors(1, "00u1", "00u2"), short},
		"of a rule without actors": {false, Field{}, long},
	} {
		s := spray()
		s.Fields = append(s.Fields, c.actors)
		got := s.ForPeople(c.byUnknown)
		if texts(got.Fields[0]) != c.want {
			t.Errorf("%s: got %s, want %s", name, texts(got.Fields[0]), c.want)
		}
		if texts(got.Fields[3]) != "curl/8 python" || texts(s.Fields[0]) != long {
			t.Errorf("%s: more was changed: %+v, %+v", name, got, s)
		}
	}
	if got := cut(strings.Repeat("é", 600)); len(got) > longestValue || got != strings.Repeat("é", 510)+"…" {
		t.Errorf("a long value has %d bytes", len(got))
	}
}

// TestStoredSummary reads what was written, as Elasticsearch returns it.
func TestStoredSummary(t *testing.T) {
	many := spray()
	many.Fields[0].Others, many.Fields[5].Values, many.Fields[5].Others = 7, nil, 20_000
	many.Last = time.Time{}
	for _, s := range []Summary{spray(), many, {Missing: "it took more than 1m0s"}} {
		text, err := json.Marshal(s.Members())
		if err != nil {
			t.Fatal(err)
		}
		document, err := elastic.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := Of(document.(map[string]any))
		if got == nil || !reflect.DeepEqual(*got, s) {
			t.Errorf("got  %+v\nwant %+v", got, s)
		}
	}
	for _, text := range []string{`{}`, `{"newterms.summary.text":"x"}`, `{"newterms.summary":[1],"newterms.summary.values":"x"}`} {
		document, err := elastic.Parse([]byte(text))
		if got := Of(document.(map[string]any)); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

func TestFieldsOf(t *testing.T) {
	first := func(groups [][]string) string {
		var all []string
		for _, g := range groups {
			all = append(all, g[0])
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct {
		newTerms, investigation []string
		query, want             string
	}{
		{[]string{"okta.actor.id", "cloud.account.id"}, nil, "x",
			"okta.actor.alternate_id okta.client.ip okta.security_context.as.organization.name okta.client.user_agent.raw_user_agent okta.event_type okta.outcome.result"},
		{[]string{"client.ip"}, nil, "okta.event_type: x",
			"okta.actor.alternate_id okta.security_context.as.organization.name okta.client.user_agent.raw_user_agent okta.event_type okta.outcome.result okta.actor.id"},
		{[]string{"host.name", "process.name"}, nil, "event.category: process",
			"user.name process.parent.name process.command_line file.path registry.path container.name cloud.account.id source.ip source.as.organization.name destination.ip user_agent.original event.action event.outcome okta.actor.id"},
		{[]string{"user.name"}, []string{"@timestamp", "user.name", "aws.cloudtrail.x"}, "x", "aws.cloudtrail.x okta.actor.id"},
	} {
		if got := first(FieldsOf(c.newTerms, c.investigation, c.query)); got != c.want {
			t.Errorf("%v:\ngot  %s\nwant %s", c.newTerms, got, c.want)
		}
	}
	if n := len(FieldsOf([]string{"a"}, slices.Repeat([]string{"b"}, 100), "x")); n != maxFields+1 {
		t.Errorf("%d fields", n)
	}
}
