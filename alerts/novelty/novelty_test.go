package novelty

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"newterms/esquery/elastic"
)

var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func attribute(name string, events, ofUser int64) Attribute {
	return Attribute{Name: name, Field: "f." + name, Value: "v", Seen: Seen{Events: events}, OfUser: Seen{Events: ofUser}}
}

func ofOkta(actor, account Term, user int64, attributes ...Attribute) Context {
	actor.Field, account.Field = "okta.actor.id", "cloud.account.id"
	return Context{History: 7 * day, Terms: []Term{actor, account}, User: Seen{user, noon.AddDate(0, 0, -11), noon}, Attributes: attributes}
}

func TestText(t *testing.T) {
	known := Term{Seen: Seen{Events: 8}, Others: 1}
	for _, c := range []struct {
		context                 Context
		novelty                 int
		text, clause, new, name string
	}{
		{ofOkta(Term{}, known, 118, attribute("network", 0, 0), attribute("user agent", 0, 0), attribute("country", 3, 0)), 3,
			"actor: 118 events since 2026-02-27, none that match in the 7 days before; account known: 8 events with 1 other actor; network and user agent new to everyone; country new to this actor",
			"network and user agent new to everyone; country new to this actor", "new: network, user agent|new to actor: country", "Kavya"},
		{ofOkta(known, Term{Seen: Seen{Events: 1}, Others: 100}, 9, attribute("network", 3, 2)), 0,
			"actor known: 8 events with 1 other account; account known: 1 event with 100 other actors or more; network known", "all else known", "", "Basil"},
		{ofOkta(known, Term{}, 9, attribute("network", 3, 2)), 1,
			"actor known: 8 events with 1 other account; account new to everyone; network known", "account new to everyone", "new: account", "a new account"},
		{ofOkta(Term{Absent: true}, Term{Seen: Seen{Events: 1}, Others: 1, Absent: true}, 0), 2,
			"missing actor: no event before; missing account known: 1 event with 1 other actor", "no event of this missing actor before", "new: missing actor", "absent terms"},
		{Context{Terms: []Term{{Field: "a"}}, Young: true, History: time.Minute}, 2, "a: no event before; the source is less than an hour old", "no event of this a before", "new: a", "a source of a minute"},
		{ofOkta(Term{}, Term{}, 0), 3, "actor: no event before; account new to everyone", "account new to everyone; no event of this actor before", "new: account, actor", "nothing known"},
		{Context{Terms: []Term{{Field: "host.name"}}, User: Seen{Events: 1, First: noon}, Young: true, History: 36 * time.Hour}, 1,
			"host.name: 1 event since 2026-03-10, none that match; the source is only 1.5 days old", "", "", "one term"},
		{Context{Terms: []Term{{Field: "a"}, {Field: "b.c", Seen: Seen{Events: 2}, Others: 5}, {Field: "c"}}, Attributes: []Attribute{attribute("x", 1, 0), attribute("x", 0, 0)}}, 4,
			"a: no event before; b.c known: 2 events with 5 other values; c new to everyone; x new to everyone; x new to this a", "c and x new to everyone; no event of this a before", "new: c, x, a", "three terms"},
	} {
		if got := c.context.Text(); got != c.text {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.text)
		}
		if got := c.context.Clause(); got != c.clause {
			t.Errorf("%s: clause\ngot  %s\nwant %s", c.name, got, c.clause)
		}
		if got := strings.Join(c.context.New(), "|"); got != c.new || c.context.Novelty() != c.novelty {
			t.Errorf("%s: got %s, want %s; novelty %d, want %d", c.name, got, c.new, c.context.Novelty(), c.novelty)
		}
	}
	var none *Context
	if text := none.Clause() + (&Context{Missing: "why"}).Clause(); text != "" {
		t.Errorf("got %s", text)
	}
}

// TestStored reads what was written, as Elasticsearch returns it.
func TestStored(t *testing.T) {
	full := ofOkta(Term{Seen: Seen{Events: 1, Last: noon}, Others: 2}, Term{Absent: true}, 4, attribute("network", 3, 1))
	full.PairLast, full.Young, full.History = noon, true, 36*time.Hour
	full.Attributes[0].OfUser.Last, full.Attributes[0].Last, full.Attributes[0].Users = noon, noon, 100
	for _, c := range []Context{full, ofOkta(Term{}, Term{}, 0), {Missing: "it took more than 1m0s"}} {
		text, err := json.Marshal(c.Members())
		if err != nil {
			t.Fatal(err)
		}
		document, err := elastic.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Of(document.(map[string]any)); got == nil || !reflect.DeepEqual(*got, c) {
			t.Errorf("got  %+v\nwant %+v", got, c)
		}
	}
	for _, text := range []string{`{}`, `{"newterms.context.text":"x"}`, `{"newterms.context":[1],"newterms.context.terms":"x"}`} {
		document, err := elastic.Parse([]byte(text))
		if got := Of(document.(map[string]any)); err != nil || got != nil {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
}

func TestPropertiesOf(t *testing.T) {
	for _, c := range []struct {
		newTerms, investigation []string
		query, want             string
	}{
		{[]string{"okta.actor.id", "cloud.account.id"}, []string{"x"}, "x", "client IP network country user agent"},
		{[]string{"client.ip"}, nil, "okta.event_type: x", "network country user agent"},
		{[]string{"host.name", "process.name"}, nil, "event.category: process", "user parent process address network country user agent destination container"},
		{[]string{"user.name"}, []string{"@timestamp", "user.name", "aws.cloudtrail.x"}, "x", "aws.cloudtrail.x"},
	} {
		var names []string
		for _, p := range PropertiesOf(c.newTerms, c.investigation, c.query) {
			names = append(names, p.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%v: got %s, want %s", c.newTerms, got, c.want)
		}
	}
	if n := len(PropertiesOf([]string{"a"}, strings.Split(strings.Repeat("b ", 100), " "), "x")); n != maxProperties {
		t.Errorf("%d properties", n)
	}
}
