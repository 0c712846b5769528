package alerts

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
)

var randomEvents = flag.Int("events", 50_000, "how many random events TestAsItIs takes")

// TestAsItIs takes events as they are, and apart, which must give the same.
func TestAsItIs(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	taken := 0
	for range *randomEvents {
		from := randomEvent(random)
		got, ok := alertsTemplate.copyVerbatim(from)
		if !ok {
			continue
		}
		taken++
		want, err := decodeEvent(from)
		if err != nil {
			t.Fatal(err)
		}
		compareEvents(t, from, got, want)
	}
	if t.Logf("%d of %d were taken as they are", taken, *randomEvents); taken < *randomEvents/10 {
		t.Error("too few to tell anything")
	}
}

func compareEvents(t *testing.T, from SourceEvent, got, want *Event) {
	t.Helper()
	document, original := got.parts()
	wantDocument, wantOriginal := want.parts()
	terms := []any{"a", "b"}
	for _, pair := range [][2]any{
		{document, wantDocument},
		{original, wantOriginal},
		{describe(got.described, []string{"f", "g"}, terms), describe(want.described, []string{"f", "g"}, terms)},
		{[]any{got.place, got.ancestors, got.depth, len(got.leftOut)}, []any{want.place, want.ancestors, want.depth, len(want.leftOut)}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Fatalf("%s with %v:\n%v\nas it is, but apart\n%v", from.Source, from.Fields, pair[0], pair[1])
		}
	}
}

// randomEvent has some fields that alerts map, mostly with values that fit, and
// other fields.
func randomEvent(random *rand.Rand) SourceEvent {
	document := map[string]any{}
	fields := map[string][]any{}
	for range 1 + random.IntN(8) {
		path := alertsTemplate.event[random.IntN(len(alertsTemplate.event))]
		switch random.IntN(20) {
		case 0:
			path = []string{"other", "user.other", "event.other", "event", "okta", "a.b.c", "event.kind", "@timestamp", "kibana.version", "user.name.first", "_doc_count", "_id", "_x"}[random.IntN(13)]
		case 1:
			fields[path] = []any{fitting(random, alertsTemplate.types[path])}
			continue
		}
		value := fitting(random, alertsTemplate.types[path])
		if random.IntN(15) == 0 {
			value = anyValue(random, 0)
		}
		if random.IntN(30) == 0 {
			document[path] = value
		} else {
			put(document, path, value)
		}
		if random.IntN(4) == 0 {
			fields[path] = []any{"x"}
		}
	}
	text, _ := json.Marshal(document)
	if random.IntN(50) == 0 {
		text, _ = json.MarshalIndent(document, "", " ")
	}
	return SourceEvent{Index: "i", ID: "e", Source: text, Fields: fields}
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

// TestUsualEventIsTakenAsItIs has an event as Okta's integration writes them, and
// what makes others be taken apart.
func TestUsualEventIsTakenAsItIs(t *testing.T) {
	const usual = `{"@timestamp":"2026-03-10T12:00:00.000Z","event":{"kind":"event","action":"user.session.start","category":["authentication"],"ingested":"2026-03-10T12:00:07Z"},
		"okta":{"actor":{"id":"00u1","display_name":"Ada Sørensen"},"target":[{"id":"0oa1"}],"debug_context":{"debug_data":{"flattened":{"risk":{"level":"LOW"}}}},"other":{"a":[1]}},
		"client":{"ip":"192.0.2.7","geo":{"location":{"lat":59.9,"lon":10.7}},"as":{"number":64500}},"tags":["okta-system"],"labels":{"x":1}}`
	text := strings.NewReplacer("\n", "", "\t", "").Replace(usual)
	mapped := map[string][]any{"@timestamp": {"x"}, "okta.actor.id": {"x"}, "okta.other.a": {"x"}, "message": {}, "_index": {"i"}}
	for name, c := range map[string]struct {
		from SourceEvent
		want bool
	}{
		"as usual":             {SourceEvent{Source: []byte(text), Fields: mapped}, true},
		"over several lines":   {SourceEvent{Source: []byte(usual), Fields: mapped}, false},
		"an alias":             {SourceEvent{Source: []byte(text), Fields: map[string][]any{"user.name": {"ada"}}}, false},
		"a field not mapped":   {SourceEvent{Source: []byte(text), Fields: map[string][]any{"okta.other.b": {"ada"}}}, false},
		"a date in seconds":    {SourceEvent{Source: []byte(strings.Replace(text, `"2026-03-10T12:00:07Z"`, "1773144007", 1))}, false},
		"what does not fit":    {SourceEvent{Source: []byte(strings.Replace(text, `192.0.2.7`, "unknown", 1))}, false},
		"an alert":             {SourceEvent{Source: []byte(strings.Replace(text, `"labels"`, `"kibana"`, 1))}, false},
		"metadata":             {SourceEvent{Source: []byte(strings.Replace(text, `"labels"`, `"_doc_count"`, 1))}, false},
		"a name like metadata": {SourceEvent{Source: []byte(strings.Replace(text, `"labels"`, `"_x"`, 1))}, true},
		"a dotted name":        {SourceEvent{Source: []byte(strings.Replace(text, `"labels"`, `"user.name"`, 1))}, false},
		"no UTF-8":             {SourceEvent{Source: []byte(strings.Replace(text, `ø`, "\xf8", 1))}, false},
		"no source":            {SourceEvent{Fields: mapped}, false},
		"one that is not here": {SourceEvent{Source: []byte(text), Missing: "it is gone"}, false},
	} {
		got, ok := alertsTemplate.copyVerbatim(c.from)
		if ok != c.want {
			t.Errorf("%s: got %v", name, ok)
		}
		if ok {
			want, err := decodeEvent(c.from)
			if err != nil {
				t.Fatal(err)
			}
			compareEvents(t, c.from, got, want)
		}
	}
	for _, path := range describedFields() {
		if !slices.Contains(alertsTemplate.event, path) {
			t.Errorf("descriptions read %s, which alerts do not map", path)
		}
	}
}

// BenchmarkNewEvent takes an event of the demo's as it is, and apart, as one over
// several lines has to be.
func BenchmarkNewEvent(b *testing.B) {
	events, err := os.ReadFile("../testdata/okta/first-times.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	first, _, _ := bytes.Cut(events, []byte("\n"))
	usual := regexp.MustCompile(`"now[^"]*"`).ReplaceAll(first, []byte(`"2026-03-10T12:00:00.000Z"`))
	for name, source := range map[string][]byte{"as it is": usual, "apart": append(usual[:len(usual):len(usual)], '\n')} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(source)))
			for b.Loop() {
				if e := NewEvent(SourceEvent{Index: "i", ID: "e", Source: source}); len(e.leftOut) > 0 {
					b.Fatal(e.leftOut)
				}
			}
		})
	}
}
