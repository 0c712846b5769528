package verbatim_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"newterms/alerts/alert"
	"newterms/alerts/fields"
	"newterms/alerts/runs"
	"newterms/alerts/verbatim"
	"newterms/esquery/elastic"
)

var randomEvents = flag.Int("events", 20_000, "how many random events TestCopiedEqualsDecoded copies")

// TestCopiedEqualsDecoded compares alerts of copied events with those of decoded ones.
func TestCopiedEqualsDecoded(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	copier, maker, mapped := verbatim.NewCopier(nil), newMaker(t), fields.EventFields()
	copied := 0
	for range *randomEvents {
		from := randomEvent(random, mapped)
		if _, ok := copier.Copy(from.Source, from.Fields); ok {
			copied++
			compare(t, maker, from)
		}
	}
	if t.Logf("%d of %d were copied", copied, *randomEvents); copied < *randomEvents/10 {
		t.Error("too few to compare")
	}
}

// compare compares the alert of an event that can be copied with that of the same event
// over two lines, which is decoded.
func compare(t *testing.T, maker *alert.Maker, from elastic.Event) {
	t.Helper()
	lines := from
	lines.Source = append(slices.Clone(from.Source), '\n')
	got, want := alertOf(maker, from), alertOf(maker, lines)
	document, wanted := decoded(t, got), decoded(t, want)
	for _, pair := range [][2]any{{document, wanted}, {got.Describe(), want.Describe()}, {got.LeftOut, want.LeftOut}, {got.Event(), want.Event()}} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Fatalf("%s with %v:\n%v\nif it is copied, but decoded\n%v", from.Source, from.Fields, pair[0], pair[1])
		}
	}
}

func newMaker(t *testing.T) *alert.Maker {
	t.Helper()
	maker, err := alert.NewMaker(alert.Rule{"new_terms_fields": []string{"f", "g"}}, runs.Info{})
	if err != nil {
		t.Fatal(err)
	}
	return maker
}

func alertOf(maker *alert.Maker, from elastic.Event) alert.Alert {
	return maker.Alert(alert.Finding{Terms: []any{"a", "b"}, Event: maker.Event(from)}, time.Time{})
}

// decoded returns the document of an alert, with all digits of its numbers.
func decoded(t *testing.T, a alert.Alert) any {
	t.Helper()
	text, err := a.Document()
	if err != nil {
		t.Fatal(err)
	}
	document, err := elastic.Parse(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return document
}

// randomEvent has some fields that alerts map, mostly with values that fit, and
// other fields.
func randomEvent(random *rand.Rand, mapped []string) elastic.Event {
	document := map[string]any{}
	others := map[string][]any{}
	for range 1 + random.IntN(8) {
		path := mapped[random.IntN(len(mapped))]
		switch random.IntN(20) {
		case 0:
			path = []string{"other", "user.other", "event.other", "event", "okta", "a.b.c", "event.kind", "@timestamp", "kibana.version", "user.name.first", "_doc_count", "_id", "_x"}[random.IntN(13)]
		case 1:
			others[path] = []any{fitting(random, fields.Type(path))}
			continue
		}
		value := fitting(random, fields.Type(path))
		if random.IntN(15) == 0 {
			value = anyValue(random, 0)
		}
		if random.IntN(30) == 0 {
			document[path] = value
		} else {
			put(document, path, value)
		}
		if random.IntN(4) == 0 {
			others[path] = []any{"2026-03-11T12:00:00.000Z"} // as a date has it, and others do not mind
		}
	}
	text, _ := json.Marshal(document)
	if random.IntN(50) == 0 {
		text, _ = json.MarshalIndent(document, "", " ")
	}
	return elastic.Event{Index: "i", ID: "e", Source: text, Fields: others}
}

// put sets a value, nested, and makes the objects for it.
func put(document map[string]any, path string, value any) {
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		document[name] = value
		return
	}
	child, ok := document[name].(map[string]any)
	if !ok {
		child = map[string]any{}
		document[name] = child
	}
	put(child, rest, value)
}

func fitting(random *rand.Rand, kind string) any {
	one := func() any {
		switch kind {
		case "date":
			return []any{"2026-03-10T12:00:00.000Z", "2026-03-10T12:00:00+01:00", "2026-03-10T12:00:00.123456Z"}[random.IntN(3)]
		case "long", "float":
			return []any{json.Number("7"), json.Number("8.0"), "9", json.Number("-1")}[random.IntN(4)]
		case "boolean":
			return []any{true, false, "true"}[random.IntN(3)]
		case "ip":
			return []any{"192.0.2.7", "2001:db8::1"}[random.IntN(2)]
		case "geo_point":
			return []any{map[string]any{"lat": 1.5, "lon": json.Number("-2")}, "1.5,-2", []any{1, 2}}[random.IntN(3)]
		case "flattened":
			return map[string]any{"a": []any{"x", map[string]any{"b": 1}}, "c.d": "y"}
		}
		return []any{"x", "null", "Zürich <\u2028>", json.Number("12345678901234567890"), true}[random.IntN(5)]
	}
	if kind != "geo_point" && random.IntN(5) == 0 {
		return []any{one(), one()}
	}
	return one()
}

func anyValue(random *rand.Rand, depth int) any {
	switch n := random.IntN(16); {
	case n == 0 && depth < 25:
		return map[string]any{[]string{"a", "", " ", "b.c", ".", "id", "name", "\x00"}[random.IntN(8)]: anyValue(random, depth+1)}
	case n == 1 && depth < 25:
		return []any{anyValue(random, depth+1), anyValue(random, depth+1)}
	case n == 2:
		return []any{}
	case n == 3:
		return map[string]any{}
	case n == 4:
		return nil
	case n == 5:
		return strings.Repeat("x", 33_000)
	}
	return []any{"", "2026", "2026-13-77", "192.0.2.7%eth0", json.Number("1e400"), json.Number("1773144000"), "a\x00b", true, "99999999999999999999"}[random.IntN(9)]
}

// TestUsualEventIsCopied has an event as Okta's integration writes them, and what keeps
// others from being copied.
func TestUsualEventIsCopied(t *testing.T) {
	const usual = `{"@timestamp":"2026-03-10T12:00:00.000Z","event":{"kind":"event","action":"user.session.start","category":["authentication"],"ingested":"2026-03-10T12:00:07Z"},
		"okta":{"actor":{"id":"00u1","display_name":"Ada Sørensen"},"target":[{"id":"0oa1"}],"debug_context":{"debug_data":{"flattened":{"risk":{"level":"LOW"}}}},"other":{"a":[1]}},
		"client":{"ip":"192.0.2.7","geo":{"location":{"lat":59.9,"lon":10.7}},"as":{"number":64500}},"tags":["okta-system"],"labels":{"x":1}}`
	text := strings.NewReplacer("\n", "", "\t", "").Replace(usual)
	mapped := map[string][]any{"@timestamp": {"x"}, "okta.actor.id": {"x"}, "okta.other.a": {"x"}, "message": {}, "_index": {"i"}}
	copier, maker := verbatim.NewCopier(nil), newMaker(t)
	for name, c := range map[string]struct {
		from elastic.Event
		want bool
	}{
		"as usual":             {elastic.Event{Source: []byte(text), Fields: mapped}, true},
		"over several lines":   {elastic.Event{Source: []byte(usual), Fields: mapped}, false},
		"an alias":             {elastic.Event{Source: []byte(text), Fields: map[string][]any{"user.name": {"ada"}}}, false},
		"a field not mapped":   {elastic.Event{Source: []byte(text), Fields: map[string][]any{"okta.other.b": {"ada"}}}, false},
		"a date in seconds":    {elastic.Event{Source: []byte(strings.Replace(text, `"2026-03-10T12:00:07Z"`, "1773144007", 1))}, false},
		"what does not fit":    {elastic.Event{Source: []byte(strings.Replace(text, `192.0.2.7`, "unknown", 1))}, false},
		"an alert":             {elastic.Event{Source: []byte(strings.Replace(text, `"labels"`, `"kibana"`, 1))}, false},
		"metadata":             {elastic.Event{Source: []byte(strings.Replace(text, `"labels"`, `"_doc_count"`, 1))}, false},
		"a name like metadata": {elastic.Event{Source: []byte(strings.Replace(text, `"labels"`, `"_x"`, 1))}, true},
		"a dotted name":        {elastic.Event{Source: []byte(strings.Replace(text, `"labels"`, `"user.name"`, 1))}, false},
		"no UTF-8":             {elastic.Event{Source: []byte(strings.Replace(text, `ø`, "\xf8", 1))}, false},
		"no source":            {elastic.Event{Fields: mapped}, false},
	} {
		if _, ok := copier.Copy(c.from.Source, c.from.Fields); ok != c.want {
			t.Errorf("%s: got %v", name, ok)
		} else if ok {
			compare(t, maker, c.from)
		}
	}
}

// BenchmarkNewEvent copies an event of the demo, and decodes it, as one over several
// lines has to be.
func BenchmarkNewEvent(b *testing.B) {
	events, err := os.ReadFile("../../testdata/okta/first-times.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	first, _, _ := bytes.Cut(events, []byte("\n"))
	usual := regexp.MustCompile(`"now[^"]*"`).ReplaceAll(first, []byte(`"2026-03-10T12:00:00.000Z"`))
	for name, source := range map[string][]byte{"copied": usual, "decoded": append(slices.Clip(usual), '\n')} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for b.Loop() {
				alert.NewEvent(elastic.Event{Index: "i", ID: "e", Source: source})
			}
		})
	}
}
