package esquery_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"newterms/esquery"
	"newterms/esquery/before"
	"newterms/esquery/elastic"
	"newterms/esquery/estest"
	"newterms/esquery/kql"
	"newterms/esquery/query"
)

const week = 7 * 24 * time.Hour

// TestContexts asks about two first occurrences at different times: each sees only what
// came before its own. Other events are excluded, do not match, or are too old.
func TestContexts(t *testing.T) {
	var documents []string
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	add := func(hours int, format string, args ...any) {
		documents = append(documents, fmt.Sprintf(`{"@timestamp":%q,`+format+`}`, append([]any{at(hours).Format(time.RFC3339)}, args...)...))
	}
	const yes, no = `,"ok":true`, `,"ok":false`
	add(-200, `"user":"ada","host":"h1"`+yes)                    // the pair, 2H back
	add(-340, `"user":"ada","host":"h1"`+yes)                    // earlier than that
	add(-10, `"user":["ada","eve"],"host":["h2","h3"]`+yes)      // ada with two other hosts
	add(-9, `"user":"ada","host":"h1","list":"excluded"`+yes)    // would be history, but is excluded
	add(-8, `"user":"ada","ip":"192.0.2.1","list":"a"`+no)       // does not match, and lacks a host
	add(-7, `"user":"basil","host":"h1","ip":"192.0.2.1"`+yes)   // another user of her host and address
	add(-7, `"user":"camille","host":"h9","ip":"192.0.2.1"`+no)  // and of the address
	add(-6, `"user":"camille","ip":"192.0.2.9"`+yes)             // nothing of these
	add(0, `"user":"ada","host":"h1","ip":"192.0.2.1"`+yes)      // the first occurrence
	add(1, `"user":"dora","host":"h1","ip":"192.0.2.1"`+yes)     // the second one
	add(2, `"user":"ada","host":"h2","list":"a","n":9`+yes)      // after both
	add(-337, `"user":"dora","host":"h1","ip":"192.0.2.1"`+yes)  // more than 2H before the second one
	add(-170, `"user":"basil","host":"h1","ip":"192.0.2.1"`+yes) // before H
	add(-168, `"user":"ada","ip":"192.0.2.1","list":"a"`+no)     // exactly H before the first one
	add(-169, `"user":"ada","ip":"192.0.2.1","list":"a"`+no)     // before that
	index := newIndex(t, summaryMapping, documents...)
	matching, err := kql.Parse("ok: true")
	if err != nil {
		t.Fatal(err)
	}
	excluded, err := kql.Parse("list: excluded")
	if err != nil {
		t.Fatal(err)
	}
	client := elastic.NewClient(estest.ForTest(t), elastic.Options{})
	source, err := esquery.Open(t.Context(), client, query.Search{
		Indices: []string{index}, Query: matching, Exclude: []kql.Query{excluded}, Fields: []string{"user", "host"}, Timestamp: "@timestamp",
		Wanted: []string{"ip", "n", "list"},
	})
	if err != nil {
		t.Fatal(err)
	}
	asker := before.New(source.Opened)
	requests, _ := client.Usage()
	got, err := asker.Contexts(t.Context(), week, []before.Subject{
		{Terms: []any{"ada", "h1"}, At: at(0), Attributes: []before.Attribute{{Field: "ip", Value: "192.0.2.1"}, {Field: "list", Value: "a"}, {Field: "n", Value: "9"}}},
		{Terms: []any{"dora", "h1"}, At: at(1)},
	})
	after, _ := client.Usage()
	seen := func(events int64, last, others int) before.Seen {
		return before.Seen{Events: events, Last: at(last), Others: others}
	}
	want := []before.Context{
		{
			PairLast: at(-200), Terms: []before.Seen{seen(1, -10, 2), seen(1, -7, 1)},
			User: before.Seen{Events: 6, First: at(-200), Last: at(-8)},
			Attributes: []before.AttributeSeen{
				{Seen: seen(4, -7, 2), OfUser: 2, UserLast: at(-8)}, {Seen: seen(2, -8, 0), OfUser: 2, UserLast: at(-8)}, {},
			},
		},
		{Terms: []before.Seen{{}, seen(2, 0, 2)}, User: before.Seen{}},
	}
	if err != nil || !reflect.DeepEqual(got, want) || after-requests != 1 {
		t.Errorf("%d requests, %v:\ngot  %+v\nwant %+v", after-requests, err, got, want)
	}
	if oldest, ok, err := asker.Oldest(t.Context(), false); err != nil || !ok || !oldest.Equal(at(-340)) {
		t.Errorf("oldest %s, %v, %v", oldest, ok, err)
	}
}

// TestContextsOfOddEvents has absent terms, events without the primary timestamp, an
// event with two times, and more values than are counted.
func TestContextsOfOddEvents(t *testing.T) {
	stamp := func(minute int) string { return noon.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339) }
	documents := []string{
		fmt.Sprintf(`{"@timestamp":%q,"host":"h1","ip":"192.0.2.1"}`, stamp(-5)), fmt.Sprintf(`{"at":%q,"@timestamp":%q,"user":"ada","host":"h1"}`, stamp(-4), stamp(-900)),
		fmt.Sprintf(`{"at":[%q,%q],"user":"basil","host":"h2"}`, stamp(-3), stamp(900)),
	}
	for i := range before.MaxOthers + 20 {
		documents = append(documents, fmt.Sprintf(`{"at":%q,"user":"u%d","host":"h3"}`, stamp(-2), i))
	}
	source := open(t, nil, query.Search{
		Indices: []string{newIndex(t, summaryMapping, documents...)}, Fields: []string{"user", "host"}, Timestamp: "at", Fallback: "@timestamp", MissingTerms: true,
		Wanted: []string{"ip", "n", "ok", "day", "text", "list"},
	})
	asker := before.New(source.Opened)
	got, err := asker.Contexts(t.Context(), week, []before.Subject{
		{Terms: []any{nil, "h1"}, At: noon, Attributes: []before.Attribute{{Field: "ip", Value: "192.0.2.1"}}},
		{Terms: []any{"basil", "h2"}, At: noon}, {Terms: []any{"u1", "h3"}, At: noon},
	})
	minute := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	want := []before.Context{
		{
			PairLast: minute(-5), Terms: []before.Seen{{Events: 1, Last: minute(-5), Others: 1}, {Events: 2, Last: minute(-4), Others: 1}},
			User:       before.Seen{Events: 1, First: minute(-5), Last: minute(-5)},
			Attributes: []before.AttributeSeen{{Seen: before.Seen{Events: 1, Last: minute(-5)}, OfUser: 1, UserLast: minute(-5)}},
		},
		{Terms: []before.Seen{{Events: 1, Others: 1}, {Events: 1, Others: 1}}, User: before.Seen{Events: 1, First: minute(-3)}},
		{
			PairLast: minute(-2), Terms: []before.Seen{{Events: 1, Last: minute(-2), Others: 1}, {Events: before.MaxOthers + 20, Last: minute(-2), Others: before.MaxOthers}},
			User: before.Seen{Events: 1, First: minute(-2), Last: minute(-2)},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v:\ngot  %+v\nwant %+v", err, got, want)
	}
	for _, fallback := range []bool{false, true} {
		oldest, ok, err := asker.Oldest(t.Context(), fallback)
		if want := map[bool]time.Time{false: minute(-4), true: minute(-5)}[fallback]; err != nil || !ok || !oldest.Equal(want) {
			t.Errorf("fallback %v: oldest %s, %v, %v", fallback, oldest, ok, err)
		}
	}
	for value, fields := range map[string][]string{
		"192.0.2.1": {"ip", "list"}, "fe80::1%eth0": {"list"}, "7": {"n", "list"}, "true": {"ok", "list"}, "": nil, string(make([]byte, 1025)): nil,
	} {
		var can []string
		for _, field := range []string{"ip", "n", "ok", "day", "text", "list", "unmapped"} {
			if asker.CanAsk(field, value) {
				can = append(can, field)
			}
		}
		if !reflect.DeepEqual(can, fields) {
			t.Errorf("%q can be asked in %v, want %v", value, can, fields)
		}
	}
}
