package alert

import (
	"encoding/json"
	"testing"

	"newterms/esquery/elastic"
)

func TestNumberOf(t *testing.T) {
	for text, want := range map[string]float64{
		"7": 7, " 7.50\n": 7.5, "": 0, " \t": 0, "\u00a07\ufeff": 7, "\u20287": 7, "5.": 5, ".5": 0.5, "+5": 5, "-5": -5, "1e2": 100, "1E+1": 10, "0012": 12,
		"0x1F": 31, "0X1f": 31, "0b11": 3, "0o17": 15,
	} {
		if n, ok := numberOf(text); !ok || n != want {
			t.Errorf("%q is %v, %v, want %v", text, n, ok, want)
		}
	}
	for _, text := range []string{
		"x", "7x", "7 7", "1_0", "0x", "0x_1", "+0x1", "-0x1", "0b2", "0q1", ".", "e5", "1e", "+", "NaN", "Inf", "Infinity", "1e400", "0x1p4", "٧", "\u00857", "\u200b7", "7\x00",
	} {
		if n, ok := numberOf(text); ok {
			t.Errorf("%q is %v", text, n)
		}
	}
}

func TestMergedValue(t *testing.T) {
	mapped := map[string][]any{"a.b": {"mapped"}, "a.b.c": {"mapped"}, "several": {"x", "y"}, "object": {map[string]any{"x": 1}}, "text": {"mapped"}, "text.sub": {"mapped"}, "d.e.f": {"mapped"}}
	for _, c := range []struct{ source, field, want string }{
		{`{"a":{"b":"x"}}`, "a.b", `"x"`},
		{`{"a.b":"x","a":{"b":"y"}}`, "a.b", `"x"`},
		{`{"a":{"b":["x","y"]}}`, "a.b", `["x","y"]`},
		{`{"a":{"b":["x","y"]}}`, "a.b.1", `"y"`},
		{`{"a":{"b":["x","y"]}}`, "a.b.01", `null`},
		{`{"a":{"b":["x","y"]}}`, "a.b.2", `null`},
		{`{"a":{"b":["x","y"]}}`, "a.b.-1", `null`},
		{`{"x":[{"y":1}]}`, "x.y", `null`},
		{`{"x":{"y.z":1}}`, "x.y.z", `null`},
		{`{"x.y":{"z":1}}`, "x.y.z", `null`},
		{`{"x":{},"x.y":{"z":[[1],null]}}`, "x.y.z", `1`},
		{`{"x":{"y":{"z":null}},"x.y":{"z":2}}`, "x.y.z", `2`},
		{`{"d":{"e":{},"e.f":"x"}}`, "d.e.f", `null`},
		{`{}`, "a.b", `"mapped"`},
		{`{"a":null}`, "a.b", `"mapped"`},
		{`{"a":{"c":1}}`, "a.b", `"mapped"`},
		{`{"a":7}`, "a.b", `null`},
		{`{"a":[]}`, "a.b", `null`},
		{`{"a.b":null}`, "a.b", `"mapped"`},
		{`{"a.b":null,"a":{}}`, "a.b", `null`},
		{`{"d":{"e.f":null}}`, "d.e.f", `null`},
		{`{"d.e":{}}`, "d.e.f", `null`},
		{`{"d":{"e":{}}}`, "d.e.f", `"mapped"`},
		{`{}`, "several", `["x","y"]`},
		{`{}`, "object", `null`},
		{`{}`, "text.sub", `null`},
		{`{"text":"x"}`, "text.sub", `null`},
		{`{}`, "nothing", `null`},
	} {
		source, err := elastic.Parse([]byte(c.source))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(mergedValue(source.(map[string]any), mapped, c.field))
		if err != nil || string(got) != c.want {
			t.Errorf("%s has %s at %s, want %s", c.source, got, c.field, c.want)
		}
	}
}

func TestSeverityMappingMatches(t *testing.T) {
	for _, c := range []struct {
		field, wanted, value string
		want                 bool
	}{
		{"event.severity", "7", `7`, true},
		{"event.severity", "7.9", `7.0`, true},
		{"event.severity", "", `-0`, true},
		{"event.severity", "9007199254740992", `9007199254740992`, false},
		{"event.severity", "9007199254740991", `9007199254740991`, true},
		{"event.severity", "7", `"7"`, false},
		{"event.severity", "x", `7`, false},
		{"x", "9007199254740992", `9007199254740992`, false},
		{"x", "7", `7.0`, true},
		{"x", "0", `-0`, true},
		{"x", "7.5", `7.5`, false},
		{"x", "7", `7.5`, false},
		{"x", "7.5", `"7.5"`, true},
		{"x", "true", `true`, false},
		{"x", "", `null`, false},
		{"x", "", `""`, true},
		{"x", "100", `1e2`, true},
		{"x", "x", `["x"]`, false},
	} {
		value, err := elastic.Parse([]byte(c.value))
		if err != nil {
			t.Fatal(err)
		}
		if got := (severityMapping{field: c.field, value: c.wanted}).matches(value); got != c.want {
			t.Errorf("%s %s of the mapping %q: got %v", c.field, c.value, c.wanted, got)
		}
	}
}
