package alert

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"newterms/alerts/runs"
)

// TestMembersOf encodes all that documents hold, and compares with what
// encoding/json makes of it.
func TestMembersOf(t *testing.T) {
	object := map[string]any{
		"": "", "a\"b\\": "line\nbreak\ttab\x00\x1f\u2028 <&> \U0001F600", "no UTF-8": "\xff\xfe half \xe2\x82", "no UTF-8 \xff": 1,
		"nil": nil, "yes": true, "no": false, "number": json.Number("-1.5e+300"), "large": json.Number("9007199254740993"),
		"int": 3, "int64": int64(-4), "float": 0.1, "list": []any{}, "lists": []any{[]any{nil}, map[string]any{}, "x", json.Number("0")},
		"strings": []string{"a", "<b>"}, "object": map[string]any{"z": 1, "a": map[string]any{"deep": []any{map[string]any{"er": "\u00e9"}}}},
		"time": time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), "typed": runs.Manual, "long": strings.Repeat("x", 100_000),
	}
	members, err := membersOf(object)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	got := append(append([]byte("{"), members...), '}')
	if again, err := membersOf(object); err != nil || string(again) != string(members) {
		t.Error("it is another the second time")
	}
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if _, err := membersOf(map[string]any{"x": []any{func() {}}}); err == nil {
		t.Error("a function is no JSON")
	}
	if members, err := membersOf(nil); err != nil || len(members) > 0 {
		t.Errorf("nothing: %q, %v", members, err)
	}
}
